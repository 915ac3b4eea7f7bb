import { sweepOnSchedule } from '../shared/store/sweep-on-schedule.ts';

/** Runs every minute: settles the staged transactions that a crash left behind. */
export const handler = sweepOnSchedule();
