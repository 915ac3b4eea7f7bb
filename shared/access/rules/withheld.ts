import { isOwnChart, type Question, type Verdict } from '../question.ts';

/**
 * What a licensed professional has determined to withhold is for now not for the patient nor for who acts for the patient; where the ground is what a
 * representative would do with it, not for the representatives alone. Nobody else is affected. https://www.law.cornell.edu/cfr/text/45/164.524
 */
export const withheld = ({ asking, record }: Question): Verdict => {
  if (!record.withheld || asking.caller.organization !== undefined || !isOwnChart(asking, record.chart))
    return undefined;
  return record.withheld.reason === 'representative' && !asking.proxy ? undefined : 'withheld';
};
