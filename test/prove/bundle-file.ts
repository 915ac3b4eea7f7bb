import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { parseJson } from '../../shared/fhir/json.ts';

/**
 * The bundle in a file, compressed or not.
 *
 * @throws Error if it holds anything else.
 */
export const bundleIn = (file: string): fhir4.Bundle => {
  const bytes = readFileSync(file);
  const text = (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('utf8');
  const bundle = parseJson(text) as fhir4.Bundle;
  if (bundle.resourceType !== 'Bundle') throw new Error(`${file} holds no bundle`);
  return bundle;
};
