import { RecordError } from '../../errors.ts';
import type { Refused } from '../../fhir/operation-outcome.ts';
import { refusal } from '../../fhir/operation-outcome.ts';
import { largestPageBytes, weightOf } from '../searchset.ts';

/**
 * Keeps a bundle's answer within what a Lambda may return: 6 MB. Resources beyond that are left out. What was written stays written and is
 * told by its location; what was only read is refused, entry by entry, and can be asked for by itself.
 */
export const withinAnswer = (entries: readonly fhir4.BundleEntry[], requestId: string): fhir4.BundleEntry[] => {
  let bytes = 0;
  return entries.map((entry, index) => {
    bytes += weightOf(entry.response ?? {});
    if (!entry.resource) return entry;
    const weight = weightOf(entry.resource);
    if (bytes + weight <= largestPageBytes) {
      bytes += weight;
      return entry;
    }
    const { resource: _resource, ...told } = entry;
    if (told.response?.location !== undefined) return told;
    const { statusCode, outcome } = tooMuch(index, requestId);
    return { response: { status: String(statusCode), outcome } };
  });
};

const tooMuch = (index: number, requestId: string): Refused =>
  refusal(
    new RecordError('too-large', 'The answer would be too large; ask for this entry by itself', {
      reason: 'answer-too-large',
      expression: `Bundle.entry[${index}]`,
    }),
    requestId,
  );
