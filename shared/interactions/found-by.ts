import { RecordError } from '../errors.ts';
import type { SearchType } from '../record-types/search-type.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { RequestContext } from './context.ts';
import type { Searching } from './emergency/operations.ts';

/** Calls to one organisation: some hundreds of patients of one birthday. */
const callsEach = 10;

/**
 * What a search finds. It never stops in silence: whoever is looked for alone might not be.
 *
 * @param most - how many records are wanted at most; one more is found where there are more.
 * @throws RecordError `too-costly` if it takes too many calls.
 */
export const foundBy = async (
  context: Omit<RequestContext, 'recordType'> & { readonly recordType: SearchType },
  { openSearch, matching }: Searching,
  sent: readonly (readonly [string, string])[],
  most = Number.POSITIVE_INFINITY,
): Promise<StoredRecord[]> => {
  const { run, query: asked, planned } = await openSearch(context, sent, { strict: true });
  const { plan } = await planned();
  const records: StoredRecord[] = [];
  for await (const { record } of matching(run, context.recordType, { ...asked, plan })) {
    if (record) records.push(record);
    if (records.length > most) break;
    if (run.calls > callsEach)
      throw new RecordError('too-costly', 'Too many records have what is told; tell something that fewer have');
  }
  return records;
};
