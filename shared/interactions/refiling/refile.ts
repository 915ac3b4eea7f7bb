import type { Role } from '../../access/caller.ts';
import { RecordError } from '../../errors.ts';
import { addressesIn } from '../../fhir/addresses.ts';
import { parseReference, recordsNamedIn, referencesIn } from '../../fhir/references.ts';
import type { Resource } from '../../fhir/resource.ts';
import { isReplaced } from '../../people/links.ts';
import type { RecordType } from '../../record-types/define-record-type.ts';
import { factsOfType, isDirectory } from '../../record-types/subjects.ts';
import { copyOf, type IsTheirs, isPart, refiledAs } from '../../refiling/copy.ts';
import { linkedWith } from '../../store/chart-links.ts';
import { inParallel } from '../../store/in-parallel.ts';
import type { Address } from '../../store/keys.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { requestUnanswered, taskUnanswered } from '../../work/answered-request.ts';
import type { Answer, RequestContext } from '../context.ts';
import { lookAround, referredTo, referringTo } from '../delete.ts';
import { locate } from '../locate.ts';
import { lookAgain } from '../look-again.ts';
import { lookAt } from '../look-at.ts';
import { carriedOutOnce } from '../once.ts';
import { readInput } from '../operation-input.ts';
import { systemOf } from '../own-system.ts';
import { type NewPlace, newPlace, type PlannedWrite, planCreate, planDelete } from '../plan-write.ts';
import { named } from '../record-named.ts';
import { type ReadableRecord, recordToChange } from '../record-to-change.ts';
import { mayAccess, notFound, requireReadable, requireTypeAccess } from '../require-access.ts';
import { GuardFailed, save } from '../save.ts';
import { requireAlone } from '../uploading/alone.ts';
import { refileInput } from './input.ts';
import { originOf, toldOfRefiling } from './told.ts';

/** Who moves a record: who writes such records in person. */
const refilers: ReadonlySet<Role> = new Set(['physician', 'nurse', 'pharmacist', 'lab']);

/** Records that are refiled together. For each, its chart is read, to see what refers to it. */
const mostRecords = 50;
/** How many of them are looked around at once: each look holds pages of the chart. */
const concurrency = 8;
const [fewestLetters, mostLetters] = [10, 500];

type TypeNamed = (name: string) => RecordType | undefined;
type SystemContext = Omit<RequestContext, 'recordType'>;

/**
 * `POST $refile`: records stand in the wrong chart. In one transaction each is sealed there, in all its versions and for everybody; a copy stands in the right chart, under an id that tells nothing of the wrong one, with its
 * Provenance; and those who have seen it are told. What refers to one of them has to come along, so that nothing dangles.
 *
 * @throws RecordError `forbidden`, `not-found`, `invalid`; `business-rule` `not-refiled` for what cannot be refiled; `conflict` `referenced`, naming what else refers to it, as far as the caller may see that.
 */
export const refile = (context: SystemContext, typeNamed: TypeNamed): Promise<Answer> => {
  requireAlone(context);
  const { asking } = context;
  const input = readInput(context, refileInput);
  if (!asking.caller.roles.some((role) => refilers.has(role)))
    throw new RecordError('forbidden', 'Records are refiled by who writes such records', { reason: 'forbidden-role' });
  const reason = input.reason.trim();
  if (reason.length < fewestLetters || reason.length > mostLetters)
    throw new RecordError('invalid', `The reason has ${fewestLetters} to ${mostLetters} letters`, {
      expression: 'reason',
    });
  const names = [...new Set(input.record.map((each) => named(context, each, 'record')))];
  if (names.length > mostRecords)
    throw new RecordError('too-costly', `At most ${mostRecords} records are refiled together`, {
      expression: 'record',
    });
  const patient = named(context, input.patient, 'patient', 'Patient');
  const types = names.map((name) => {
    const recordType = typeNamed(typeIn(name));
    if (!recordType)
      throw new RecordError('invalid', 'This is a reference to a record of this server', { expression: 'record' });
    requireTypeAccess({ ...context, recordType }, actionOn(recordType));
    if (refiledAs(recordType) === 'copy') requireTypeAccess({ ...context, recordType }, 'c');
    return recordType;
  });
  return carriedOutOnce(context, {
    work: (own) => lookAgain(() => refiled(own, { typeNamed, names, types, patient, reason })),
    answersOf: (answer) => [answer],
    repeat: async ([kept]) => {
      if (!kept) throw new Error('No answer was kept for the request');
      return kept;
    },
  });
};

