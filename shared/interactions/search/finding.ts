import { linkedPage } from '../../store/linked-page.ts';
import { locate } from '../locate.ts';
import { matching } from './matching.ts';
import { addressedRecords, namedRecords } from './named-records.ts';
import { planSearch, referringInCharts } from './plan.ts';

/** How records are found: handed to the code that follows references, which has a file of its own and nothing of the store in it. */
export const finding = { addressedRecords, linkedPage, locate, matching, namedRecords, planSearch, referringInCharts };

export type Finding = typeof finding;
