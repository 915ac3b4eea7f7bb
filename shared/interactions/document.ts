import { randomUUID } from 'node:crypto';
import { RecordError } from '../errors.ts';
import { parseReference, recordsNamedIn, referencesIn } from '../fhir/references.ts';
import type { Resource } from '../fhir/resource.ts';
import { factsOfType } from '../record-types/subjects.ts';
import { presented, type StoredRecord } from '../store/rows.ts';
import type { Interaction, RequestContext } from './context.ts';
import { mayRead, readNamed } from './everything/referenced.ts';
import { locate } from './locate.ts';
import { readInput } from './operation-input.ts';
import { notFound, requireReadable, requireTypeAccess } from './require-access.ts';
import { largestPageBytes, weightOf } from './searchset.ts';

export const documentInput = { id: { type: 'uri' }, persist: { type: 'boolean' }, graph: { type: 'uri' } } as const;

/** Records that one document may hold. */
const mostRecords = 1_000;

/** https://hl7.org/fhir/R4/datatypes.html#Identifier: the system of values that are URIs. */
const uriSystem = 'urn:ietf:rfc:3986';

/**
 * `Composition/{id}/$document`, and `Composition/$document?id=…`: the document that a composition makes, with what it refers to and what the entries of its
 * sections refer to in turn; each as far as the caller may read it. https://hl7.org/fhir/R4/composition-operation-document.html
 *
 * @throws RecordError `invalid` for what is not offered; `too-costly` if it is too much for an answer, since a document has no pages.
 */
export const documentOf: Interaction = async (context, target) => {
  requireTypeAccess(context, 'r');
  const { audit, request, now } = context;
  const { id, persist, graph } = readInput(context, documentInput);
  if (persist) throw notOffered('persist', 'The document is not kept; its parts are, and make it at any time');
  if (graph !== undefined) throw notOffered('graph', 'No GraphDefinition is followed');
  if (target.id !== '' && id !== undefined)
    throw new RecordError('invalid', 'The address names it', { expression: 'id' });
  const named = target.id === '' ? idIn(context, id) : target.id;
  const name = `Composition/${named}`;
  const address = await locate(context, 'Composition', named);
  if (!address) throw notFound(context);
  const composition = await audit.traced(
    { interaction: 'operation', chart: address.chart, what: [name], query: `${name}/$document` },
    () => context.sharing.read(address),
    (found) => void requireReadable(context, found),
  );
  const first = requireReadable(context, composition);
  const parts = await partsOf(context, first);
  await audit.record(
    [...Map.groupBy(parts.filter(isPatients), ({ chart }) => chart)]
      .filter(([chart]) => chart !== address.chart)
      .map(([chart, records]) => ({
        interaction: 'operation',
        chart,
        what: records.map((record) => `${record.type}/${record.id}`),
        query: 'Composition/$document',
      })),
  );
  await context.view.prepare([first, ...parts]);
  const bundle: fhir4.Bundle = {
    resourceType: 'Bundle',
    type: 'document',
    identifier: { system: uriSystem, value: `urn:uuid:${randomUUID()}` },
    timestamp: new Date(now).toISOString(),
    entry: [first, ...parts].map((record) => ({
      fullUrl: `${request.baseUrl}/${record.type}/${record.id}`,
      resource: presented(context.view.of(record)) as unknown as fhir4.FhirResource,
    })),
  };
  return { statusCode: 200, resource: bundle };
};

const isPatients = ({ type }: StoredRecord): boolean => {
  const { directory, subject } = factsOfType(type);
  return !directory && subject !== 'knowledge';
};

const notOffered = (expression: string, message: string) =>
  new RecordError('invalid', message, { reason: 'not-supported', expression });

/** @throws RecordError `invalid` unless it is an id, or the address of a Composition of this server. */
const idIn = ({ request }: RequestContext, id: string | undefined): string => {
  if (id === undefined) throw new RecordError('invalid', 'The operation needs this parameter', { expression: 'id' });
  const parsed = parseReference(/[/:]/.test(id) ? id : `Composition/${id}`, request.baseUrl);
  if (parsed.kind === 'record' && parsed.type === 'Composition' && parsed.version === undefined) return parsed.id;
  throw notOffered('id', 'Only compositions of this server make documents');
};

/** What belongs to a document besides its composition, each once, in the order in which it is referred to. https://hl7.org/fhir/R4/documents.html#content */
const partsOf = async (context: RequestContext, { resource, id }: StoredRecord): Promise<StoredRecord[]> => {
  const { baseUrl } = context.request;
  // What a document replaces or adds to is another document.
  const { relatesTo: _, ...own } = resource ?? { resourceType: 'Composition' };
  const versions = versionsIn(own as Resource, baseUrl);
  const entries = new Set(recordsNamedIn({ resourceType: 'Composition', section: own.section } as Resource, baseUrl));
  const parts = new Map<string, StoredRecord>();
  let bytes = weightOf(resource ?? {});
  const add = async (names: readonly string[]): Promise<StoredRecord[]> => {
    const fresh = names.filter((name) => !parts.has(name) && name !== `Composition/${id}`);
    if (parts.size + fresh.length > mostRecords) throw tooMuch();
    const read = await readNamed(context, fresh, anyRecord);
    if (fresh.some((name) => !read.has(name))) throw tooMuch();
    const found = await Promise.all(
      fresh.flatMap((name) => {
        const record = read.get(name);
        return record ? [inVersion(context, record, versions.get(name))] : [];
      }),
    );
    for (const record of found) {
      bytes += weightOf(record.resource ?? {});
      if (bytes > largestPageBytes) throw tooMuch();
      parts.set(`${record.type}/${record.id}`, record);
    }
    return found;
  };
  const direct = await add(recordsNamedIn(own as Resource, baseUrl));
  const inSections = direct.filter((record) => entries.has(`${record.type}/${record.id}`));
  await add([
    ...new Set(inSections.flatMap((record) => (record.resource ? recordsNamedIn(record.resource, baseUrl) : []))),
  ]);
  return [...parts.values()];
};

/** Versions that a composition names of what it refers to. */
const versionsIn = (composition: Resource, baseUrl: string): ReadonlyMap<string, number> =>
  new Map(
    referencesIn(composition).flatMap(({ reference }) => {
      const parsed = parseReference(reference, baseUrl);
      return parsed.kind === 'record' && parsed.version !== undefined
        ? [[`${parsed.type}/${parsed.id}`, Number(parsed.version)] as const]
        : [];
    }),
  );

/** The version of a record that a document is about: the one that it names, or the current one. */
const inVersion = async (
  context: RequestContext,
  record: StoredRecord,
  version: number | undefined,
): Promise<StoredRecord> => {
  const named =
    version === undefined || version === record.version ? record : await context.store.readVersion(record, version);
  return named?.resource && mayRead(context, named) ? named : record;
};

const anyRecord = { address: () => true, record: () => true };

const tooMuch = (): RecordError =>
  new RecordError(
    'too-costly',
    'The document is too large for one answer; read its composition, and what it refers to',
    {
      expression: 'Composition.section',
    },
  );
