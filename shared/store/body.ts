import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import { RecordError } from '../errors.ts';
import { parseJson, stringifyJson, withSpellingOf } from '../fhir/json.ts';
import type { Resource } from '../fhir/resource.ts';
import { dictionary1 } from './dictionaries/dictionary-1.ts';
import { Layouts } from './layouts.ts';

// The first byte of a stored body is its layout.

/** Layout 1: JSON, deflated. */
const deflated = 1;

/**
 * Layout 2: CRC-32 of the JSON (four bytes, big-endian), then the JSON, deflated with dictionary 1 and the references into the
 * record's own chart behind it. The chart's 26 random letters, which most references repeat, are in the row's key and so need no
 * place in the body. Read with another chart the references would name another patient: the checksum refuses that.
 */
const deflatedWithDictionary1 = 2;
const checksumEnd = 5;

// One buffer for all calls, which zlib copies before it returns: a new one for each would double the CPU of reading.
const ownReferencesAt = dictionary1.length;
const dictionary = Buffer.alloc(ownReferencesAt + 256);
dictionary.write(dictionary1, 'latin1');

const dictionaryFor = (chart: string): Uint8Array => {
  const patient = `{"reference":"Patient/${chart}"}`;
  const own = `"patient":${patient},"subject":${patient},"encounter":{"reference":"Encounter/${chart}.`;
  return dictionary.subarray(0, ownReferencesAt + dictionary.write(own, ownReferencesAt, 'latin1'));
};

/** Bytes that zlib sets aside at a time: most bodies fit into one piece, and 16 KB, the default, cost more to set aside than to fill. */
const chunkSize = 4096;

/** A Lambda answers with 6 MB at most: what is larger could be stored and never be read. */
const largestJson = 4_000_000;

/**
 * Compresses a resource for its row. `id`, `meta.versionId` and `meta.lastUpdated` are attributes of the row and stay out.
 *
 * @param chart - the record's home, as the row's key holds it.
 * @throws RecordError `too-large`.
 */
export const packBody = (resource: Resource, chart: string): Uint8Array => {
  const { id: _id, meta, ...rest } = resource;
  const { versionId: _version, lastUpdated: _updated, ...keptMeta } = meta ?? {};
  const body = Object.keys(keptMeta).length > 0 ? { ...rest, meta: keptMeta } : rest;
  const json = Buffer.from(stringifyJson(withSpellingOf(body, resource)));
  if (json.length > largestJson) {
    throw new RecordError('too-large', `A ${resource.resourceType} may have ${largestJson / 1e6} MB`, {
      reason: 'record-too-large',
      expression: resource.resourceType,
    });
  }
  const head = Buffer.alloc(checksumEnd);
  head.writeUInt8(deflatedWithDictionary1);
  head.writeUInt32BE(crc32(json), 1);
  // level 6: level 1 takes 6 % less CPU for 12 % more bytes, level 9 takes 13 % more for 1 % fewer
  return Buffer.concat([head, deflateRawSync(json, { dictionary: dictionaryFor(chart), level: 6, chunkSize })]);
};

const inflatedWithDictionary1 = (bytes: Uint8Array, chart: string): Buffer => {
  const json = inflateRawSync(bytes.subarray(checksumEnd), { dictionary: dictionaryFor(chart), chunkSize });
  if (crc32(json) !== Buffer.from(bytes.subarray(1, checksumEnd)).readUInt32BE())
    throw new Error('The body is damaged or of another chart');
  return json;
};

/** Inflates the JSON of a body. */
export const bodyLayouts = new Layouts<(bytes: Uint8Array, chart: string) => Buffer>('body', {
  [deflated]: (bytes) => inflateRawSync(bytes.subarray(1), { chunkSize }),
  [deflatedWithDictionary1]: inflatedWithDictionary1,
});

/**
 * Reads what `packBody` wrote, without `id`, `meta.versionId` and `meta.lastUpdated`.
 *
 * @param chart - the one that it was written with.
 * @throws WrittenByNewerRelease; Error if it is damaged or of another chart.
 */
export const unpackBody = (bytes: Uint8Array, chart: string): Resource =>
  parseJson(bodyLayouts.reader(bytes[0])(bytes, chart).toString('utf8')) as Resource;
