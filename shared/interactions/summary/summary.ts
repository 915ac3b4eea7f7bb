import { randomUUID } from 'node:crypto';
import { RecordError } from '../../errors.ts';
import { changed } from '../../fhir/masks.ts';
import { parseReference, recordsNamedIn } from '../../fhir/references.ts';
import type { Resource } from '../../fhir/resource.ts';
import { careTimeOf } from '../../record-types/care-dates.ts';
import { factsOfType } from '../../record-types/subjects.ts';
import type { linkedPage } from '../../store/linked-page.ts';
import { jsonBytesOf, presented, type StoredRecord } from '../../store/rows.ts';
import { lineOf, narrative } from '../../summary/narrative.ts';
import { kindOfResult, type Section, sectionOf, sections } from '../../summary/sections.ts';
import type { Answer, RequestContext } from '../context.ts';
import { addressed, traceOthers } from '../everything/everything.ts';
import { mayRead, readNamed } from '../everything/referenced.ts';
import { readInput } from '../operation-input.ts';
import { requireReadable, requireTypeAccess } from '../require-access.ts';
import { callsPerPage } from '../search/run.ts';
import { coverage, largestPageBytes, weightOf } from '../searchset.ts';
import { summaryInput } from './input.ts';

const profile = 'http://hl7.org/fhir/uv/ips/StructureDefinition/Bundle-uv-ips';
const uriSystem = 'urn:ietf:rfc:3986';
const loinc = 'http://loinc.org';

/** Without a right to these a summary would say of what every summary has to tell that nothing is there. */
const neededTypes = ['Patient', 'AllergyIntolerance', 'Condition', 'MedicationRequest', 'MedicationStatement'];

/** What comes along with the records of the sections; of all else that they name, the display alone stays. */
const comingTypes: ReadonlySet<string> = new Set(
  'Device Location Medication Observation Organization Patient Practitioner PractitionerRole Specimen'.split(' '),
);
const mostComing = 1_000;
/** JSON of what is held while a chart is read, in bytes: some times what an answer holds, since newer records take the place of others. A function has 1 GB. */
const mostHeld = 12_000_000;

/** The same words for everybody, whether or not anything was left out. */
const asFarAsVisible =
  'This summary holds what its reader may see of the chart. There may be more: what is not listed here may still be so.';

/**
 * `Patient/{id}/$summary`: an International Patient Summary, a document made of the chart as its reader may see it. One Query of the chart, one more for each megabyte; one BatchGet for
 * what the entries name.
 *
 * @throws RecordError `not-found` or `deleted`, as a read of the patient; `forbidden` for who may not read what every summary has; `too-costly` if it is too much for an answer, since a document has no pages.
 * @see https://hl7.org/fhir/uv/ips/OperationDefinition-summary.html
 */
export const summaryOf = async (context: RequestContext, id: string, readPage: typeof linkedPage): Promise<Answer> => {
  for (const type of neededTypes) requireTypeAccess({ ...context, recordType: factsOfType(type) }, 'r');
  if (context.store.isReduced)
    throw new RecordError('forbidden', 'Your role does not allow taking out a whole chart', {
      reason: 'forbidden-role',
    });
  const { profile: asked } = readInput(context, summaryInput);
  if (asked !== undefined && asked !== profile)
    throw new RecordError('invalid', `Summaries are of the profile ${profile}`, {
      reason: 'not-supported',
      expression: 'profile',
    });
  const address = await addressed(context, id);
  const name = `Patient/${id}`;
  const { patient, kept } = await context.audit.traced(
    { interaction: 'operation', chart: address.chart, what: [name], query: `${name}/$summary` },
    async () => {
      const about = context.sharing.read(address);
      const mayGoOn = async () => {
        const found = await about;
        return found?.resource !== undefined && mayRead(context, found);
      };
      const [found, chart] = await Promise.all([about, keptOf(context, address.chart, readPage, mayGoOn)]);
      return { patient: found, kept: chart };
    },
    ({ patient: found }) => void requireReadable(context, found),
  );
  const about = requireReadable(context, patient);
  const entries = [...kept.values()].flat();
  const others = await comingWith(context, about, entries);
  await traceOthers(context, [...entries, ...others], address.chart, 'Patient/$summary');
  await context.view.prepare([about, ...others]);
  return { statusCode: 200, resource: documentOf(context, about, kept, others) };
};

type Kept = ReadonlyMap<Section, readonly StoredRecord[]>;

