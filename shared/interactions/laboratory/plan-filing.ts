import { RecordError } from '../../errors.ts';
import { withSpellingOf } from '../../fhir/json.ts';
import type { Resource } from '../../fhir/resource.ts';
import { filedMarkOf, withFiledMark } from '../../laboratory/filed-mark.ts';
import type { Filed, Filing } from '../../laboratory/filing.ts';
import { bearingLabels } from '../../laboratory/labels.ts';
import { asRecord, type Message, messageOf, referring, type SentResult } from '../../laboratory/message.ts';
import { ordersOf } from '../../laboratory/report-numbers.ts';
import { taskToReview } from '../../laboratory/unfiled.ts';
import { diagnosticReport } from '../../record-types/diagnostic-report.ts';
import { observation } from '../../record-types/observation.ts';
import { specimen } from '../../record-types/specimen.ts';
import { task } from '../../record-types/task.ts';
import { contentHash, signaturesOf } from '../../signing/signature.ts';
import { guardedIds } from '../../store/bearers.ts';
import { linkedWith } from '../../store/chart-links.ts';
import type { Address } from '../../store/keys.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { labelsOfRecords } from '../order-checks/labels-of-finding.ts';
import { systemOf } from '../own-system.ts';
import { newPlace, type PlannedWrite, planCreate, planUpdate } from '../plan-write.ts';
import { requireInScope, requireTypeAccess } from '../require-access.ts';
import { guardedReviews } from '../results/review-guard.ts';
import {
  markOf,
  namedBefore,
  namesIn,
  placeName,
  placesOf,
  resultsElsewhere,
  type State,
  stands,
  wholeOf,
  writtenOtherwise,
} from './filed-so-far.ts';
import { fillerRow, knowing, knownIn } from './filler-row.ts';
import { keptLate } from './late-version.ts';
import { findingNone, namesAnother, orderRowOf } from './order-row.ts';
import { planUnfiled } from './plan-unfiled.ts';
import { type Whose, whoseReport } from './whose-report.ts';

/** What a filing would write, and what it comes to once that is written. */
export interface PlannedFiling {
  readonly plans: readonly PlannedWrite[];
  readonly filed: Filed;
  /** What `save` is given: the organisation's own system, which knows what was read. */
  readonly context: RequestContext;
}

/** Whoever files: who works in the laboratory, and applications of the organisation. */
const filers: readonly string[] = ['lab', 'system'];

/**
 * Requires that the caller may file reports.
 *
 * @throws RecordError `forbidden`.
 * @returns the organisation that keeps what is filed.
 */
export const requireFiler = (context: RequestContext): string => {
  for (const recordType of [diagnosticReport, observation, specimen])
    for (const action of ['c', 'u'] as const) requireTypeAccess({ ...context, recordType }, action);
  const { roles, organization } = context.asking.caller;
  if (organization === undefined || !roles.some((role) => filers.includes(role)))
    throw new RecordError('forbidden', 'Reports are filed by the laboratory and by applications', {
      reason: 'forbidden-role',
    });
  return organization;
};

/**
 * Plans that a report is filed: into the chart of its patient, with its order, or to wait where nobody can say whose it is. One round of reads where the patient is known by reference and what was filed
 * before has the dates that it has now; one more for what has other dates, and those of the matching where the patient is described. The same message once more plans nothing; of two at once one is refused
 * with `GuardFailed`: look again.
 *
 * @param said - whose it is, where somebody has said it; the digest of a message that was kept.
 * @throws RecordError `forbidden`; `invalid`.
 */
