import type { SearchType } from '../record-types/search-type.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { RequestContext } from './context.ts';
import type { Searching } from './emergency/operations.ts';

/** Calls to one organisation: some hundreds of patients of one birthday. */
const callsEach = 10;

/** What a search finds, as far as it goes. */
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
    if (run.calls > callsEach || records.length > most) break;
  }
  return records;
};
