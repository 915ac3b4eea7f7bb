import type { AuditedAccess } from '../audit/audit-event.ts';
import { dayInWords, inWords, mostThings, narrativeOf, typeInWords } from '../audit/in-words.ts';
import type { Resource } from '../fhir/resource.ts';
import { careTimeOf } from '../record-types/care-dates.ts';
import { headsOwnChart } from '../record-types/homes.ts';
import { factsOfType, isDirectory } from '../record-types/subjects.ts';
import type { Address } from '../store/keys.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { RequestContext } from './context.ts';
import { mayAccess } from './require-access.ts';

/**
 * Narratives of accesses, in their order. A record is told by what it is about and when only to who may read it now; else by its type alone. One BatchGet for
 * the records that the sentences name and for the names of people and organisations; what is too large to come along is told by its type.
 */
export const toldInWords = async (
  context: RequestContext,
  accesses: readonly Pick<AuditedAccess, 'entry' | 'refused' | 'masked'>[],
): Promise<fhir4.Narrative[]> => {
  const { asking, store } = context;
  const named = accesses.map(({ entry }) => [...new Set(entry.what.map(withoutVersion))]);
  const addresses = new Map<string, Address>();
  const note = (name: string) => {
    const address = addressOf(context, name);
    if (address) addresses.set(name, address);
  };
  for (const [index, { entry }] of accesses.entries()) {
    for (const name of named[index]?.slice(0, mostThings) ?? []) note(name);
    if (entry.organization !== undefined) note(`Organization/${entry.organization}`);
    note(entry.fhirUser);
  }
  const { records: found } = await store.readPage([...addresses.values()]);
  await context.sharing.lookUp(found);
  const readable = new Map(
    found.flatMap((record): (readonly [string, StoredRecord])[] =>
      mayAccess({ ...context, recordType: factsOfType(record.type) }, 'r', record)
        ? [[keyOf(record), record] as const]
        : [],
    ),
  );
  const record = (name: string): Resource | undefined => {
    const address = addresses.get(name);
    const found = address && readable.get(keyOf(address));
    return found && context.view.of(found).resource;
  };
  const chart = asking.caller.organization === undefined ? 'your record' : "the patient's record";
  return accesses.map(({ entry, refused, masked }, index) =>
    narrativeOf(
      inWords(entry, {
        organization:
          entry.organization === undefined
            ? undefined
            : (textOf(record(`Organization/${entry.organization}`)?.['name']) ?? entry.organization),
        person: personIn(record(entry.fhirUser)),
        own: entry.fhirUser === asking.caller.fhirUser && entry.subject === asking.caller.subject,
        things: [
          ...(named[index] ?? []).map((name) => thing(name, record(name), chart)),
          ...(masked ? ['something that is not shown to you'] : []),
        ],
        chart,
        refused,
      }),
    ),
  );
};

const withoutVersion = (reference: string): string => reference.replace(/\/_history\/.*$/, '');

const keyOf = ({ type, chart, place }: Address): string => `${type} ${chart} ${place}`;

/** Where a record is whose id tells it; what clients chose an id for is told by its type, unless it heads a chart of its own. */
const addressOf = ({ store }: RequestContext, name: string): Address | undefined => {
  const [type = '', id = ''] = name.split('/');
  const decoded = store.ids.decode(id);
  if (decoded) return { type, ...decoded };
  return headsOwnChart(type) && isDirectory(type) ? { type, chart: id, place: '' } : undefined;
};

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value : undefined;

const personIn = (resource: Resource | undefined): string | undefined => {
  const [name] = (resource?.['name'] ?? []) as readonly fhir4.HumanName[];
  if (typeof name !== 'object') return undefined;
  return textOf(name.text) ?? textOf([...(name.given ?? []), name.family ?? ''].join(' '));
};

/** Elements that tell what a record is about, the more telling ones first. */
const aboutElements = ['code', 'medicationCodeableConcept', 'vaccineCode', 'type', 'serviceType', 'category'] as const;

/** What a record is about, in its own words. */
const aboutOf = (resource: Resource): string | undefined => {
  for (const element of aboutElements) {
    const value = resource[element];
    const concept = (Array.isArray(value) ? value[0] : value) as fhir4.CodeableConcept | undefined;
    if (typeof concept !== 'object') continue;
    const text = textOf(concept.text) ?? concept.coding?.map(({ display }) => textOf(display)).find(Boolean);
    if (text !== undefined) return text;
  }
  return undefined;
};

/** A record as a sentence names it: `the observation “Blood pressure” of 3 May 2026`. */
const thing = (name: string, resource: Resource | undefined, chart: string): string => {
  const [type = ''] = name.split('/');
  if (type === 'Patient') return chart;
  const said = `the ${typeInWords(type)}`;
  if (!resource) return said;
  const about = aboutOf(resource);
  const start = careTimeOf(resource)?.start;
  const isDay = start !== undefined && Number.isFinite(start);
  return `${said}${about === undefined ? '' : ` “${about}”`}${isDay ? ` of ${dayInWords(start)}` : ''}`;
};