export const planFiling = async (
  context: RequestContext,
  filing: Filing,
  said: { readonly whose?: Whose; readonly digest?: string } = {},
): Promise<PlannedFiling> => {
  const { whose, digest } = said;
  const organization = requireFiler(context);
  const own = {
    ...context,
    recordType: diagnosticReport,
    asking: systemOf(context, organization),
    store: context.store.whole,
  };
  const message = messageOf(filing, digest);
  const found = whose ?? (await whoseReport(own, filing));
  const row = fillerRow(own, organization, message.filler);
  if ('reason' in found) {
    const expected = await guardedIds(own.store, row);
    return planUnfiled(own, message, found.reason, { row, expected });
  }
  const places = placesOf(own, organization, message, found.chart);
  const [expected, read, inChart, tasks, reports, guarded, linked, orderRow] = await Promise.all([
    guardedIds(own.store, row),
    own.store.readMany([places.report, ...places.results.values(), ...places.specimens.values()]),
    wholeOf(own, found.chart, 'ServiceRequest'),
    wholeOf(own, found.chart, 'Task'),
    wholeOf(own, found.chart, 'DiagnosticReport'),
    guardedReviews(own, found.chart),
    linkedWith(own.store, found.chart),
    orderRowOf(own, organization, message.report),
  ]);
  const orders = namesAnother(orderRow, inChart) ? await wholeOf(own, found.chart, 'ServiceRequest') : inChart;
  const filed = knownIn(expected);
  const at = filed.report === undefined ? undefined : await locate(own, 'DiagnosticReport', filed.report);
  const isElsewhere = at !== undefined && at.chart !== found.chart;
  if (isElsewhere) {
    const other = linked.find(({ chart }) => chart === at.chart);
    if (other)
      return planFiling(context, filing, {
        whose: { chart: other.chart, patient: `Patient/${other.patient}` },
        ...(digest === undefined ? {} : { digest }),
      });
    if (stands(await own.store.read(at))) return planUnfiled(own, message, 'other-patient', { row, expected });
  }
  const known = isElsewhere ? { ...filed, report: undefined } : filed;
  const records = new Map(read.map((record) => [placeName(record), record]));
  const current =
    at && !isElsewhere
      ? (records.get(placeName(at)) ?? (await own.store.read(at)))
      : writtenOtherwise(reports, organization, message.filler);
  // Somebody has said that it is not this patient's, and the laboratory does not know.
  if (current?.misfiled) return planUnfiled(own, message, 'other-patient', { row, expected });
  const state: State = { message, whose: found, places, records, current, known, orders, orderRow, row, expected };
  const mark = filedMarkOf(current?.resource);
  if (mark.messages.includes(message.key) && current)
    return {
      plans: [],
      filed: { outcome: 'repeated', report: `DiagnosticReport/${current.id}`, remarks: [] },
      context: own,
    };
  const ahead = {
    orders: new Map(orders.map((order) => [`ServiceRequest/${order.id}`, order])),
    tasks: new Map([[found.chart, tasks]]),
    reviews: new Map([
      [
        found.chart,
        { guarded, reports, charts: linked.length === 0 ? [found.chart] : linked.map(({ chart }) => chart) },
      ],
    ]),
  };
  const planned = await planFiled({ ...own, ahead }, state);
  for (const { recordType, next, interaction } of planned.plans)
    if (next.resource && recordType.subject === 'laboratory')
      requireInScope({ ...context, recordType }, interaction === 'create' ? 'c' : 'u', next.resource);
  return { ...planned, context: { ...own, ahead } };
};

/** A part of a message, and where it stands in the chart. */
interface Part {
  readonly address: Address;
  readonly id: string;
  readonly current: StoredRecord | undefined;
}

/** A part, and the report as it stands, whose labels a new part bears. */
interface PartOfReport extends Part {
  readonly report: StoredRecord | undefined;
}