interface Refiling {
  readonly typeNamed: TypeNamed;
  readonly names: readonly string[];
  /** Of each name. */
  readonly types: readonly RecordType[];
  /** `Patient/id` of the right one. */
  readonly patient: string;
  readonly reason: string;
}

/** A record in the wrong chart, and its type without the rule about what may become of it: whatever it says, it is not this patient's. */
interface Misfiled {
  readonly name: string;
  readonly record: ReadableRecord;
  readonly recordType: RecordType;
}

const refiled = async (
  context: SystemContext,
  { typeNamed, names, types, patient, reason }: Refiling,
): Promise<Answer> => {
  const known = (name: string): RecordType => {
    const recordType = typeNamed(name);
    if (!recordType) throw new Error(`${name} is not served here`);
    return recordType;
  };
  const right = await rightPatient({ ...context, recordType: known('Patient') }, patient);
  const misfiled = await Promise.all(
    types.map(async (recordType, index): Promise<Misfiled> => {
      const name = names[index] ?? '';
      const request = { ...context.request, ifMatch: undefined };
      const own = { ...context, recordType, request };
      const record =
        actionOn(recordType) === 'u' ? await recordToChange(own, idIn(name), '$refile') : await recordToRead(own, name);
      return { name, record, recordType };
    }),
  );
  const wrong = await wrongCharts(context, misfiled, right);
  for (const each of misfiled) {
    requireRefilable(context, each);
    if (refiledAs(each.recordType) === 'remark') requireAbout(context, each, new Set(names));
  }
  const together = new Set(names);
  const sealed = await inParallel(concurrency, misfiled, (each) => sealing(context, each, together));
  const copied = misfiled.filter(({ recordType }) => refiledAs(recordType) === 'copy');
  if (copied.length === 0) throw notRefiled('record', 'What only says something of a record is refiled with that');
  const copies = await copiesOf(context, copied, wrong, patient);
  const origin = originOf(context, { copies: copies.map(({ next }) => `${next.type}/${next.id}`), reason });
  const made = new Map<string, Address>(copies.map(({ next }) => [`${next.type}/${next.id}`, next]));
  // Whom it names stands in the token, or keeps the record.
  const own = { ...context, recordType: known('Provenance'), known: made, unseen: isDirectory };
  const told = [
    await planCreate(own, { resource: origin.resource, warnings: [] }, await newPlace(own, origin.resource)),
    ...(await toldOfRefiling(
      { ...context, recordType: known('Task') },
      misfiled.map(({ record }) => record),
      origin.number,
    )),
  ];
  const answer: Answer = {
    statusCode: 200,
    resource: {
      resourceType: 'Parameters',
      parameter: copies.map(({ next }) => ({
        name: 'record',
        valueReference: { reference: `${next.type}/${next.id}` },
      })),
    },
  };
  await save(context, [...sealed, ...copies, ...told], () => [answer]);
  return answer;
};

/** Nobody changes a Provenance; it goes with what it tells of. */
const actionOn = ({ name }: RecordType): 'r' | 'u' => (name === 'Provenance' ? 'r' : 'u');

/** The record, if the caller may read it. The look at it leaves its trace. @throws RecordError `not-found`, `deleted`. */
const recordToRead = async (own: RequestContext, name: string): Promise<ReadableRecord> => {
  const address = await locate(own, typeIn(name), idIn(name));
  if (!address) throw notFound(own);
  const look = {
    interaction: 'operation',
    what: [name],
    query: '$refile',
    may: (last: StoredRecord) => mayAccess(own, 'r', last),
  } as const;
  return requireReadable(
    own,
    await lookAt(own, address, look, (shown) => void requireReadable(own, shown)),
  ) as ReadableRecord;
};

/** The right patient, whom the caller has to know. @throws RecordError `not-found`; `business-rule` for one whom another record replaces. */
const rightPatient = async (own: RequestContext, name: string): Promise<StoredRecord> => {
  const record = await recordToRead(own, name);
  if (isReplaced(record.resource)) throw notRefiled('patient', 'Another record stands for this patient; name that one');
  return record;
};

/** The chart that the records are in, and those that a merge has made one with it. */
const wrongCharts = async (
  { store }: SystemContext,
  misfiled: readonly Misfiled[],
  right: StoredRecord,
): Promise<ReadonlySet<string>> => {
  const [chart = '', ...others] = new Set(misfiled.map(({ record }) => record.chart));
  if (others.length > 0) throw notRefiled('record', 'What is refiled together is in one chart');
  const wrong = new Set([chart, ...(await linkedWith(store, chart)).map((linked) => linked.chart)]);
  if (wrong.has(right.chart)) throw notRefiled('patient', 'The record is in the chart of this patient');
  return wrong;
};

