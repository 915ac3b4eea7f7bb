import { createHmac } from 'node:crypto';
import type { Resource } from '../fhir/resource.ts';
import type { SearchParameterType } from '../fhir/search-parameter.ts';
import type { RegistryIndex } from '../record-types/registries.ts';
import type { SearchType } from '../record-types/search-type.ts';
import { timeOf } from '../search/match/date.ts';
import { searchedTexts } from '../search/match/string.ts';
import { toBase32 } from './base32.ts';
import { bodyReference } from './body.ts';
import type { RecordWrite } from './commit.ts';
import { timeKey } from './ids.ts';
import { bearerKey, network, type Row, type RowKey, registryPartition, uniquePartition } from './keys.ts';
import { type FurtherCharts, pointerChanges } from './pointer-rows.ts';
import type { RecordStore } from './record-store.ts';
import { labelBytes, recordRow, type StoredRecord } from './rows.ts';

// Rows that lead to a record. They commit with it, so a search sees every acknowledged write. They are candidates: whoever follows
// one checks the record itself.

/** Registry parameter that lists all records of a type which head their own chart. */
export const everyRecord = '_all';
/** The registry's lists and names may be spread over several partitions for a very large organisation; so far one is enough. */
const onlyShard = '0';
/** A registry row carries the record where that costs little, so that one Query answers. Bytes, compressed. */
const largestCoveredBody = 1_024;
/** As many folded letters as a partition of names has in common. A search for fewer cannot use it. */
export const nameLetters = 3;

/** The organisation part of index keys: a directory type is the whole network's. */
export const indexOwner = (recordType: SearchType, custodian: string): string =>
  recordType.directory ? network : custodian;

/** Hashes a value for an index key, so that keys show no identifier, birth date or telephone number. */
export const hashed = (store: RecordStore, value: string): string =>
  toBase32(createHmac('sha256', store.keys.index).update(value).digest().subarray(0, 15));

/** Partition of the rows that know who bears an identifier. */
export const identifierPartition = (
  store: RecordStore,
  recordType: SearchType,
  custodian: string,
  system: string,
  value: string,
): string =>
  uniquePartition(indexOwner(recordType, custodian), recordType.name, hashed(store, `identifier|${system}|${value}`));

/** Partition of the row that guards a condition which names no identifier. */
export const criteriaPartition = (
  store: RecordStore,
  recordType: SearchType,
  custodian: string,
  criteria: string,
): string => uniquePartition(indexOwner(recordType, custodian), recordType.name, hashed(store, `criteria|${criteria}`));

/** Partition of the rows for one value of a registry parameter; for names, of all values with the same first letters. */
export const partitionFor = (
  store: RecordStore,
  owner: string,
  type: string,
  parameter: string,
  kind: SearchParameterType,
  value: string,
): string =>
  kind === 'string'
    ? registryPartition(owner, type, parameter, `${beginning(value, nameLetters)}~${onlyShard}`)
    : registryPartition(owner, type, parameter, hashed(store, value));

/** Partition that lists every record of a type which heads its own chart. */
export const listPartition = (owner: string, type: string): string =>
  registryPartition(owner, type, everyRecord, onlyShard);

/** Longest text kept in a sort key; a longer search is compared with this much and then with the record. */
const longestValue = 60;

/** What a sort key keeps of a text. */
export const keptText = (text: string): string => beginning(text, longestValue);

/** At most so many letters; half of one that takes two is left out: it is no text, and no key. */
const beginning = (text: string, letters: number): string => text.slice(0, letters).replace(/[\uD800-\uDBFF]$/, '');

/** The texts under which a registry parameter files a resource: what a search for it begins with, or the equal keys of its values. */
const filedUnder = (recordType: SearchType, { parameter, order }: RegistryIndex, resource: Resource): string[] => {
  const definition = recordType.parameter(parameter);
  if (!definition) throw new Error(`${recordType.name} has no parameter ${parameter}`);
  const values = definition.values(resource);
  if (order === parameter) return values.length === 0 ? [] : [anyValue];
  const texts =
    definition.type === 'string'
      ? values.flatMap((value) => searchedTexts(definition, value)).filter((text) => text !== '')
      : values.flatMap(({ value }) => equalKeys(value)).map(keyText);
  return [...new Set(texts)];
};

/** Some codes and all telephone numbers and mail addresses are compared without case; a key that ignores it leads to all of them. */
export const keyText = (text: string): string => text.toLowerCase();

/** What an equality search may ask of a CodeableConcept, Coding, Identifier, ContactPoint, Reference or primitive. */
const equalKeys = (value: unknown): string[] => {
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') return [String(value)];
  if (typeof value !== 'object' || value === null) return [];
  const element = value as fhir4.CodeableConcept & fhir4.Coding & fhir4.Identifier & fhir4.Reference;
  if (element.coding) return element.coding.flatMap(({ code }) => (code === undefined ? [] : [code]));
  const text = element.reference === undefined ? (element.code ?? element.value) : recordNamed(element.reference);
  return text === undefined ? [] : [text];
};

