import type { Resource } from '../fhir/resource.ts';
import { allergyIntolerance } from '../record-types/allergy-intolerance.ts';
import { appointment } from '../record-types/appointment.ts';
import { communicationRequest } from '../record-types/communication-request.ts';
import type { Raised, RecordType } from '../record-types/define-record-type.ts';
import { detectedIssue } from '../record-types/detected-issue.ts';
import { flag } from '../record-types/flag.ts';
import { medicationRequest } from '../record-types/medication-request.ts';
import { task } from '../record-types/task.ts';
import { linkedWith } from '../store/chart-links.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { RequestContext } from './context.ts';
import { locate } from './locate.ts';
import { systemOf } from './own-system.ts';
import { newPlace, type PlannedWrite, planCreate, planUpdate } from './plan-write.ts';
import { mayAccess } from './require-access.ts';
import { restated } from './restated.ts';

/** Rules about these are for writes by hand. */
const byServer = ({ requireChange: _byHand, ...recordType }: RecordType): RecordType => recordType;
const types: readonly RecordType[] = [
  allergyIntolerance,
  appointment,
  communicationRequest,
  detectedIssue,
  flag,
  medicationRequest,
  task,
].map(byServer);

const typeOf = (name: string): RecordType => {
  const found = types.find((type) => type.name === name);
  if (!found) throw new Error(`A change cannot raise a ${name}`);
  return found;
};

/** What was raised by which write. */
interface RaisedBy {
  readonly what: Raised;
  readonly by: PlannedWrite;
}

type Context = Omit<RequestContext, 'recordType'>;
type OfChart = Extract<Raised, { of: string }>;
type OnRecord = Extract<Raised, { on: string }>;

const nameOf = ({ type, id }: Pick<StoredRecord, 'type' | 'id'>): string => `${type}/${id}`;

/**
 * Writes with those that they call for in their transaction, by the own system of the organisation that keeps what calls for them. To look for records that
 * may have to change takes a call for each megabyte of them in the chart. What the transaction itself writes is left as it has it, but for its `meta`.
 */
export const withRaised = async (
  context: Context,
  plans: readonly PlannedWrite[],
  raised: readonly RaisedBy[],
): Promise<readonly PlannedWrite[]> => {
  const known = new Map([...context.known, ...raised.map(({ by }) => [nameOf(by.next), by.next] as const)]);
  const own = { ...context, known, store: context.store.whole };
  const sent = new Set(plans.map(({ next }) => nameOf(next)));
  const changing = raised.flatMap(({ what, by: { next } }) => ('of' in what ? [{ what, by: next }] : []));
  const charts = new Map(
    await Promise.all(
      [...new Set(changing.map(({ by }) => by.chart))].map(
        async (chart) => [chart, await ofPerson(own, chart)] as const,
      ),
    ),
  );
  const chartsOf = ({ chart }: StoredRecord) => charts.get(chart) ?? [chart];
  const groups = Map.groupBy(
    changing,
    ({ what, by }) => `${what.of} ${chartsOf(by).join(' ')} ${by.custodian}`,
  ).values();
  const changed = [...groups].flatMap(([first, ...others]) =>
    first
      ? chartsOf(first.by).map((chart) =>
          changesIn(
            own,
            { chart, custodian: first.by.custodian },
            [first, ...others].map(({ what }) => what),
            sent,
          ),
        )
      : [],
  );
  const changes = (await Promise.all(changed)).flat();
  const isCalledFor = ({ next }: PlannedWrite, isMeant: (resource: Resource) => boolean) =>
    changes.some(
      (each) => chartsOf(next).includes(each.next.chart) && each.next.resource && isMeant(each.next.resource),
    );
  const opening = raised.flatMap(({ what, by }) =>
    'opens' in what &&
    (!what.ifChanged || isCalledFor(by, what.ifChanged)) &&
    !(what.unlessChanged && isCalledFor(by, what.unlessChanged))
      ? [opened(own, what.opens, by.next.custodian)]
      : [],
  );
  const marking = raised.flatMap(({ what, by }) => ('on' in what ? [{ what, by }] : []));
  const apart = Map.groupBy(
    marking.filter(({ what }) => !sent.has(what.on)),
    ({ what }) => what.on,
  ).values();
  const marked = [...apart].map(async ([first, ...others]) =>
    first
      ? marks(
          own,
          first.by,
          [first, ...others].map(({ what }) => what),
        )
      : [],
  );
  const all = [
    ...plans.map((plan) =>
      marking.reduce((each, { what }) => (what.on === nameOf(each.next) ? saying(each, what) : each), plan),
    ),
    ...(await Promise.all(opening)),
    ...changes,
    ...(await Promise.all(marked)).flat(),
  ];
  await warned(own, plans, raised);
  const written = {
    sent,
    ofPerson: (chart: string) => ofPerson(own, chart),
    open: (resource: Resource, custodian: string) => opened(own, resource, custodian),
  };
  const recollecting = raised.flatMap(({ what, by }) => ('specimenFor' in what ? [{ what, by }] : []));
  const recollected =
    recollecting.length === 0
      ? all
      : await (await import('./recollecting.lazy.ts')).withRecollections(own, recollecting, all, written.open);
  const answering = raised.flatMap(({ what, by }) => ('answer' in what ? [{ ...what, by }] : []));
  const answered =
    answering.length === 0
      ? recollected
      : await (await import('./request-answers.lazy.ts')).withRequestsAnswered(own, answering, {
          ...written,
          plans: recollected,
        });
  const results = raised.flatMap(({ what, by }) => ('result' in what ? [{ ...what, by }] : []));
  return results.length === 0
    ? answered
    : (await import('./results/reviews.lazy.ts')).withReviews(own, results, { ...written, plans: answered });
};

