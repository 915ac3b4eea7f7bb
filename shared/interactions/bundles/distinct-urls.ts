import { RecordError } from '../../errors.ts';
import type { EntryRequest } from './entry.ts';

/**
 * Finds entries whose fullUrl an earlier one bears: what refers to it could mean either. https://hl7.org/fhir/R4/bundle.html#invs (bdl-7)
 *
 * @returns a refusal by the index of each later one.
 */
export const sameUrls = (entries: readonly EntryRequest[]): Map<number, RecordError> => {
  const seen = new Map<string, number>();
  const refused = new Map<number, RecordError>();
  for (const { fullUrl, index } of entries) {
    if (fullUrl === undefined) continue;
    const first = seen.get(fullUrl);
    if (first === undefined) seen.set(fullUrl, index);
    else {
      refused.set(
        index,
        new RecordError('invalid', `Entries ${first} and ${index} have the same fullUrl`, {
          expression: `Bundle.entry[${index}].fullUrl`,
        }),
      );
    }
  }
  return refused;
};
