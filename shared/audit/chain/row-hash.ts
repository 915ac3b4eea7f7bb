import { hash } from 'node:crypto';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';

/** A row in DynamoDB's own JSON: bytes as they are, or in base 64 as a stream event has them. */
export type Image = Readonly<Record<string, AttributeValue>>;

/** Sorted by name at every level, bytes in base 64, sets in order: one text for one content. */
const canonical = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, each]) => [
      name,
      /^(?:S|N|B)S$/.test(name) && Array.isArray(each) ? each.map(canonical).toSorted() : canonical(each),
    ]);
};

/** SHA-256 of all that a row holds, keys included, in base 64 without padding. */
export const rowHash = (image: Image): string => hash('sha256', JSON.stringify(canonical(image)), 'base64url');
