import type { SearchType } from '../../record-types/search-type.ts';
import type { Criterion } from '../../search/search-query.ts';
import type { Address } from '../../store/keys.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { locateAll } from '../locate.ts';
import { matching } from './matching.ts';
import { mostQueries, planSearch } from './plan.ts';
import type { Run } from './run.ts';

/** One call asks for so many. */
const mostAtOnce = 100;

/**
 * Records of a type among those that references name as `Type/id`; whether the caller may know of them is not asked.
 *
 * @throws RecordError `too-costly` if they are too large to be held together.
 */
export const namedRecords = async (
  run: Run,
  recordType: SearchType,
  references: readonly string[],
): Promise<StoredRecord[]> => {
  const addresses = await addressesOf(run, recordType, references);
  if (addresses.length === 0) return [];
  run.spend();
  return run.context.store.readMany(addresses);
};

/** The same, one page after the other: what is too large to be held together is not refused. */
export async function* namedPages(
  run: Run,
  recordType: SearchType,
  references: readonly string[],
): AsyncGenerator<readonly StoredRecord[]> {
  const addresses = await addressesOf(run, recordType, references);
  for (let at = 0; at < addresses.length; ) {
    run.spend();
    const page = await run.context.store.readPage(addresses.slice(at, at + mostAtOnce));
    for (let fetch = 0; fetch < page.fetches; fetch++) run.spend();
    yield page.records;
    at += page.taken;
  }
}

const addressesOf = ({ context }: Run, { name }: SearchType, references: readonly string[]): Promise<Address[]> =>
  locateAll(
    context,
    name,
    references.flatMap((reference) => (reference.startsWith(`${name}/`) ? [reference.slice(name.length + 1)] : [])),
  );

/**
 * Records of a type that the caller may find and that canonical references name, with or without a version; other names are passed over.
 * https://hl7.org/fhir/R4/references.html#canonical
 */
export const addressedRecords = async (
  run: Run,
  recordType: SearchType,
  references: readonly string[],
): Promise<StoredRecord[]> => {
  const parameter = recordType.parameter('url');
  const named = references.filter((reference) => reference.includes(':'));
  const urls = [...new Set(named.map((reference) => reference.replace(/\|[^|]*$/, '')))];
  if (parameter?.type !== 'uri') return [];
  const found: StoredRecord[] = [];
  for (let at = 0; at < urls.length; at += mostQueries) {
    const values = urls.slice(at, at + mostQueries).map((value) => ({ type: 'uri', value }) as const);
    const bearing: Criterion = { kind: 'criterion', name: 'url', parameter, modifier: undefined, values };
    const { plan } = await planSearch(run.of(recordType), [bearing]);
    for await (const { record } of matching(run, recordType, { conditions: [bearing], plan })) {
      const { url, version } = record?.resource ?? { url: undefined, version: undefined };
      if (record && (named.includes(String(url)) || named.includes(`${String(url)}|${String(version)}`)))
        found.push(record);
      run.requireAffordable('url');
    }
  }
  return found;
};