/** @throws RecordError `business-rule` for what stays where it is, and says why. */
const requireRefilable = (context: SystemContext, { name, record, recordType }: Misfiled): void => {
  const refuse = (message: string) => notRefiled(name, message);
  if (refiledAs(recordType) === undefined || record.place === '')
    throw refuse('Records of this type stay where they are: end or cancel it, and write it anew for the right patient');
  if (record.custodian !== context.asking.caller.organization) throw notFound({ recordType });
  if (record.withheld) throw refuse('The record is withheld from its patient; release it before');
  if (new Set(recordType.patientsOf(record.resource)).size > 1) throw refuse('The record is of several patients');
  const { contained = [] } = record.resource as unknown as fhir4.DomainResource;
  if (contained.some(({ resourceType }) => resourceType === 'Patient' || resourceType === 'RelatedPerson'))
    throw refuse('The record has a person of its own in it; write it anew for the right patient');
  if (addressesIn(record.resource).some((address) => address.name.startsWith('Binary/')))
    throw refuse('The record names content that is kept beside it; write it anew, with its content');
};

/** What says something of a record goes with that, and only then: a Provenance with all that it tells of. */
const requireAbout = ({ request }: SystemContext, { name, record }: Misfiled, together: ReadonlySet<string>): void => {
  const { target } = record.resource as unknown as Partial<fhir4.Provenance>;
  const targets = target ? recordsNamedIn({ resourceType: record.type, target } as Resource, request.baseUrl) : [];
  const all = recordsNamedIn(record.resource, request.baseUrl);
  if (!targets.every((each) => together.has(each)) || !all.some((each) => together.has(each)))
    throw notRefiled(name, 'It says something of other records, too, or of none of these');
};

/** The version behind which nothing of a record is shown. @throws RecordError `conflict` if anything else refers to it. */
const sealing = async (
  context: SystemContext,
  { record, recordType }: Misfiled,
  together: ReadonlySet<string>,
): Promise<PlannedWrite> => {
  const { requireChange: _stays, ...free } = recordType;
  const own = { ...context, recordType: free };
  const { current, pages } = await lookAround(own, record);
  if (current?.version !== record.version) throw new GuardFailed();
  const found = await referringTo(own, current, pages, together, mostRecords);
  const referring = found.filter((each) => !isWithdrawnFrom(context, { record, recordType }, each));
  if (referring.length > 0) throw await referredToBy(context, referring);
  const plan = await planDelete(own, current);
  return { ...plan, recordType, next: { ...plan.next, misfiled: true } };
};

/** Whether a request, or a task to fulfil it, names the record only as what has answered it: that is taken back in the same transaction (request-answers.lazy.ts). */
const isWithdrawnFrom = (
  { now, policy, request: { baseUrl } }: SystemContext,
  { record, recordType }: Omit<Misfiled, 'name'>,
  { type, custodian, resource }: StoredRecord,
): boolean => {
  const name = `${record.type}/${record.id}`;
  const change = { name, before: record.resource, next: undefined, custodian: record.custodian, now, baseUrl, policy };
  const answers = recordType.raises?.(change).some((raised) => 'request' in raised && raised.answer === 'withdrawn');
  if (!answers || !resource || custodian !== record.custodian) return false;
  const after =
    type === 'ServiceRequest'
      ? requestUnanswered(resource, name)
      : type === 'Task'
        ? taskUnanswered(resource, name, { reopened: false, now })
        : resource;
  return !recordsNamedIn(after, baseUrl).includes(name);
};

/** Names what refers to it as far as the caller may see it: that something does is no secret (docs/access.md). */
const referredToBy = async (context: SystemContext, referring: readonly StoredRecord[]): Promise<RecordError> => {
  await context.sharing.lookUp(referring);
  const seen = referring.filter((record) =>
    mayAccess({ ...context, recordType: factsOfType(record.type) }, 'r', record),
  );
  if (seen.length === 0) return referredTo();
  return new RecordError('conflict', 'Other records refer to it: refile these together', {
    reason: 'referenced',
    details: seen.map(({ type, id }) => ({ expression: 'record', message: `${type}/${id}` })),
  });
};

