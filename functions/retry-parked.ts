import { retryOnSchedule } from '../shared/changes/mend-on-schedule.ts';

/** Runs every five minutes: publishes charts that were parked, from the charts themselves. */
export const handler = retryOnSchedule();
