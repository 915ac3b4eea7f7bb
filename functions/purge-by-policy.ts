import { purgeOnSchedule } from '../shared/interactions/retention/on-schedule.ts';

/** Runs every hour: ends charts whose time is over, where the policy says so. */
export const handler = purgeOnSchedule();
