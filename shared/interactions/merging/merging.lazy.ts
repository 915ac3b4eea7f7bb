// Two records turn out to be one person's, or not to be: some times a day.
export { merge, unmerge } from './merge.ts';
