import { refusal } from '../../fhir/operation-outcome.ts';
import { largestPageBytes, weightOf } from '../searchset.ts';
import { answerTooLarge } from './answer-room.ts';

/**
 * Keeps a bundle's answer within what a Lambda may return: 6 MB. Resources and warnings beyond that are left out. What was written stays
 * written and is told by its location; what was only read is refused, entry by entry, and can be asked for by itself.
 */
export const withinAnswer = (entries: readonly fhir4.BundleEntry[], requestId: string): fhir4.BundleEntry[] => {
  let bytes = 0;
  const fits = (part: object): boolean => {
    const weight = weightOf(part);
    if (bytes + weight > largestPageBytes) return false;
    bytes += weight;
    return true;
  };
  return entries.map((entry, index) => {
    const { resource, ...told } = entry;
    const { outcome, ...response } = told.response ?? { status: '200' };
    bytes += weightOf(response);
    if (outcome && (response.location === undefined || !fits(outcome))) {
      // The outcome of a refusal stands alone; that of a write only warns.
      if (response.location !== undefined) told.response = response;
      else bytes += weightOf(outcome);
    }
    if (!resource || fits(resource)) return resource ? { ...told, resource } : told;
    if (response.location !== undefined) return told;
    const refused = refusal(answerTooLarge(index), requestId);
    return { response: { status: String(refused.statusCode), outcome: refused.outcome } };
  });
};