/** What the sections hold, each in its order, the newest first. */
const keptOf = async (
  context: RequestContext,
  chart: string,
  readPage: typeof linkedPage,
  mayGoOn: () => Promise<boolean>,
): Promise<Kept> => {
  const found = new Map(sections.map((section) => [section, new Map<string, StoredRecord>()] as const));
  let page: Awaited<ReturnType<typeof linkedPage>> | undefined;
  for (let calls = 1; page === undefined || page.next !== undefined; calls++) {
    if (calls > callsPerPage) throw tooMuch();
    page = await readPage(context.store, chart, undefined, { order: 'key-order', after: page?.next }, page?.linked);
    const wanted = page.items.map(({ record }) => record).filter(({ resource }) => resource && sectionOf(resource));
    await context.sharing.lookUp(wanted);
    const readable = wanted.filter((record) => mayRead(context, record));
    await context.view.prepare(readable);
    for (const record of readable) {
      // Whatever is not shown decides nothing.
      const shown = context.view.of(record).resource;
      const section = shown && sectionOf(shown);
      const held = section && found.get(section);
      if (!held) continue;
      const key = section.latest ? kindOfResult(shown) : `${record.type}/${record.id}`;
      const other = held.get(key);
      if (!other || compareTimes(other, record) > 0) held.set(key, record);
    }
    if (page.next !== undefined && !(await mayGoOn())) break;
    if ([...found].flatMap(newestOf).reduce((sum, record) => sum + jsonBytesOf(record), 0) > mostHeld) throw tooMuch();
  }
  return new Map([...found].map((each) => [each[0], newestOf(each)]));
};

/** What a section shows of what was found, and nothing else is held any more. */
const newestOf = ([{ most }, held]: [Section, Map<string, StoredRecord>]): readonly StoredRecord[] => {
  const newest = [...held].sort(([, one], [, other]) => compareTimes(one, other));
  for (const [key] of most === undefined ? [] : newest.splice(most)) held.delete(key);
  return newest.map(([, record]) => record);
};

/** When it was, in milliseconds since 1970; when it was written where it does not tell. */
const timeOf = ({ resource, updated }: StoredRecord): number => {
  const { start = Number.NaN, end = Number.NaN } = (resource && careTimeOf(resource)) ?? {};
  return [start, end].find(Number.isFinite) ?? updated;
};

/** Less than 0 if the first of two is newer; of two of one time, which most days alone tell, the one that was written last. */
const compareTimes = (one: StoredRecord, other: StoredRecord): number =>
  timeOf(other) - timeOf(one) || other.updated - one.updated;

/** What the records of the sections name, as far as the reader may read it and a document has room: a step, and one more for panels and roles. */
const comingWith = async (
  context: RequestContext,
  patient: StoredRecord,
  entries: readonly StoredRecord[],
): Promise<StoredRecord[]> => {
  const { baseUrl } = context.request;
  const known = new Set([patient, ...entries].map(nameOf));
  const coming = new Map<string, StoredRecord>();
  let bytes = [patient, ...entries].reduce((sum, { resource }) => sum + weightOf(resource ?? {}), 0);
  if (bytes > largestPageBytes) throw tooMuch();
  const anything = { address: () => true, record: () => true };
  let from: readonly StoredRecord[] = [patient, ...entries];
  const more = [`Organization/${patient.custodian}`];
  for (let step = 0; step < 2 && from.length > 0; step++) {
    const named = from.flatMap((record) => recordsNamedIn(context.view.of(record).resource ?? noResource, baseUrl));
    const fresh = [...new Set([...more.splice(0), ...named])].filter(
      (each) => comingTypes.has(each.slice(0, each.indexOf('/'))) && !known.has(each) && !coming.has(each),
    );
    const read = await readNamed(context, fresh.slice(0, mostComing - coming.size), anything);
    const found = [...read.values()].filter((record) => record !== undefined);
    await context.view.prepare(found);
    from = found.filter(({ resource }) => {
      bytes += weightOf(resource ?? {});
      return bytes <= largestPageBytes;
    });
    for (const record of from) coming.set(nameOf(record), record);
  }
  return [...coming.values()];
};

const noResource: Resource = { resourceType: 'Basic' };
const nameOf = ({ type, id }: StoredRecord): string => `${type}/${id}`;