const planFiled = async (context: RequestContext, state: State): Promise<Omit<PlannedFiling, 'context'>> => {
  const { message, places, records, whose, known } = state;
  const { ids } = context.store;
  const elsewhere = await resultsElsewhere(context, state);
  const partAt = (address: Address): Part => ({
    address,
    id: ids.idAt(address.chart, address.place),
    current: records.get(placeName(address)),
  });
  const results = message.sent.map((sent) => {
    const moved = elsewhere.get(sent.identity);
    return {
      sent,
      part: moved
        ? { address: moved, id: moved.id, current: moved }
        : partAt(places.results.get(sent.identity) as Address),
    };
  });
  const specimens = message.sentSpecimens.map((sent) => ({
    sent,
    part: partAt(places.specimens.get(sent.number) as Address),
  }));
  const named = new Map(
    specimens.map(({ sent, part }) => [`#${sent.resource.id ?? ''}`, `Specimen/${part.id}`] as const),
  );
  const subject = { reference: whose.patient };
  const isSigned = signaturesOf(state.current?.resource).length > 0;
  const before = markOf(state.current);
  const newest = before.messages.reduce((one, other) => (one > other ? one : other), '');
  const isLate = state.current?.resource !== undefined && message.key < newest;
  const revised = isSigned && !isLate ? undefined : state.current;
  const place =
    isSigned && !isLate ? await newPlace(context, { ...message.report, subject } as unknown as Resource) : undefined;
  const report = revised
    ? { address: revised as Address, id: revised.id }
    : (place ?? { address: places.report, id: ids.idAt(places.report.chart, places.report.place) });
  const own = {
    ...context,
    known: new Map<string, Address>([
      ...context.known,
      [`DiagnosticReport/${report.id}`, report.address],
      ...results.map(({ part }) => [`Observation/${part.id}`, part.address] as const),
      ...specimens.map(({ part }) => [`Specimen/${part.id}`, part.address] as const),
      ...namedBefore(context, state.current?.resource),
    ]),
  };
  const orders = ordersOf(
    message.report,
    state.orders.filter(({ custodian }) => custodian === context.asking.caller.organization),
  );
  const order = orders.length === 1 ? `ServiceRequest/${orders[0]?.id}` : undefined;
  const told = (resource: object): Resource => {
    const record = asRecord(referring(resource, named));
    return withSpellingOf({ ...record, subject }, record) as Resource;
  };
  const plans: PlannedWrite[] = [];
  for (const { sent, part } of specimens)
    plans.push(...(await planSpecimen(own, { ...part, report: state.current }, told(sent.resource), message.key)));
  for (const { sent, part } of results)
    plans.push(...(await planResult(own, { ...part, report: state.current }, sent, told(sent.resource))));
  const content = reportContent(await labelledByResults(context, told(message.report), message), {
    results: results.map(({ part }) => `Observation/${part.id}`),
    specimens: specimens.map(({ part }) => `Specimen/${part.id}`),
    order,
    before: (state.current?.resource ?? {}) as Partial<fhir4.DiagnosticReport>,
    signed: isSigned && !isLate ? state.current : undefined,
  });
  const messages = [...before.messages, message.key].sort();
  const plan = isLate
    ? await planLate(own, state.current as StoredRecord & { resource: Resource }, content, {
        messages,
        count: before.results ?? 0,
        key: message.key,
      })
    : await planNewest(own, { ...report, current: revised, report: state.current }, content.resource, {
        messages,
        results: results.length,
      });
  const waiting = new Map([...known.waiting].filter(([key]) => key !== message.key));
  const guarded = {
    ...plan,
    guards: [
      ...plan.guards,
      knowing(state.row, state.expected, { report: report.id, waiting }),
      ...(state.orderRow && orders.length === 0 ? [findingNone(state.orderRow, message.key)] : []),
    ],
  };
  const name = `DiagnosticReport/${report.id}`;
  const review =
    isLate ||
    !needsReview(message.report, { before: state.current?.resource, next: content.resource, now: context.now })
      ? []
      : [await planReview(own, name, whose.patient)];
  return {
    plans: [...plans, guarded, ...review],
    filed: {
      outcome: isLate ? 'late' : state.current ? 'revised' : 'filed',
      report: name,
      ...(order === undefined ? {} : { order }),
      remarks:
        orders.length > 1 ? ['Several orders bear the number of this report: it was filed with none of them'] : [],
    },
  };
};

/** What a report says in words or as a document tells of its results: so it bears the sensitive labels that these have, by their codes too. Without either it names them alone, and each is judged for itself. */
const labelledByResults = async (
  context: RequestContext,
  report: Resource,
  { results }: Message,
): Promise<Resource> => {
  const { conclusion, conclusionCode, presentedForm, text } = report as unknown as fhir4.DiagnosticReport;
  if ([conclusion, conclusionCode, presentedForm, text].every((each) => each === undefined)) return report;
  const security = [...(await labelsOfRecords(context, results as unknown as readonly Resource[]))];
  return bearingLabels(report, { resourceType: 'DiagnosticReport', meta: { security } });
};

const done = /^(?:final|amended|corrected|appended)$/;

/** What was told so long ago was read elsewhere since. Milliseconds. */
const longAgo = 30 * 86_400_000;

/** Whether a report is done, for the first time and of late, and no order tells who waits for it. */
const needsReview = (
  { status, issued = '' }: fhir4.DiagnosticReport,
  { before, next, now }: { readonly before: Resource | undefined; readonly next: Resource; readonly now: number },
): boolean => {
  const { status: was = '' } = (before ?? {}) as Partial<fhir4.DiagnosticReport>;
  return done.test(status) && !done.test(was) && next['basedOn'] === undefined && !(now - Date.parse(issued) > longAgo);
};

const planReview = async (context: RequestContext, report: string, patient: string): Promise<PlannedWrite> => {
  const own = { ...context, recordType: task };
  const resource = taskToReview(report, patient, context.now);
  return planCreate(own, { resource, warnings: [] }, await newPlace(own, resource));
};

/** What a report says of its own chart, made of a message and of what is there. */
interface Content {
  readonly resource: Resource;
  /** Results of it that the message adds, in order. */
  readonly added: readonly string[];
}

