import { decideType } from '../../access/decide.ts';
import { recordsNamedIn } from '../../fhir/references.ts';
import { factsOfType } from '../../record-types/subjects.ts';
import { inParallel } from '../../store/in-parallel.ts';
import type { Address } from '../../store/keys.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { mayAccess } from '../require-access.ts';
import { largestPageBytes, weightOf } from '../searchset.ts';
import type { Item } from './fill-page.ts';

/** Records that come along with one page; where there would be more, the page is made shorter. */
const mostReferenced = 2_000;
/** Pages that are read of them, one after the other where the first has no room for all: 10 MB of JSON each, most of it perhaps not to be shown. */
const mostPages = 5;
/** Ids that a client chose are looked up so many at a time. */
const locatedAtOnce = 100;

/** Whether the caller may read this record, whatever its type. */
export const mayRead = (
  { asking, request, store, sharing }: Pick<RequestContext, 'asking' | 'request' | 'store' | 'sharing'>,
  record: StoredRecord,
): boolean => mayAccess({ asking, request, store, sharing, recordType: factsOfType(record.type) }, 'r', record);

/** A page with what its records refer to. */
export interface PageWithReferenced {
  readonly shown: readonly Item[];
  readonly others: readonly StoredRecord[];
  /** Records that are too large to come along with the one that refers to them. */
  readonly leftOut: number;
}

/** Which of the records that a page refers to come along. */
export interface Coming {
  readonly type: (type: string) => boolean;
  /** False for what need not be read, since it is shown on another page. */
  readonly address: (address: Address) => boolean;
  readonly record: (record: StoredRecord) => boolean;
}

/**
 * The first of these items, as many as an answer can hold with the records that they refer to, each once. Those are read by one BatchGet, one more for
 * each further hundred, all at once; only what the caller may read comes along.
 */
export const withReferenced = async (
  context: RequestContext,
  items: readonly Item[],
  coming: Coming,
): Promise<PageWithReferenced> => {
  const own = new Set(items.map(({ record }) => nameOf(record)));
  const naming = items.map((item) => ({
    item,
    names: recordsNamedIn(item.record.resource ?? { resourceType: item.record.type }, context.request.baseUrl).filter(
      (name) => !own.has(name) && coming.type(typeIn(name)),
    ),
  }));
  const wanted = [...new Set(naming.flatMap(({ names }) => names))];
  const read = await readNamed(context, wanted.slice(0, mostReferenced), coming);
  const others = new Map<string, StoredRecord>();
  const shown: Item[] = [];
  let bytes = 0;
  let leftOut = 0;
  for (const { item, names } of naming) {
    const fresh = names.filter((name) => !others.has(name));
    const found = fresh.flatMap((name) => read.get(name) ?? []);
    const weights = found.map(({ resource }) => weightOf(resource ?? {}));
    const fits =
      bytes + item.weight + weights.reduce((sum, weight) => sum + weight, 0) <= largestPageBytes &&
      fresh.every((name) => read.has(name));
    if (!fits && shown.length > 0 && shown.at(-1)?.key !== item.key) break;
    shown.push(item);
    bytes += item.weight;
    leftOut += fresh.filter((name) => !read.has(name)).length;
    found.forEach((record, index) => {
      const weight = weights[index] ?? 0;
      if (bytes + weight > largestPageBytes) leftOut += 1;
      else {
        bytes += weight;
        others.set(nameOf(record), record);
      }
    });
  }
  return { shown, others: [...others.values()], leftOut };
};

const nameOf = ({ type, id }: StoredRecord): string => `${type}/${id}`;
const typeIn = (name: string): string => name.slice(0, name.indexOf('/'));

/**
 * Records by their names (`Type/id`), undefined for those that do not come along: because the caller may not read them, or they are not wanted. A name is
 * not in the map if its record had no room.
 */
export const readNamed = async (
  context: RequestContext,
  names: readonly string[],
  coming: Pick<Coming, 'address' | 'record'>,
): Promise<ReadonlyMap<string, StoredRecord | undefined>> => {
  const { store, asking } = context;
  const readable = new Map([...new Set(names.map(typeIn))].map((type) => [type, factsOfType(type)]));
  const located = await inParallel(locatedAtOnce, names, async (name) => {
    const facts = readable.get(typeIn(name));
    const may = facts && decideType(asking, 'r', facts).permit;
    return { name, address: may ? await locate(context, typeIn(name), name.slice(name.indexOf('/') + 1)) : undefined };
  });
  const found = new Map<string, StoredRecord | undefined>(located.map(({ name }) => [name, undefined]));
  const asked = located.flatMap(({ name, address }) => (address && coming.address(address) ? [{ name, address }] : []));
  let rest = asked;
  for (let page = 0; rest.length > 0 && page < mostPages; page++) {
    const { records, taken } = await store.readPage(rest.map(({ address }) => address));
    await context.sharing.lookUp(records);
    for (const record of records) {
      if (record.resource && mayRead(context, record) && coming.record(record)) found.set(nameOf(record), record);
    }
    rest = rest.slice(taken);
  }
  for (const { name } of rest) found.delete(name);
  return found;
};
