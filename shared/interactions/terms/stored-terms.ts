import { decide } from '../../access/decide.ts';
import type { SearchType } from '../../record-types/search-type.ts';
import { searchTypes } from '../../record-types/search-types.ts';
import { localReference } from '../../search/local-reference.ts';
import { candidates } from '../../store/candidates/candidates.ts';
import { indexOwner, keyText, partitionFor } from '../../store/index-rows.ts';
import { presented, type StoredRecord } from '../../store/rows.ts';
import { splitCanonical } from '../../terminology/canonical.ts';
import type { RequestContext } from '../context.ts';
import { locate } from '../locate.ts';

/** What finding records of knowledge works with. */
export type TermsContext = Pick<RequestContext, 'store' | 'known' | 'asking'> & {
  readonly request: Pick<RequestContext['request'], 'baseUrl'>;
};

interface Terms {
  readonly Questionnaire: fhir4.Questionnaire;
  readonly ValueSet: fhir4.ValueSet;
  readonly CodeSystem: fhir4.CodeSystem;
}

/** Where value sets, code systems and questionnaires are found, as far as the caller may see them. */
export interface StoredTerms {
  /**
   * @param canonical - address with or without `|version`, or `ValueSet/id`; without a version the newest in force.
   */
  readonly find: <T extends keyof Terms>(type: T, canonical: string) => Promise<Terms[T] | undefined>;
}

/** @param spend - called for each call to the store. */
export const storedTerms = (context: TermsContext, spend: () => void): StoredTerms => ({
  find: async <T extends keyof Terms>(name: T, canonical: string) => {
    const type = (await searchTypes()).get(name);
    if (!type) return undefined;
    const [url, version] = splitCanonical(canonical);
    const found = [...(await byAddress(context, type, url, spend)), ...(await byUrl(context, type, url, spend))];
    const meant = found.filter(
      (record) =>
        record.resource !== undefined &&
        (version === undefined || record.resource['version'] === version) &&
        decide(context.asking, 's', type, record).permit,
    );
    const [newest] = meant.sort(newestInForce);
    return newest && (presented(newest) as unknown as Terms[T]);
  },
});

const byAddress = async (
  context: TermsContext,
  { name }: SearchType,
  url: string,
  spend: () => void,
): Promise<StoredRecord[]> => {
  // earlier versions of a record are not looked into
  const reference = url.includes('/_history/') ? undefined : localReference(url, context.request.baseUrl);
  const [type, id = ''] = reference?.split('/') ?? [];
  const address = type === name ? await locate(context, name, id) : undefined;
  if (!address) return [];
  spend();
  const record = await context.store.read(address);
  return record ? [record] : [];
};

const byUrl = async (
  { store, asking }: TermsContext,
  type: SearchType,
  url: string,
  spend: () => void,
): Promise<StoredRecord[]> => {
  const owner = indexOwner(type, asking.caller.organization ?? '');
  const partition = partitionFor(store, owner, type.name, 'url', 'uri', keyText(url));
  const plan = { kind: 'registry', ranges: [{ partition, prefix: '' }] } as const;
  const found: StoredRecord[] = [];
  for await (const { record } of candidates(store, [type], plan, undefined, { rowLimit: undefined, spend }))
    if (record?.resource?.['url'] === url) found.push(record);
  return found;
};

/** Of versions of one thing, those that are active come first, then the highest, `10` above `9`; then what was written last. */
const newestInForce = (a: StoredRecord, b: StoredRecord): number =>
  Number(isActive(b)) - Number(isActive(a)) ||
  versionOf(b).localeCompare(versionOf(a), 'en', { numeric: true }) ||
  b.updated - a.updated;

const isActive = ({ resource }: StoredRecord): boolean => resource?.['status'] === 'active';
const versionOf = ({ resource }: StoredRecord): string => {
  const version = resource?.['version'];
  return typeof version === 'string' ? version : '';
};
