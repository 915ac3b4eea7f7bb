import { isInScope, isNarrowed, isScoped } from '../access/rules/scope.ts';
import { RecordError } from '../errors.ts';
import { addressesIn } from '../fhir/addresses.ts';
import { parseReference, recordsNamedIn, referencesIn } from '../fhir/references.ts';
import type { Resource } from '../fhir/resource.ts';
import type { ValidationIssue } from '../fhir/validation-issue.ts';
import type { RecordType } from '../record-types/define-record-type.ts';
import { headsOwnChart } from '../record-types/homes.ts';
import { isDirectory } from '../record-types/subjects.ts';
import { isSubsetted } from '../search/project.ts';
import type { KnownCalendars } from '../store/calendar.ts';
import type { ExistenceCheck, UniqueChange } from '../store/commit.ts';
import type { RowChanges } from '../store/directive-rows.ts';
import { type Address, locatorKey, type Row, type RowKey } from '../store/keys.ts';
import type { FurtherCharts } from '../store/pointer-rows.ts';
import type { StoredRecord } from '../store/rows.ts';
import { answered } from './answered.ts';
import type { PatientsSeen } from './bookings.ts';
import { requireClaimedProfiles } from './claimed-profiles.ts';
import type { RequestContext } from './context.ts';
import { labelled, unlessOfProgramme } from './label-write.ts';
import { chartsOf, chartsReferredTo, locate } from './locate.ts';
import { isWithdrawn, requireOwnWords } from './own-words.ts';
import type { Parsed } from './parse-body.ts';
import { requireInScope } from './require-access.ts';
import { securityContextOf } from './security-context.ts';
import { subscribed, unsubscribed } from './subscribed.ts';
import { unmasked } from './unmasked.ts';

/** A write that has passed every rule and waits for its commit. */
export interface PlannedWrite {
  readonly recordType: RecordType;
  readonly next: StoredRecord;
  readonly previous: StoredRecord | undefined;
  readonly interaction: 'create' | 'update' | 'patch' | 'delete' | 'privilege';
  readonly checks: readonly ExistenceCheck[];
  /** Charts besides its home in which the record stands. */
  readonly furtherCharts: FurtherCharts;
  /** The locator of an id that the client chose. */
  readonly claims: readonly Row[];
  /** Rows that change with it in a chart that another organisation keeps. */
  readonly besides?: RowChanges;
  /** The row that tells of content which was uploaded for it; it goes with the commit. */
  readonly upload?: RowKey;
  /** What must not have been made meanwhile, for a conditional create. */
  readonly guards: readonly UniqueChange[];
  /** What stands against the record without refusing it. What its commit finds out is added to it, before the answer is made of it. */
  readonly warnings: ValidationIssue[];
  /** Calendars of actors, and what is known of patients, that were read beside the record. */
  readonly calendars?: (KnownCalendars & { readonly patients?: PatientsSeen }) | undefined;
}

/** Where a new record will be, and under which id. */
export interface NewPlace {
  readonly address: Address;
  readonly id: string;
}

/**
 * The chart that a record belongs to: of its first patient; of a Provenance that names none, the one in which the first record is that it tells
 * of. Undefined if there is none.
 */
const homeOf = async (context: RequestContext, resource: Resource): Promise<string | undefined> => {
  const { recordType, request } = context;
  const [patient] = await chartsOf(context, recordType.patientsOf(resource));
  if (patient !== undefined || !tellsOfOthers(recordType)) return patient;
  for (const { value } of recordType.parameter('target')?.values(resource) ?? []) {
    const reference = parseReference((value as fhir4.Reference).reference ?? '', request.baseUrl);
    if (reference.kind !== 'record' || headsOwnChart(reference.type)) continue;
    const address = await locate(context, reference.type, reference.id);
    if (address && address.place !== '') return address.chart;
  }
  return undefined;
};

