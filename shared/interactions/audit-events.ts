import { isOwnChart } from '../access/question.ts';
import { type AuditedAccess, auditEvent } from '../audit/audit-event.ts';
import { chartLog, dayLog, loggedAccess } from '../audit/audit-log.ts';
import { RecordError } from '../errors.ts';
import { information } from '../fhir/operation-outcome.ts';
import { parseReference } from '../fhir/references.ts';
import type { Resource } from '../fhir/resource.ts';
import { criteriaOf, requireSelfContained } from '../search/joins.ts';
import { languageOf } from '../search/language.ts';
import { matches } from '../search/matches.ts';
import { parseSearchQuery } from '../search/parse-query.ts';
import { project } from '../search/project.ts';
import { unsupportedParameter } from '../search/refusal.ts';
import type { Criterion, SearchQuery } from '../search/search-query.ts';
import { custodianOf } from '../store/keeping.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { Interaction, RequestContext } from './context.ts';
import { knownToProxy } from './known-to-proxy.ts';
import { locate } from './locate.ts';
import { notFound, requireTypeAccess } from './require-access.ts';
import { askedPage, entriesOf, nextLink, pageParameter, selfLink } from './searchset.ts';

// AuditEvents are not records: they are rows of the access log, shown as FHIR. A privacy officer reads the logs of the charts that
// the organisation keeps and what its own people did; a patient reads the log of the own chart.

const usualPage = 50;
/** Days that a search without a patient looks back, a page each. */
const daysBack = 31;
const dayMs = 24 * 3600_000;

/** `GET /AuditEvent/{id}` */
export const readAuditEvent: Interaction = async (context, { id }) => {
  requireTypeAccess(context, 'r');
  const { store, audit } = context;
  const chart = store.ids.decode(id)?.chart;
  if (chart === undefined) throw notFound(context);
  const found = await audit.traced(
    { interaction: 'read', chart, what: [`AuditEvent/${id}`] },
    async () => {
      const [access, patient, told] = await Promise.all([
        loggedAccess(store, id),
        context.sharing.read({ type: 'Patient', chart, place: '' }),
        toldOf(context, chart),
      ]);
      const custodian = await keeperOf(context, chart, patient);
      return { access: access && (await told([access]))[0], patient, custodian };
    },
    ({ access, custodian }) => {
      if (!access || !maySeeLog(context, chart, custodian, access.entry.organization)) throw notFound(context);
    },
  );
  if (!found.access) throw notFound(context);
  const [text] = await (await inWords()).toldInWords(context, [found.access]);
  const event = auditEvent({ ...found.access, patient: referenceTo(found.patient) });
  return { statusCode: 200, resource: inSentence(event, text), headers: { ETag: 'W/"1"' } };
};

type Access = Omit<AuditedAccess, 'patient'>;

/** A page of a log as its reader is told of it. */
interface ToldPage {
  readonly accesses: readonly Access[];
  readonly next: string | undefined;
}

const inWords = () => import('./access-log.lazy.ts');

/**
 * Takes from a chart's log what its patient is not to be told of now, and from all that is told what its reader may not know of what it describes. One Query for a patient.
 */
const toldOf = async (
  context: RequestContext,
  chart: string,
): Promise<(accesses: readonly Access[]) => Promise<readonly Access[]>> => {
  const { asking, store, now } = context;
  const { described, withheldOf, withoutWithheld } = await inWords();
  if (asking.caller.organization !== undefined) return (accesses) => described(context, accesses);
  const withheld = await withheldOf(store, chart, now);
  return async (accesses) => {
    const known = accesses.flatMap((access) => knownToProxy(asking.proxy, withoutReason(access)) ?? []);
    return described(context, withheld ? await withoutWithheld(store, chart, known, withheld) : known);
  };
};

/** Why a chart is held may be an investigation, of which its patient is not to be told. */
const withoutReason = ({ entry: { reason: _forOfficers, ...entry }, ...access }: Access): Access => ({
  ...access,
  entry,
});

/** An AuditEvent that also says in a sentence what was done. */
const inSentence = ({ resourceType, id, meta, ...said }: Resource, text: fhir4.Narrative | undefined): Resource =>
  ({ resourceType, id, meta, ...(text ? { text } : {}), ...said }) as Resource;

const referenceTo = (patient: StoredRecord | undefined) => patient && `Patient/${patient.id}`;

