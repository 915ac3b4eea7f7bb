import { isOwnChart, type Question, type Verdict } from '../question.ts';
import { reads } from '../scopes.ts';

/** A patient reaches the own chart, and nothing else; reads, besides, what a merge has made the own, and writes nothing there: a merge may be wrong. */
export const ownChart = ({ asking, action, record }: Question): Verdict => {
  if (asking.caller.organization !== undefined) return undefined;
  const own = record.chart === asking.chart || (reads(action) && isOwnChart(asking, record.chart));
  return own ? 'permit' : 'not-own-record';
};
