import { linkedPage } from '../../store/linked-page.ts';
import { jsonBytesOf } from '../../store/rows.ts';
import { locate } from '../locate.ts';
import { matching } from './matching.ts';
import { addressedRecords, namedPages, namedRecords } from './named-records.ts';
import { planSearch, referringInCharts } from './plan.ts';

/** How records are found: handed to the code that follows references, which has a file of its own and nothing of the store in it. */
export const finding = {
  addressedRecords,
  jsonBytesOf,
  linkedPage,
  locate,
  matching,
  namedPages,
  namedRecords,
  planSearch,
  referringInCharts,
};

export type Finding = typeof finding;