/** Who keeps a chart, or kept it until it was purged, where that decides who sees its log: not for patients. */
const keeperOf = async (
  { asking, store }: RequestContext,
  chart: string,
  patient: StoredRecord | undefined,
): Promise<string | undefined> =>
  asking.caller.organization === undefined ? undefined : custodianOf(store, chart, patient);

const maySeeLog = (
  { asking }: RequestContext,
  chart: string,
  custodian: string | undefined,
  actor: string | undefined,
): boolean => {
  const { organization } = asking.caller;
  if (organization === undefined) return isOwnChart(asking, chart);
  return (custodian ?? actor) === organization;
};

/** `GET /AuditEvent?patient=…`, newest first; without a patient, what the caller's organisation did, day by day. */
export const searchAuditEvents: Interaction = async (context) => {
  requireTypeAccess(context, 's');
  const { recordType, request, asking, now } = context;
  const asked = askedPage(context);
  const sent = asked?.query ?? request.query.filter(([name]) => name !== pageParameter);
  const query = parseSearchQuery(recordType.searchParameters, sent, {
    strict: request.prefer.strict,
    resourceType: recordType.name,
    baseUrl: request.baseUrl,
    ...(await languageOf(sent)),
  });
  requireServed(query);
  const size = query.count ?? usualPage;
  requireSelfContained(query);
  const named = criteriaOf(query.conditions);
  const log =
    asking.caller.organization === undefined ? await ownLog(context, named) : await chartNamed(context, named);
  const from = Array.isArray(asked?.position) ? (asked.position as string[]) : [];
  const page = log === undefined ? await ofOrganization(context, from, now) : await ofChart(context, log, from, size);
  const events = page.events.filter((event) =>
    matches(query.conditions, event, {
      id: event.id ?? '',
      lastUpdated: Date.parse(event.meta?.lastUpdated ?? ''),
      baseUrl: request.baseUrl,
    }),
  );
  const shown = events.slice(0, size);
  const narratives = shown.length === 0 ? [] : await (await inWords()).toldInWords(context, shown.map(page.accessOf));
  const warnings = query.warnings.map(({ parameter, message }) => ({
    message,
    expression: parameter,
    code: 'not-supported' as const,
  }));
  const last = shown.at(-1);
  const next = events.length > size && last?.id !== undefined ? page.positionOf(last.id) : page.next;
  const bundle: fhir4.Bundle = {
    resourceType: 'Bundle',
    type: 'searchset',
    link: [
      selfLink(context, query.understood),
      ...(next === undefined ? [] : [nextLink(context, { query: sent, position: next })]),
    ],
    ...entriesOf([
      ...shown.map(
        (event, index): fhir4.BundleEntry => ({
          fullUrl: `${request.baseUrl}/AuditEvent/${event.id}`,
          resource: project(
            inSentence(event, narratives[index]),
            query,
            recordType.elements,
          ) as unknown as fhir4.FhirResource,
          search: { mode: 'match' },
        }),
      ),
      ...(warnings.length === 0
        ? []
        : [{ resource: information('warning', warnings), search: { mode: 'outcome' as const } }]),
    ]),
  };
  return { statusCode: 200, resource: bundle };
};

/** A log is read a page at a time, in its own order: what would need all of it is refused, not ignored. */
const requireServed = ({ summary, count, total, sort, understood }: SearchQuery): void => {
  const [rule, ...rules] = sort;
  const inOrder = rule === undefined || (rule.parameter.code === 'date' && rule.descending && rules.length === 0);
  const refused = [
    ...(summary === 'count' ? ['_summary'] : []),
    ...(count === 0 ? ['_count'] : []),
    ...(total === 'accurate' ? ['_total'] : []),
    ...(inOrder ? [] : ['_sort']),
    ...understood.flatMap(([name]) => (name === '_explain' ? [name] : [])),
  ];
  if (refused[0] !== undefined) throw unsupportedParameter(refused[0], 'A log is read a page at a time, newest first');
};

interface EventPage {
  readonly events: readonly Resource[];
  readonly next: string[] | undefined;
  readonly positionOf: (id: string) => string[];
  readonly accessOf: (event: Resource) => Access;
}

/** Pages of a log that are read for one answer, where nothing of them is to be told. */
const mostPages = 10;

