import { reconcileOnSchedule } from '../shared/changes/mend-on-schedule.ts';

/** Runs every hour: compares charts with the feed, once a day, and publishes what it lacks. */
export const handler = reconcileOnSchedule();
