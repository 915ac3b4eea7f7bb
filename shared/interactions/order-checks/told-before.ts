import { checkOrder, type PatientFacts } from '../../order-checks/check-order.ts';
import type { Finding } from '../../order-checks/findings.ts';
import type { Pack } from '../../order-checks/knowledge.ts';
import { linkedPage } from '../../store/linked-page.ts';
import type { RequestContext } from '../context.ts';
import { ruleOf, ruleToldBy } from './told.ts';

type Context = Omit<RequestContext, 'recordType'>;

/** Whether an order was told of by a rule, as `ruleOf` names it. */
export type ToldBefore = (order: string, rule: string) => boolean;

/** Whether a DetectedIssue tells of nothing any more. */
export const isWithdrawnIssue = ({ status }: fhir4.DetectedIssue): boolean =>
  status === 'entered-in-error' || status === 'cancelled';

/**
 * What DetectedIssues of a chart and those merged with it tell of its orders already, those of one organisation: one Query, of the newest of them, up to 1 MB. What is not among these is told once more.
 */
export const toldBefore = async ({ store }: Context, chart: string, custodian: string): Promise<ToldBefore> => {
  const { items } = await linkedPage(store.whole, chart, 'DetectedIssue', {});
  const told = new Set(
    items.flatMap(({ record }) => {
      const issue = record.resource as unknown as fhir4.DetectedIssue | undefined;
      const rule = issue && ruleToldBy(issue);
      if (!issue || rule === undefined || record.custodian !== custodian || isWithdrawnIssue(issue)) return [];
      return (issue.implicated ?? []).map(({ reference }) => `${reference} ${rule}`);
    }),
  );
  return (order, rule) => told.has(`${order} ${rule}`);
};

/**
 * Findings without those of a result that says no more than the results before it: the same rule spoke against the order then, and that was told. Who has the kidneys looked at each week is not to have
 * an urgent Task each week.
 *
 * @param before - with the observations as they were.
 */
export const withoutRepeats = async (
  findings: readonly Finding[],
  order: fhir4.MedicationRequest,
  {
    before,
    pack,
    now,
    told,
  }: { before: PatientFacts; pack: Pack | undefined; now: number; told: () => Promise<ToldBefore> },
): Promise<readonly Finding[]> => {
  const ofResults = findings.filter(({ record }) => record?.startsWith('Observation/'));
  if (ofResults.length === 0) return findings;
  const known = new Set(checkOrder(order, before, pack, now).findings.map(ruleOf));
  if (!ofResults.some((finding) => known.has(ruleOf(finding)))) return findings;
  const isTold = await told();
  return findings.filter(
    (finding) =>
      !ofResults.includes(finding) ||
      !known.has(ruleOf(finding)) ||
      !isTold(`MedicationRequest/${order.id}`, ruleOf(finding)),
  );
};
