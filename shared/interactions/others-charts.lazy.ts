import { recordsNamedIn } from '../fhir/references.ts';
import { factsOfType } from '../record-types/subjects.ts';
import type { ExistenceCheck } from '../store/commit.ts';
import { visitChanges } from '../store/door-rows.ts';
import { type Address, recordKey } from '../store/keys.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { RequestContext } from './context.ts';
import type { PlannedWrite } from './plan-write.ts';
import { mayAccess } from './require-access.ts';

type Context = Omit<RequestContext, 'recordType'>;

const nameOf = (address: Address): string => Object.values(recordKey(address)).join('\n');

/**
 * Writes that refer to what other organisations keep, with conditions that hold there, as far as the writer may refer to it: in a chart that is open
 * to the writer for care, and to what the record has referred to before. What they leave there is told of in rows of the chart.
 *
 * @returns undefined if nothing of it may be referred to.
 */
export const inOthersCharts = async (
  context: Context,
  plans: readonly PlannedWrite[],
): Promise<readonly PlannedWrite[] | undefined> => {
  const { organization } = context.asking.caller;
  const own = new Set(plans.map(({ next }) => nameOf(next)));
  const asked = plans
    .filter(({ recordType }) => recordType.name !== 'Binary') // is under the rights of what it refers to, by whoever could refer to that
    .flatMap(({ checks }) => checks)
    .filter(({ address, custodian }) => custodian !== undefined && !own.has(nameOf(address)));
  const read = await context.store.readMany(asked.map(({ address }) => address));
  const foreign = read.filter(({ resource, custodian }) => resource !== undefined && custodian !== organization);
  if (foreign.length === 0) return undefined;
  await context.sharing.lookUp(foreign);
  const targets = new Map(foreign.map((record) => [nameOf(record), record]));
  let changed = false;
  const opened = plans.map((plan): PlannedWrite => {
    if (plan.recordType.name === 'Binary') return plan;
    const before = new Set(plan.previous?.custodian === organization ? referredTo(context, plan) : []);
    const checks = plan.checks.map((check): ExistenceCheck => {
      const target = targets.get(nameOf(check.address));
      if (!target || !(before.has(`${target.type}/${target.id}`) || mayReferTo(context, target))) return check;
      changed = true;
      return { ...check, custodian: target.custodian };
    });
    const keeper = targets.get(nameOf({ type: 'Patient', chart: plan.next.chart, place: '' }))?.custodian;
    if (keeper === undefined || plan.next.place === '') return { ...plan, checks };
    return { ...plan, checks, besides: visitChanges(plan, plan.recordType.visitOf?.(plan.next), keeper) };
  });
  return changed ? opened : undefined;
};

const mayReferTo = (context: Context, target: StoredRecord): boolean =>
  context.sharing
    .known(target.chart)
    ?.mayReferTo(target, mayAccess({ ...context, recordType: factsOfType(target.type) }, 'r', target)) ?? false;

const referredTo = ({ request }: Context, { previous }: PlannedWrite): string[] =>
  previous?.resource ? recordsNamedIn(previous.resource, request.baseUrl) : [];
