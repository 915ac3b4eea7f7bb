// What keeps a chart for a court, and what becomes of it in the end: a few times a year.

export { holdChart, releaseChart } from './hold.ts';
export { officersAgain } from './officer.ts';
export { purgeChart } from './purge.ts';
export { purgeDue } from './purge-due.ts';
