// The history of one record, which few look at.
export { historyOfRecord } from './history.ts';