/** Whether records of a type belong where those are that they tell of, so that their place can be known only after theirs. */
export const tellsOfOthers = ({ name }: Pick<RecordType, 'name'>): boolean => name === 'Provenance';

/**
 * Chooses the home of a new record: the chart that it belongs to, or a collection of its own.
 *
 * @param id - chosen by the client; ours if absent.
 */
export const newPlace = async (context: RequestContext, resource: Resource, id?: string): Promise<NewPlace> => {
  const { recordType, store, now } = context;
  const home = await homeOf(context, resource);
  const type = recordType.name;
  if (home === undefined) {
    // A patient's chart stays random under any id; other records of this kind are found by their id alone.
    const chart = id === undefined || !headsOwnChart(type) ? store.ids.newChart() : id;
    return { address: { type, chart, place: '' }, id: id ?? chart };
  }
  const place = store.ids.newPlace(recordType.dateOf(resource) ?? now);
  return { address: { type, chart: home, place }, id: id ?? store.ids.idAt(home, place) };
};

/** The organisation that keeps what the caller writes into a chart. A patient writes into the chart that an organisation keeps. */
const custodianFor = async ({ asking, store }: RequestContext, chart: string): Promise<string> => {
  if (asking.caller.organization !== undefined) return asking.caller.organization;
  const patient = await store.read({ type: 'Patient', chart, place: '' });
  if (!patient)
    throw new RecordError('forbidden', 'There is no record of yours to write into', { reason: 'no-own-record' });
  return patient.custodian;
};

/** A version with what the server itself keeps in it. */
const kept = ({ recordType, now, asking }: RequestContext, before: Resource | undefined, next: Resource): Resource =>
  recordType.keeps?.(before, next, now, asking.caller) ?? next;

/** Plans a record's first version, or the one after its deletion. */
export const planCreate = async (
  context: RequestContext,
  { resource: sent, warnings }: Parsed,
  { address, id }: NewPlace,
  guards: readonly UniqueChange[] = [],
): Promise<PlannedWrite> => {
  const { recordType, now, store } = context;
  const { resource: said, notices } = await answered(
    context,
    address.chart,
    kept(context, undefined, await unmasked(context, sent)),
  );
  requireInScope(context, 'c', said);
  requireOwnWords(context, said);
  recordType.requireChange?.(undefined, said, context.asking.caller);
  const custodian = await custodianFor(context, address.chart);
  const { resource, ...besides } = await subscribed(context, said, { id, version: 1, custodian });
  const chosen = store.ids.decode(id) === undefined && address.chart !== id;
  const { version, warnings: ofLabels } = await labelled(context, { resource, custodian });
  return {
    warnings: [...warnings, ...notices, ...ofLabels, ...(await requireClaimedProfiles(context, resource))],
    recordType,
    next: { ...address, id, version: 1, updated: now, custodian, ...version },
    previous: undefined,
    interaction: 'create',
    checks: await checksFor(context, resource, version),
    furtherCharts: await furtherCharts(context, address, resource, undefined),
    claims: chosen ? [{ ...locatorKey(address.type, id), chart: address.chart, place: address.place }] : [],
    guards,
    ...besides,
  };
};

/**
 * Plans the next version of a record.
 *
 * @throws RecordError `business-rule` if it names another patient than the record's home.
 */
