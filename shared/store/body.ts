import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { parseJson, stringifyJson, withSpellingOf } from '../fhir/json.ts';
import type { Resource } from '../fhir/resource.ts';

// The first byte of a stored body says how to read the rest, for ever: bodies are never migrated, only rewritten by an update.
const deflated = 1;

/** Compresses a resource for its row. `id`, `meta.versionId` and `meta.lastUpdated` are attributes of the row and stay out. */
export const packBody = (resource: Resource): Uint8Array => {
  const { id: _id, meta, ...rest } = resource;
  const { versionId: _version, lastUpdated: _updated, ...keptMeta } = meta ?? {};
  const body = Object.keys(keptMeta).length > 0 ? { ...rest, meta: keptMeta } : rest;
  const packed = deflateRawSync(stringifyJson(withSpellingOf(body, resource)));
  return Buffer.concat([Buffer.of(deflated), packed]);
};

/**
 * Reads what `packBody` wrote, without `id`, `meta.versionId` and `meta.lastUpdated`.
 *
 * @throws Error if a newer release wrote it.
 */
export const unpackBody = (bytes: Uint8Array): Resource => {
  if (bytes[0] !== deflated) throw new Error(`Body layout ${bytes[0]} is unknown to this release`);
  return parseJson(inflateRawSync(bytes.subarray(1)).toString('utf8')) as Resource;
};