const reportContent = (
  sent: Resource,
  {
    results,
    specimens,
    order,
    before,
    signed,
  }: {
    readonly results: readonly string[];
    readonly specimens: readonly string[];
    readonly order: string | undefined;
    readonly before: Partial<fhir4.DiagnosticReport>;
    readonly signed: StoredRecord | undefined;
  },
): Content => {
  const had = namesIn(before.result);
  const others = had.filter((name) => !results.includes(name)).sort();
  const basedOn = order === undefined ? before.basedOn : [{ reference: order }];
  const all = [...results, ...others];
  const taken = [...new Set([...specimens, ...namesIn(before.specimen)])];
  const { extension = [] } = sent as { extension?: fhir4.Extension[] };
  const addendum = signed && { url: addendumUrl, valueReference: { reference: `DiagnosticReport/${signed.id}` } };
  const resource = withSpellingOf(
    {
      ...sent,
      ...(basedOn ? { basedOn } : {}),
      ...(all.length === 0 ? {} : { result: all.map((reference) => ({ reference })) }),
      ...(taken.length === 0 ? {} : { specimen: taken.map((reference) => ({ reference })) }),
      ...(addendum ? { extension: [...extension, addendum] } : {}),
    },
    sent,
  ) as Resource;
  return { resource, added: results.filter((name) => !had.includes(name)) };
};

/** https://hl7.org/fhir/R4/extension-diagnosticreport-addendumof.html */
const addendumUrl = 'http://hl7.org/fhir/StructureDefinition/diagnosticReport-addendumOf';

const planNewest = async (
  context: RequestContext,
  part: PartOfReport,
  resource: Resource,
  mark: { readonly messages: readonly string[]; readonly results: number },
): Promise<PlannedWrite> =>
  marked(await planPart({ ...context, recordType: diagnosticReport }, part, resource, part.report), mark);

/** An older message is kept behind what the report says, and adds the results that nothing newer has told of. */
const planLate = async (
  context: RequestContext,
  current: StoredRecord & { readonly resource: Resource },
  { resource: late, added }: Content,
  { messages, count, key }: { readonly messages: readonly string[]; readonly count: number; readonly key: string },
): Promise<PlannedWrite> => {
  const had = namesIn((current.resource as unknown as fhir4.DiagnosticReport).result);
  const all = [...had.slice(0, count), ...[...had.slice(count), ...added].sort()];
  const isSigned = signaturesOf(current.resource).length > 0;
  const said =
    added.length === 0 || isSigned
      ? current.resource
      : withSpellingOf({ ...current.resource, result: all.map((reference) => ({ reference })) }, current.resource);
  return keptLate(context, diagnosticReport, current, {
    late: withFiledMark(late, { messages: [key] }),
    resource: withFiledMark(said, { messages, results: count }),
  });
};

const planResult = async (
  context: RequestContext,
  part: PartOfReport,
  { key, identity }: SentResult,
  resource: Resource,
): Promise<readonly PlannedWrite[]> => {
  const own = { ...context, recordType: observation };
  const mark = { messages: [key], result: identity };
  const [before = ''] = markOf(part.current, part.report).messages;
  if (before === key) return [];
  if (part.current?.resource && key < before)
    return [
      await keptLate(own, observation, part.current, {
        late: withFiledMark(resource, mark),
        resource: part.current.resource,
      }),
    ];
  return [marked(await planPart(own, part, resource, part.report), mark)];
};

/** A specimen is what the newest message says of it that says something new; what is older says nothing of how it is now. */
const planSpecimen = async (
  context: RequestContext,
  part: PartOfReport,
  resource: Resource,
  key: string,
): Promise<readonly PlannedWrite[]> => {
  const own = { ...context, recordType: specimen };
  const before = part.current?.resource;
  const [known = ''] = filedMarkOf(before).messages;
  if (before && (key <= known || contentHash(asRecord(before)) === contentHash(resource))) return [];
  return [marked(await planPart(own, part, resource, part.report), { messages: [key] })];
};

const planPart = (
  context: RequestContext,
  { address, id, current }: Part,
  sent: Resource,
  report?: StoredRecord,
): Promise<PlannedWrite> => {
  const resource = bearingLabels(sent, (current ?? report)?.resource);
  return current
    ? planUpdate(context, { resource: { ...resource, id: current.id }, warnings: [] }, current)
    : planCreate(context, { resource, warnings: [] }, { address, id });
};

/** What is known of messages is the server's alone, and stands in what it plans itself. */
const marked = (plan: PlannedWrite, mark: Parameters<typeof withFiledMark>[1]): PlannedWrite => {
  const { resource } = plan.next;
  return resource ? { ...plan, next: { ...plan.next, resource: withFiledMark(resource, mark) } } : plan;
};