const copiesOf = async (
  context: SystemContext,
  misfiled: readonly Misfiled[],
  wrong: ReadonlySet<string>,
  patient: string,
): Promise<PlannedWrite[]> => {
  const { baseUrl } = context.request;
  const [elsewhere, isTheirs] = await Promise.all([addressesNamed(context, misfiled), numbersOf(context, wrong)]);
  const isWrong = (name: string) => wrong.has(elsewhere.get(name)?.chart ?? '');
  const places = new Map<string, NewPlace>();
  const known = new Map(context.known);
  const standing = (name: string): string | undefined => {
    const place = places.get(name);
    if (place) return `${typeIn(name)}/${place.id}`;
    if (!isWrong(name)) return undefined;
    return typeIn(name) === 'Patient' ? patient : 'left-out';
  };
  // A place follows from the chart alone, so all names are given before any copy is made.
  for (const { name, record, recordType } of misfiled) {
    requireParts(
      context,
      { name, record, recordType },
      (part) => isWrong(part) && !misfiled.some((each) => each.name === part),
    );
    const place = await newPlace({ ...context, recordType }, copyOf(record.resource, standing, isTheirs));
    places.set(name, place);
    known.set(`${recordType.name}/${place.id}`, place.address);
  }
  return Promise.all(
    misfiled.map(async ({ name, record, recordType }) => {
      const place = places.get(name);
      if (!place) throw new Error('A copy has no place');
      const resource = copyOf(record.resource, standing, isTheirs);
      requireNothingLeft(name, resource, isWrong, baseUrl);
      const own = { ...context, recordType: asTold(context, recordType, record), known };
      return planCreate(own, { resource, warnings: [] }, place);
    }),
  );
};

/** By which numbers the patients of these charts are known. */
const numbersOf = async ({ store }: SystemContext, charts: ReadonlySet<string>): Promise<IsTheirs> => {
  const patients = await store.whole.readMany([...charts].map((chart) => ({ type: 'Patient', chart, place: '' })));
  const keyOf = ({ system = '', value }: fhir4.Identifier) => `${system}|${value}`;
  const numbers = new Set(
    patients.flatMap(({ resource }) => ((resource as fhir4.Patient | undefined)?.identifier ?? []).map(keyOf)),
  );
  return (number) => number.value !== undefined && numbers.has(keyOf(number));
};

/**
 * The type by which a copy is judged. What it says was told of somebody by now, so it is a fact: what people may not write at first, such as a time that cannot be, is stored and
 * flagged, as where an organisation's own system tells it. Else it would stay in the wrong chart.
 */
const asTold = (
  context: SystemContext,
  { requireChange: _byHand, ...recordType }: RecordType,
  { custodian }: StoredRecord,
): RecordType => {
  const { caller } = systemOf(context, custodian);
  return {
    ...recordType,
    ...(recordType.keeps
      ? { keeps: (before, next, now) => recordType.keeps?.(before, next, now, caller) ?? next }
      : {}),
  };
};

/** Where what the records name is. */
const addressesNamed = async (
  context: SystemContext,
  misfiled: readonly Misfiled[],
): Promise<ReadonlyMap<string, Address>> => {
  const names = new Set(misfiled.flatMap(({ record }) => allNamesIn(record.resource, context.request.baseUrl)));
  const found = await Promise.all(
    [...names].map(async (name) => [name, await locate(context, typeIn(name), idIn(name))] as const),
  );
  return new Map(found.flatMap(([name, address]) => (address ? [[name, address] as const] : [])));
};

const allNamesIn = (resource: Resource, baseUrl: string): string[] => [
  ...recordsNamedIn(resource, baseUrl),
  ...addressesIn(resource).map(({ name }) => name),
];

/** A record that consists of others is moved with these, or not at all. */
const requireParts = (
  { request }: SystemContext,
  { name, record }: Misfiled,
  isMissing: (name: string) => boolean,
): void => {
  const missing = referencesIn(record.resource).flatMap(({ reference, expression }) => {
    const parsed = parseReference(reference, request.baseUrl);
    const part = parsed.kind === 'record' ? `${parsed.type}/${parsed.id}` : undefined;
    return part !== undefined && isPart(expression) && isMissing(part) ? [part] : [];
  });
  if (missing.length > 0)
    throw notRefiled(name, `It consists of others: refile these together: ${[...new Set(missing)].join(', ')}`);
};

/** Whatever still leads into the wrong chart, such as an address in an extension, would tell whose it was. */
const requireNothingLeft = (
  name: string,
  copy: Resource,
  isWrong: (name: string) => boolean,
  baseUrl: string,
): void => {
  if (allNamesIn(copy, baseUrl).some(isWrong))
    throw notRefiled(
      name,
      'The record leads into the chart by more than references; write it anew for the right patient',
    );
};

const typeIn = (name: string): string => name.slice(0, name.indexOf('/'));
const idIn = (name: string): string => name.slice(name.indexOf('/') + 1);

const notRefiled = (expression: string, message: string) =>
  new RecordError('business-rule', message, { reason: 'not-refiled', expression });
