import { wakeOnSchedule } from '../shared/delivery/on-schedule.ts';

/** Runs every minute: wakes Subscriptions that are due though nothing has changed. */
export const handler = wakeOnSchedule();