/** Under this key stands what refers to a resource within itself: a chain looks there too. https://hl7.org/fhir/R4/search.html#contained */
export const containedKey = '#';

/** `Type/id` at the end of a reference, whatever its base and version: the record itself decides whether it is meant. */
export const recordNamed = (reference: string): string =>
  (reference.startsWith('#') ? containedKey : undefined) ??
  /([A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64})(?:\/_history\/[^/]+)?$/.exec(reference)?.[1] ??
  reference;

/** What all rows of an order by time are filed under. */
export const anyValue = '';

/** Where a resource stands among the rows of one value that are in order of time. */
const orderKey = (recordType: SearchType, { order }: RegistryIndex, resource: Resource): string => {
  const [first] = order === undefined ? [] : (recordType.parameter(order)?.values(resource) ?? []);
  const time = first && timeOf(first);
  return time ? timeKey(time.start) : '';
};

/** Keys of all registry rows that lead to a record. */
export const registryKeys = (store: RecordStore, recordType: SearchType, record: StoredRecord): RowKey[] => {
  const { resource } = record;
  if (!resource) return [];
  const owner = indexOwner(recordType, record.custodian);
  const keys = recordType.registry.flatMap((index) => {
    const kind = recordType.parameter(index.parameter)?.type ?? 'token';
    return filedUnder(recordType, index, resource).map((text) => ({
      pk: partitionFor(store, owner, recordType.name, index.parameter, kind, text),
      sk: `${kind === 'string' ? keptText(text) : orderKey(recordType, index, resource)}#${record.id}`,
    }));
  });
  // Long names with one beginning are one row: what a key holds of them is the same.
  return [...new Map(keys.map((key) => [`${key.pk}\n${key.sk}`, key])).values()];
};

const registryRows = (store: RecordStore, recordType: SearchType, record: StoredRecord): Row[] => {
  if (!record.resource) return [];
  const { pk: _pk, sk: _sk, body, ...attributes } = recordRow(record, store.ids);
  const light = body && !bodyReference(body) && body.length + labelBytes(record) <= largestCoveredBody;
  const covering = light ? { ...attributes, body } : {};
  const { chart, place } = record;
  const rows = registryKeys(store, recordType, record).map((key) => ({ ...key, chart, place, ...covering }));
  if (place !== '') return rows;
  const listed = {
    pk: listPartition(indexOwner(recordType, record.custodian), recordType.name),
    sk: record.id,
    chart,
    place,
  };
  return [...rows, listed];
};

/** `system|value` of every identifier of a record. An identifier without a value identifies nothing. */
export const identifiersOf = (
  recordType: SearchType,
  resource: Resource | undefined,
): { system: string; value: string }[] =>
  (resource ? (recordType.parameter('identifier')?.values(resource) ?? []) : []).flatMap(({ type, value }) => {
    const identifier = value as fhir4.Identifier;
    return type === 'Identifier' && identifier.value !== undefined
      ? [{ system: identifier.system ?? '', value: identifier.value }]
      : [];
  });

/** Keys of the rows that say whose identifiers a record bears. */
const bearerKeys = (store: RecordStore, recordType: SearchType, record: StoredRecord | undefined): RowKey[] => {
  if (!record) return [];
  const partitions = identifiersOf(recordType, record.resource).map(({ system, value }) =>
    identifierPartition(store, recordType, record.custodian, system, value),
  );
  return [...new Set(partitions)].map((partition) => bearerKey(partition, record.id));
};

/**
 * Index rows to put and remove with a write.
 *
 * @param furtherCharts - charts of the second and further patients of either version, home excluded.
 */
export const indexChanges = (
  store: RecordStore,
  recordType: SearchType,
  { next, previous }: Pick<RecordWrite, 'next' | 'previous'>,
  furtherCharts: FurtherCharts,
): Pick<RecordWrite, 'puts' | 'removes'> => {
  const name = ({ pk, sk }: RowKey) => `${pk}\n${sk}`;
  const bears = bearerKeys(store, recordType, next);
  const bore = new Map(bearerKeys(store, recordType, previous).map((key) => [name(key), key]));
  const puts = [
    ...registryRows(store, recordType, next),
    // Written once, when the identifier is first borne: who bore it first can be told by the time.
    ...bears.filter((key) => !bore.has(name(key))).map((key) => ({ ...key, id: next.id, since: next.updated })),
  ];
  const before = previous ? [...registryRows(store, recordType, previous), ...bore.values()] : [];
  const kept = new Set([...puts, ...bears].map(name));
  const pointers = pointerChanges(recordType, { next, previous }, furtherCharts);
  return {
    puts: [...puts, ...pointers.puts],
    removes: [...before.filter((key) => !kept.has(name(key))), ...pointers.removes].map(({ pk, sk }) => ({ pk, sk })),
  };
};