const documentOf = (
  context: RequestContext,
  patient: StoredRecord,
  kept: Kept,
  others: readonly StoredRecord[],
): fhir4.Bundle => {
  const { baseUrl } = context.request;
  const time = new Date(context.now).toISOString();
  const records = [patient, ...new Set([...kept.values()].flat()), ...others];
  const held = new Set(records.map(nameOf));
  const shown = new Map(
    records.map((record) => [nameOf(record), within(presented(context.view.of(record)), held, baseUrl)]),
  );
  const security = labelsOf([...shown.values()]);
  const meta: fhir4.Meta = { ...coverage, ...(security.length > 0 ? { security } : {}) };
  const [documentId, deviceId] = [randomUUID(), randomUUID()];
  const custodian = `Organization/${patient.custodian}`;
  const composition: fhir4.Composition = {
    resourceType: 'Composition',
    id: documentId,
    meta: { ...meta, profile: ['http://hl7.org/fhir/uv/ips/StructureDefinition/Composition-uv-ips'] },
    text: narrative([`Patient summary of ${time}.`, asFarAsVisible]),
    identifier: { system: uriSystem, value: `urn:uuid:${documentId}` },
    status: 'final',
    type: { coding: [{ system: loinc, code: '60591-5', display: 'Patient summary Document' }] },
    subject: { reference: `${baseUrl}/${nameOf(patient)}` },
    date: time,
    author: [{ reference: `urn:uuid:${deviceId}`, display: 'Concord' }],
    title: 'Patient summary',
    ...(held.has(custodian) ? { custodian: { reference: `${baseUrl}/${custodian}` } } : {}),
    section: sections.flatMap((section) => shownSection(section, kept.get(section) ?? [], shown, baseUrl)),
  };
  const device: fhir4.Device = {
    resourceType: 'Device',
    id: deviceId,
    deviceName: [{ name: 'Concord', type: 'manufacturer-name' }],
    type: { text: 'Software that made this document from the chart' },
  };
  return {
    resourceType: 'Bundle',
    meta: { ...meta, profile: [profile] },
    identifier: { system: uriSystem, value: `urn:uuid:${randomUUID()}` },
    type: 'document',
    timestamp: time,
    entry: [
      { fullUrl: `urn:uuid:${documentId}`, resource: composition },
      ...[...shown].map(([name, resource]) => ({
        fullUrl: `${baseUrl}/${name}`,
        resource: resource as unknown as fhir4.FhirResource,
      })),
      { fullUrl: `urn:uuid:${deviceId}`, resource: device },
    ],
  };
};

/** A section with a line for each entry; one that every summary has also where it has none, and then not why. */
const shownSection = (
  { code, display, title, required, latest, most }: Section,
  records: readonly StoredRecord[],
  shown: ReadonlyMap<string, Resource>,
  baseUrl: string,
): fhir4.CompositionSection[] => {
  const named = { title, code: { coding: [{ system: loinc, code, display }] } };
  if (records.length === 0) {
    // `nilknown` would be a finding that nobody has made: a record that denies allergies is an entry itself.
    const coding = [{ system: 'http://terminology.hl7.org/CodeSystem/list-empty-reason', code: 'unavailable' }];
    return required === undefined
      ? []
      : [
          {
            ...named,
            text: narrative([
              `No information about ${required} is available here. That does not mean that there are none.`,
            ]),
            emptyReason: { coding, text: 'Unavailable' },
          },
        ];
  }
  const kinds = latest ? 'The latest of each kind' : 'The newest first';
  const extent = most === undefined ? `${kinds}.` : `${kinds}, ${most} at most.`;
  const resources = records.map((record) => shown.get(nameOf(record)) ?? noResource);
  return [
    {
      ...named,
      text: narrative(
        [extent],
        resources.map((resource) => lineOf(resource, medicineOf(resource, shown, baseUrl))),
      ),
      entry: records.map((record) => ({ reference: `${baseUrl}/${nameOf(record)}` })),
    },
  ];
};

const medicineOf = (
  { medicationReference, contained = [] }: Resource & { readonly contained?: unknown },
  shown: ReadonlyMap<string, Resource>,
  baseUrl: string,
): Resource | undefined => {
  const { reference = '' } = (medicationReference ?? {}) as fhir4.Reference;
  if (reference.startsWith('#')) return (contained as Resource[]).find(({ id }) => `#${id}` === reference);
  const parsed = parseReference(reference, baseUrl);
  return parsed.kind === 'record' ? shown.get(`${parsed.type}/${parsed.id}`) : undefined;
};

/** The resource as a part of the document: of what is not in it, the display stays, and no reference that leads nowhere. */
const within = (resource: Resource, held: ReadonlySet<string>, baseUrl: string): Resource =>
  changed(resource, (holder) => {
    const { reference, type: _, ...rest } = holder;
    if (typeof reference !== 'string') return undefined;
    const parsed = parseReference(reference, baseUrl);
    if (parsed.kind !== 'record') return undefined;
    const name = `${parsed.type}/${parsed.id}`;
    if (held.has(name)) return parsed.version === undefined ? undefined : { ...holder, reference: name };
    return typeof rest['display'] === 'string'
      ? rest
      : { ...rest, display: `${parsed.type}, not part of this summary` };
  });

/** What any of its resources is labelled with, the document is. */
const labelsOf = (resources: readonly Resource[]): fhir4.Coding[] => [
  ...new Map(
    resources
      .flatMap(({ meta }) => meta?.security ?? [])
      .map((coding) => [`${coding.system}|${coding.code}`, coding] as const),
  ).values(),
];

const tooMuch = (): RecordError =>
  new RecordError('too-costly', 'The summary is too large for one answer; read the chart by Patient/{id}/$everything');