const ofChart = async (
  context: RequestContext,
  { chart, patient: named }: NamedChart,
  [after]: readonly string[],
  size: number,
): Promise<EventPage> => {
  const { store, audit, recordType, asking } = context;
  // A page that is short of what is asked for, and has a next one, would tell how much is kept from the patient, or from who acts for them. All of their pages are
  // filled: if those alone were from which something is kept, being full would tell it.
  const wanted = asking.caller.organization === undefined ? size + 1 : 1;
  const { page, patient } = await audit
    .traced(
      { interaction: 'search-type', chart, what: [], query: recordType.name },
      async () => {
        const [first, head, told] = await Promise.all([
          chartLog(store, chart, after),
          store.read({ type: 'Patient', chart, place: '' }),
          toldOf(context, chart),
        ]);
        let found = { ...first, accesses: await told(first.accesses) };
        for (let read = 1; found.accesses.length < wanted && found.next !== undefined && read < mostPages; read++) {
          const more = await chartLog(store, chart, found.next);
          found = { ...more, accesses: [...found.accesses, ...(await told(more.accesses))] };
        }
        return { page: found, patient: head, custodian: await keeperOf(context, chart, head) };
      },
      ({ custodian }) => {
        // A chart that the caller may not know of has an empty log, like one that does not exist.
        if (!maySeeLog(context, chart, custodian, undefined)) throw new NothingToSee();
      },
    )
    .catch((error: unknown) => {
      if (error instanceof NothingToSee)
        return { page: { accesses: [], next: undefined } satisfies ToldPage, patient: undefined };
      throw error;
    });
  return shownPage(context, page, () => referenceTo(patient) ?? named, []);
};

class NothingToSee extends Error {}

const ofOrganization = async (
  context: RequestContext,
  [day, after]: readonly string[],
  now: number,
): Promise<EventPage> => {
  const { store, asking, audit, recordType } = context;
  const organization = asking.caller.organization ?? '';
  const today = new Date(now).toISOString().slice(0, 10);
  const at = day ?? today;
  await audit.record([{ interaction: 'search-type', chart: organization, what: [], query: recordType.name }]);
  const filed = await dayLog(store, organization, at, after || undefined);
  const page = { ...filed, accesses: await (await inWords()).described(context, filed.accesses) };
  const shown = shownPage(context, page, () => undefined, [at]);
  if (shown.next) return shown;
  const before = new Date(Date.parse(at) - dayMs).toISOString().slice(0, 10);
  const oldest = new Date(now - daysBack * dayMs).toISOString().slice(0, 10);
  return { ...shown, next: before < oldest ? undefined : [before, ''] };
};

const shownPage = (
  { store }: RequestContext,
  page: ToldPage,
  patientOf: () => string | undefined,
  prefix: readonly string[],
): EventPage => {
  const byId = new Map(page.accesses.map((access) => [access.id, access]));
  return {
    events: page.accesses.map((access) => auditEvent({ ...access, patient: patientOf() })),
    next: page.next === undefined ? undefined : [...prefix, page.next],
    positionOf: (id) => [...prefix, store.ids.decode(id)?.place ?? ''],
    accessOf: (event) => byId.get(event.id ?? '') as Access,
  };
};

interface NamedChart {
  readonly chart: string;
  /** Reference to its patient, as the search has it: of one who was purged nothing else tells it. */
  readonly patient?: string;
}

/**
 * The chart that a search names by `patient`; undefined if it names none.
 *
 * @throws RecordError `invalid` if it names several: a log belongs to one chart.
 */
const chartNamed = async (context: RequestContext, criteria: readonly Criterion[]): Promise<NamedChart | undefined> => {
  const named = criteria.find(
    ({ parameter, modifier }) => parameter.code === 'patient' && (modifier === undefined || modifier === 'Patient'),
  );
  if (!named) return undefined;
  const [value, ...others] = named.values;
  if (others.length > 0) throw new RecordError('invalid', 'Name one patient at a time', { expression: 'patient' });
  const id = value?.type === 'reference' ? value.id : undefined;
  const parsed = parseReference(`Patient/${id}`, context.request.baseUrl);
  const address = parsed.kind === 'record' ? await locate(context, 'Patient', parsed.id) : undefined;
  return { chart: address?.chart ?? 'unknown', patient: `Patient/${id}` };
};

/** The log that a patient asks for: that of the own chart, or of one that is merged with it. */
const ownLog = async (context: RequestContext, criteria: readonly Criterion[]): Promise<NamedChart | undefined> => {
  const { asking, sharing } = context;
  if (asking.chart === undefined) return undefined;
  const named = await chartNamed(context, criteria);
  if (!named || named.chart === asking.chart) return { chart: asking.chart };
  await sharing.lookUp([{ type: 'Patient', chart: named.chart }]);
  return isOwnChart(asking, named.chart) ? named : { chart: asking.chart };
};
