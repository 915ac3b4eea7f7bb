import type { Question, Verdict } from '../question.ts';

/** A patient reaches the own chart, and nothing else. */
export const ownChart = ({ asking, record }: Question): Verdict => {
  if (asking.caller.organization !== undefined) return undefined;
  return record.chart === asking.chart ? 'permit' : 'not-own-record';
};
