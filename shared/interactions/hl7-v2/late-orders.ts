import type { Resource } from '../../fhir/resource.ts';
import { ordersOf } from '../../laboratory/report-numbers.ts';
import { diagnosticReport } from '../../record-types/diagnostic-report.ts';
import { signaturesOf } from '../../signing/signature.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { isDoneByAnswer, requestAnswered } from '../../work/answered-request.ts';
import { requestsAnsweredBy } from '../../work/referral-answers.ts';
import type { PlannedWrite } from '../plan-write.ts';
import { restated } from '../restated.ts';
import type { FilingContext } from './typed.ts';

/**
 * The same writes, in which orders that come after their report have it: the report names the one order that bears its number, and the order is done, if that is its answer. A report that is signed stays as
 * it is. For new orders the reports of their chart are read, with a call for each megabyte.
 */
export const withReportsBefore = async (
  context: FilingContext,
  plans: readonly PlannedWrite[],
): Promise<readonly PlannedWrite[]> => {
  const orders = plans.filter(({ next, interaction }) => next.type === 'ServiceRequest' && interaction === 'create');
  const [first] = orders;
  if (!first) return plans;
  const answered = new Map<string, Resource>();
  const based: PlannedWrite[] = [];
  for (const report of await reportsIn(context, first.next)) {
    const said = report.resource as unknown as fhir4.DiagnosticReport | undefined;
    if (!said || said.basedOn || said.status === 'entered-in-error' || report.custodian !== first.next.custodian)
      continue;
    const [order, other] = ordersOf(
      said,
      orders.map(({ next }) => next),
    );
    if (!order?.resource || other) continue;
    const basedOn = [{ reference: `ServiceRequest/${order.id}` }];
    const resource = { ...report.resource, basedOn } as unknown as Resource;
    const before = answered.get(order.id) ?? order.resource;
    if (requestsAnsweredBy(resource, context.request.baseUrl).length > 0 && isDoneByAnswer(before))
      answered.set(order.id, requestAnswered(before, `DiagnosticReport/${report.id}`));
    if (signaturesOf(report.resource).length === 0)
      based.push(await restated(context, diagnosticReport, report, resource));
  }
  const done = plans.map((plan): PlannedWrite => {
    const resource = plan.next.type === 'ServiceRequest' ? answered.get(plan.next.id) : undefined;
    return resource ? { ...plan, next: { ...plan.next, resource } } : plan;
  });
  return [...done, ...based];
};

const reportsIn = async (
  { store }: FilingContext,
  { chart }: Pick<StoredRecord, 'chart'>,
): Promise<readonly StoredRecord[]> => {
  const records: StoredRecord[] = [];
  let after: string | undefined;
  do {
    const page = await store.whole.chart(chart, 'DiagnosticReport', { order: 'key-order', pointers: 'none', after });
    records.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return records;
};
