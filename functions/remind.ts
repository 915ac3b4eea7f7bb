import { remindOnSchedule } from '../shared/reminders/on-schedule.ts';

/** Runs every quarter of an hour: finds which appointments are to be reminded of. */
export const handler = remindOnSchedule();