/**
 * Warns who writes of what the chart has, and what the same transaction writes; only of what the writer may see. One Query a chart. Nobody is there to be warned where an
 * interface writes.
 */
const warned = async (context: Context, plans: readonly PlannedWrite[], raised: readonly RaisedBy[]): Promise<void> => {
  if (context.asking.caller.roles.includes('system')) return;
  const written = new Map(plans.map((plan) => [nameOf(plan.next), plan.next]));
  const read = new Map<string, ReturnType<typeof recordsOfPerson>>();
  const known = (chart: string, type: string) => {
    const found = read.get(`${type} ${chart}`) ?? recordsOfPerson(context, chart, type);
    read.set(`${type} ${chart}`, found);
    return found;
  };
  for (const { what, by } of raised) {
    if (!('warnsOf' in what) || by.warnings.some(({ message }) => message === what.warning.message)) continue;
    const { recordType, next } = by;
    const isSuch = (record: StoredRecord) =>
      nameOf(record) !== nameOf(next) &&
      record.type === what.warnsOf &&
      record.resource !== undefined &&
      what.where(record.resource);
    const { charts, records } = await known(next.chart, what.warnsOf);
    const alike = [
      ...records.filter((record) => !written.has(nameOf(record))),
      ...[...written.values()].filter(({ chart }) => charts.includes(chart)),
    ].filter(isSuch);
    if (alike.length === 0) continue;
    await context.sharing.lookUp(alike);
    if (alike.some((record) => mayAccess({ ...context, recordType }, 'r', record))) by.warnings.push(what.warning);
  }
};

/** Records of a type in the charts of a person, and which charts these are. */
const recordsOfPerson = async (context: Context, chart: string, type: string) => {
  const recordsOf = (each: string) => recordsIn(context, each, type);
  const [charts, own] = await Promise.all([ofPerson(context, chart), recordsOf(chart)]);
  const linked = await Promise.all(charts.filter((each) => each !== chart).map(recordsOf));
  return { charts, records: [...own, ...linked.flat()] };
};

const recordsIn = async ({ store }: Context, chart: string, type: string): Promise<StoredRecord[]> => {
  const records: StoredRecord[] = [];
  let after: string | undefined;
  do {
    const page = await store.chart(chart, type, { order: 'key-order', pointers: 'none', after });
    records.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return records;
};

/** The charts of a person, in order: one, but for those that were merged. */
const ofPerson = async ({ store }: Context, chart: string): Promise<readonly string[]> => {
  const linked = await linkedWith(store, chart);
  return linked.length === 0 ? [chart] : linked.map((each) => each.chart);
};

const saying = (plan: PlannedWrite, { changes }: OnRecord): PlannedWrite => {
  const { resource } = plan.next;
  return resource ? { ...plan, next: { ...plan.next, resource: changes(resource) } } : plan;
};

/** Another record of the same person and organisation, with another `meta`. One that is not there, or is another's, is left alone. */
const marks = async (
  context: Context,
  { recordType, next: { chart, custodian } }: PlannedWrite,
  asked: readonly OnRecord[],
): Promise<PlannedWrite[]> => {
  const [type = '', id = ''] = (asked[0]?.on ?? '').split('/');
  const own = { ...context, recordType, asking: systemOf(context, custodian) };
  const address = await locate(own, type, id);
  const isTheirs = address && (address.chart === chart || (await ofPerson(own, chart)).includes(address.chart));
  const current = isTheirs ? await own.store.read(address) : undefined;
  if (!current?.resource || current.custodian !== custodian) return [];
  const resource = asked.reduce((said, { changes }) => changes(said), current.resource);
  return [await restated(own, recordType, current, resource)];
};

const opened = async (context: Context, resource: Resource, custodian: string): Promise<PlannedWrite> => {
  const own = { ...context, recordType: typeOf(resource.resourceType), asking: systemOf(context, custodian) };
  const said = withoutContained(resource);
  const plan = await planCreate(own, { resource: said, warnings: [] }, await newPlace(own, said));
  // What it names was named by what raises it, which is refused itself if that is not there.
  return { ...plan, checks: [] };
};

/**
 * What is raised says of whom and by whom as the record that raises it does. Where that has somebody contained, such as the patient of a report that
 * is nobody's yet, nobody else can name them. https://hl7.org/fhir/R4/references.html#contained
 */
const withoutContained = (resource: Resource): Resource =>
  Object.fromEntries(Object.entries(resource).filter(([, value]) => !namesContained(value))) as unknown as Resource;

const namesContained = (value: unknown): boolean =>
  Array.isArray(value)
    ? value.length > 0 && value.every(namesContained)
    : ((value as fhir4.Reference | undefined)?.reference?.startsWith('#') ?? false);

/** What becomes of the records of a chart, each written once however many changes ask for it. */
const changesIn = async (
  context: Context,
  { chart, custodian }: Pick<StoredRecord, 'chart' | 'custodian'>,
  asked: readonly OfChart[],
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
