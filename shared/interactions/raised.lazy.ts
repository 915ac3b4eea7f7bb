import type { Resource } from '../fhir/resource.ts';
import type { Raised, RecordType } from '../record-types/define-record-type.ts';
import { detectedIssue } from '../record-types/detected-issue.ts';
import { flag } from '../record-types/flag.ts';
import { task } from '../record-types/task.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { RequestContext } from './context.ts';
import { systemOf } from './own-system.ts';
import { newPlace, type PlannedWrite, planCreate, planUpdate } from './plan-write.ts';

/** Rules about these are for writes by hand. */
const byServer = ({ requireChange: _byHand, ...recordType }: RecordType): RecordType => recordType;
const types: readonly RecordType[] = [task, flag, detectedIssue].map(byServer);

const typeOf = (name: string): RecordType => {
  const found = types.find((type) => type.name === name);
  if (!found) throw new Error(`A change cannot raise a ${name}`);
  return found;
};

/** What was raised by which version of a record. */
interface RaisedBy {
  readonly what: Raised;
  readonly by: StoredRecord;
}

type Context = Omit<RequestContext, 'recordType'>;
type Changing = Extract<Raised, { of: string }>;

const nameOf = ({ type, id }: Pick<StoredRecord, 'type' | 'id'>): string => `${type}/${id}`;

/**
 * The writes that others call for in their transaction, by the own system of the organisation that keeps what calls for them. To look for records that
 * may have to change takes a call for each megabyte of them in the chart. What the transaction itself writes is left as it has it.
 */
export const planRaised = async (
  context: Context,
  plans: readonly PlannedWrite[],
  raised: readonly RaisedBy[],
): Promise<readonly PlannedWrite[]> => {
  const known = new Map([...context.known, ...raised.map(({ by }) => [nameOf(by), by] as const)]);
  const own = { ...context, known, store: context.store.whole };
  const written = new Set(plans.map(({ next }) => nameOf(next)));
  const opening = raised.flatMap(({ what, by }) => ('opens' in what ? [opened(own, what.opens, by)] : []));
  const changing = raised.flatMap(({ what, by }) => ('of' in what && by.place !== '' ? [{ what, by }] : []));
  const groups = Map.groupBy(changing, ({ what, by }) => `${what.of} ${by.chart} ${by.custodian}`).values();
  const changed = [...groups].map(async ([first, ...others]) =>
    first
      ? changesIn(
          own,
          first.by,
          [first, ...others].map(({ what }) => what),
          written,
        )
      : [],
  );
  return [...(await Promise.all(opening)), ...(await Promise.all(changed)).flat()];
};

const opened = async (context: Context, resource: Resource, { custodian }: StoredRecord): Promise<PlannedWrite> => {
  const own = { ...context, recordType: typeOf(resource.resourceType), asking: systemOf(context, custodian) };
  const plan = await planCreate(own, { resource, warnings: [] }, await newPlace(own, resource));
  // What it names was named by what raises it, which is refused itself if that is not there.
  return { ...plan, checks: [] };
};

/** What becomes of the records of a chart, each written once however many changes ask for it. */
const changesIn = async (
  context: Context,
  { chart, custodian }: StoredRecord,
  asked: readonly Changing[],
  written: ReadonlySet<string>,
): Promise<PlannedWrite[]> => {
  const type = asked[0]?.of ?? '';
  const own = { ...context, recordType: typeOf(type), asking: systemOf(context, custodian) };
  const plans: PlannedWrite[] = [];
  let after: string | undefined;
  do {
    const { items, next } = await context.store.chart(chart, type, { order: 'key-order', pointers: 'none', after });
    for (const current of items) {
      if (!current.resource || current.custodian !== custodian || written.has(nameOf(current))) continue;
      const resource = asked.reduce((said, { changes }) => changes(said) ?? said, current.resource);
      if (resource === current.resource) continue;
      plans.push({ ...(await planUpdate(own, { resource, warnings: [] }, current)), checks: [] });
    }
    after = next;
  } while (after !== undefined);
  return plans;
};
