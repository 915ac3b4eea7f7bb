import { canaryOnSchedule } from '../shared/canary/on-schedule.ts';

/** Runs every few minutes: lives a day of a patient that there is not, through the API, and fails if anything of it does. */
export const handler = canaryOnSchedule();