export const planUpdate = async (
  context: RequestContext,
  { resource: sent, warnings }: Parsed,
  current: StoredRecord,
): Promise<PlannedWrite> => {
  const { recordType, now } = context;
  const last = current.resource ?? (await beforeDeletion(context, current));
  const { resource: said, notices } = await answered(
    context,
    current.chart,
    kept(context, last, await unmasked(context, sent, current)),
    current.resource,
  );
  requireInScope(context, 'u', said);
  const withdrawn = isWithdrawn(context, current.resource, said);
  if (!withdrawn) {
    requireOwnWords(context, said);
    if (current.resource) requireOwnWords(context, current.resource);
  }
  recordType.requireChange?.(last, said, context.asking.caller);
  requireWhole(said, current);
  await requireSameHome(context, said, current);
  const { id, custodian } = current;
  const { resource, ...besides } = await subscribed(context, said, {
    id,
    version: current.version + 1,
    custodian,
    current,
  });
  const { version, warnings: ofLabels } = await labelled(context, {
    resource,
    custodian: current.custodian,
    current,
  });
  return {
    warnings: [...warnings, ...notices, ...ofLabels, ...(await requireClaimedProfiles(context, resource))],
    recordType,
    next: {
      ...current,
      version: current.version + 1,
      updated: Math.max(now, current.updated + 1), // versions never run backwards, whatever the clocks say
      ...version,
      shown: shownPlace(context, resource, current),
    },
    previous: current,
    interaction: 'update',
    // What somebody else has named in it, the patient may not know of.
    checks: withdrawn ? [] : await checksFor(context, resource, version, current.resource),
    furtherCharts: await furtherCharts(context, current, resource, current.resource),
    claims: [],
    guards: [],
    ...besides,
  };
};

/** What a deleted record said last, where a rule goes by that: who deletes a record and writes it anew does not begin anew. One call, for such alone. */
const beforeDeletion = async (
  { recordType, store }: RequestContext,
  current: StoredRecord,
): Promise<Resource | undefined> =>
  recordType.requireChange || recordType.keeps
    ? (await store.readVersion(current, current.version - 1))?.resource
    : undefined;

/**
 * Plans the next version of a record with another `meta`. What the record says was judged when it was written: only the profiles that it now claims
 * besides may stand against it.
 */
export const planLabels = async (
  context: RequestContext,
  current: StoredRecord & { readonly resource: Resource },
  resource: Resource,
): Promise<PlannedWrite> => {
  const claimed = new Set(current.resource.meta?.profile);
  const claims = (resource.meta?.profile ?? []).some((profile) => !claimed.has(profile));
  const { version, warnings } = await labelled(context, {
    resource,
    custodian: current.custodian,
    current,
    labelsAlone: true,
  });
  return {
    warnings: [...warnings, ...(claims ? await requireClaimedProfiles(context, resource) : [])],
    recordType: context.recordType,
    next: {
      ...current,
      version: current.version + 1,
      updated: Math.max(context.now, current.updated + 1),
      ...version,
    },
    previous: current,
    interaction: 'update',
    checks: [],
    furtherCharts: await furtherCharts(context, current, resource, current.resource),
    claims: [],
    guards: [],
  };
};

/** Plans the version that deletes a record. */
export const planDelete = async (context: RequestContext, current: StoredRecord): Promise<PlannedWrite> => {
  if (current.resource) context.recordType.requireChange?.(current.resource, undefined, context.asking.caller);
  return {
    recordType: context.recordType,
    next: {
      ...current,
      version: current.version + 1,
      updated: Math.max(context.now, current.updated + 1),
      resource: undefined,
      shown: undefined,
    },
    previous: current,
    interaction: 'delete',
    checks: [],
    furtherCharts: await furtherCharts(context, current, undefined, current.resource),
    claims: [],
    guards: [],
    warnings: [],
    ...(await unsubscribed(current)),
  };
};

/** Where charts show a version whose date is another one than at its creation. One that has lost its date stays where it was created. */
const shownPlace = (
  { recordType, store }: RequestContext,
  resource: Resource,
  { place }: Address,
): string | undefined => {
  const date = place === '' ? undefined : recordType.dateOf(resource);
  const shown = date === undefined ? place : store.ids.movedPlace(place, date);
  return shown === place ? undefined : shown;
};

/**
 * Requires that what replaces a record is not a part of one, as searches and reads give it: what it lacks would be lost.
 * https://hl7.org/fhir/R4/search.html#summary
 */
const requireWhole = (resource: Resource, { type, resource: current }: StoredRecord): void => {
  if (!current || isSubsetted(current) || !isSubsetted(resource)) return;
  throw new RecordError('business-rule', 'This is marked as a part of a resource; read the whole and change that', {
    reason: 'subsetted',
    expression: `${type}.meta.tag`,
  });
};

/** A record's home never changes: a record in the wrong chart is entered in error there and written anew in the right one. */
export const requireSameHome = async (
  context: RequestContext,
  resource: Resource,
  current: StoredRecord,
): Promise<void> => {
  const [patient] = await chartsOf(context, context.recordType.patientsOf(resource));
  const isSame =
    current.place === ''
      ? patient === undefined || patient === current.chart
      : current.chart === (patient ?? (await homeOf(context, resource)));
  if (isSame) return;
  throw new RecordError(
    'business-rule',
    'A record cannot be moved to another patient, nor given one or taken from one',
    {
      reason: 'patient-changed',
      expression: `${current.type}.${current.type === 'Patient' ? 'id' : 'subject'}`,
    },
  );
};

/** Charts besides its home in which either version of a record stands: of its patients, and of what it refers to. */
export const furtherCharts = async (
  context: Parameters<typeof chartsOf>[0] & { readonly recordType: Pick<RecordType, 'patientsOf'> },
  { chart }: Address,
  next: Resource | undefined,
  previous: Resource | undefined,
): Promise<FurtherCharts> => {
  const besides = async (resource: Resource | undefined) => {
    if (!resource) return { patients: [], mentioned: [] };
    const patients = await chartsOf(context, context.recordType.patientsOf(resource));
    const own = [chart, ...patients];
    return {
      patients: patients.filter((other) => other !== chart),
      mentioned: (await chartsReferredTo(context, resource)).filter((other) => !own.includes(other)),
    };
  };
  const [after, before] = [await besides(next), await besides(previous)];
  return {
    next: after.patients,
    previous: before.patients,
    mentioned: { next: after.mentioned, previous: before.mentioned },
  };
};

/** @throws RecordError `invalid` naming the element of each reference that leads nowhere. */
const checksFor = async (
  context: RequestContext,
  resource: Resource,
  { labels }: Pick<StoredRecord, 'labels'>,
  before?: Resource,
): Promise<readonly ExistenceCheck[]> => {
  const { broken, checks } = await judgeReferences(context, resource, before);
  if (broken.length > 0) throw referenceError(broken);
  return [...checks].map(([name, check]) => unlessOfProgramme(context, labels, name, check));
};

/** References of a resource: where those are that lead nowhere, and what must exist for the others. */
export interface JudgedReferences {
  readonly broken: readonly { readonly expression: string; readonly message: string }[];
  /** By `Type/id`. */
  readonly checks: ReadonlyMap<string, ExistenceCheck>;
  /** Whether some were not looked up, for the request must not tell of such records. */
  readonly unseen: boolean;
}

/**
 * What a resource refers to, as conditions of its write.
 *
 * @param resource - perhaps one with another structure than R4 gives its type.
 * @param before - what the record says so far, as far as the caller may see it: what it refers to is no news.
 * @see https://hl7.org/fhir/R4/references.html
 */
export const judgeReferences = async (
  context: RequestContext,
  resource: Resource,
  before?: Resource,
): Promise<JudgedReferences> => {
  const { asking, known, request } = context;
  const contained = new Set(((resource.contained as { id?: string }[] | undefined) ?? []).map(({ id }) => id));
  const broken: { expression: string; message: string }[] = [];
  const checks = new Map<string, ExistenceCheck>();
  const unknown = new Set<string>();
  let unseen = false;
  const rights = 'Binary.securityContext.reference';
  const unclear = securityContextOf(context, resource) === 'not-understood';
  if (unclear) broken.push({ expression: rights, message: unclearContext });
  for (const { reference, expression } of referencesIn(resource)) {
    if (broken.length >= mostBroken) break;
    if (unclear && expression === rights) continue;
    const parsed = parseReference(reference, request.baseUrl);
    if (parsed.kind === 'foreign') continue;
    if (parsed.kind === 'contained') {
      if (parsed.id !== '' && !contained.has(parsed.id))
        broken.push({ expression, message: 'No contained resource has this id' });
    } else if (parsed.kind === 'urn') {
      broken.push({ expression, message: 'The reference names no entry of this bundle' });
    } else if (parsed.kind === 'conditional') {
      broken.push({ expression, message: 'A conditional reference is only possible in a transaction' });
    } else if (parsed.kind === 'malformed') {
      broken.push({ expression, message: 'A reference is Type/id, an absolute URL, #id or, in a bundle, urn:uuid:…' });
    } else {
      const name = `${parsed.type}/${parsed.id}`;
      if (known.has(name) || checks.has(name) || unknown.has(name)) continue;
      if (context.unseen?.(parsed.type, parsed.id)) {
        unseen = true;
        continue;
      }
      const address = await locate(context, parsed.type, parsed.id);
      // Who acts for a patient writes in the own name, which may be a patient's elsewhere.
      const isForeign =
        asking.caller.organization === undefined &&
        name !== asking.caller.fhirUser &&
        ((!isDirectory(parsed.type) && address?.chart !== asking.chart) || asking.proxy?.hidesName(name));
      if (!address || isForeign) {
        unknown.add(name);
        broken.push({ expression, message: missingReference });
      } else checks.set(name, { address, custodian: custodianNeeded(context, parsed.type), label: expression });
    }
  }
  // An attachment is no reference, and would open the Binary that it names to who acts for the patient.
  const { proxy } = asking;
  if (proxy?.conceals && addressesIn(resource).some(({ name }) => name.startsWith('Binary/') && proxy.hidesName(name)))
    broken.push({ expression: resource.resourceType, message: missingReference });
  const kept = new Set(before && recordsNamedIn(before, request.baseUrl));
  for (const [name, { label }] of await outOfScope(
    context,
    [...checks].filter(([each]) => !kept.has(each)),
  )) {
    checks.delete(name);
    broken.push({ expression: label, message: missingReference });
  }
  return { broken: broken.slice(0, mostBroken), checks, unseen };
};

/** Those of these records that a narrowed scope leaves out, so that they are as if they did not exist. One call a hundred of such types. */
const outOfScope = async (
  { asking: { caller }, store }: RequestContext,
  named: readonly (readonly [name: string, check: ExistenceCheck])[],
): Promise<(readonly [name: string, check: ExistenceCheck])[]> => {
  const asked = named.filter(
    ([, { address }]) => isScoped(caller, 'r', address.type) && isNarrowed(caller, 'r', address.type),
  );
  const records = asked.length === 0 ? [] : await store.readMany(asked.map(([, { address }]) => address));
  const within = new Set(
    records.flatMap((record) =>
      record.resource && isInScope(caller, 'r', record.type, record.resource) ? [keyOf(record)] : [],
    ),
  );
  return asked.filter(([, { address }]) => !within.has(keyOf(address)));
};

const keyOf = ({ type, chart, place }: Address): string => `${type} ${chart} ${place}`;

const unclearContext = 'A security context names a record of this server, other than a Binary, by its reference';

/** Broken references that are named: whoever mends these sees the next. Each may take a call to find out. */
const mostBroken = 50;

const custodianNeeded = ({ asking }: RequestContext, type: string): string | undefined =>
  isDirectory(type) ? undefined : asking.caller.organization;

const missingReference = 'The reference names no record that you may refer to';

/** The refusal of references that lead nowhere, or nowhere that the caller may know of. */
export const referenceError = (broken: readonly { expression: string; message?: string }[]): RecordError =>
  new RecordError('invalid', missingReference, {
    reason: 'reference-not-found',
    details: broken.map(({ expression, message }) => ({
      expression,
      message: message ?? missingReference,
      code: 'not-found',
    })),
  });
