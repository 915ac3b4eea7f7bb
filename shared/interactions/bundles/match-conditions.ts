import { RecordError } from '../../errors.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { type ConditionalMatch, conditionalMatch, conditionOf, inQuery } from '../conditional-match.ts';
import { mostByCondition } from '../delete.ts';
import { requireTypeAccess } from '../require-access.ts';
import { eachEntry } from './each-entry.ts';
import { type BundleContext, contextOf, type Entry } from './entry.ts';

/** `Type/id` of a record. */
export const nameOf = ({ type, id }: StoredRecord): string => `${type}/${id}`;

/** `Type/id` of the records that an entry's URL means. */
export const namedBy = ({ path }: Entry, found: ConditionalMatch | undefined): string[] =>
  found ? found.matches.map(nameOf) : [`${path[0]}/${path[1]}`];

/** What the conditions of entries come to. */
export interface Matched {
  /** What meets the condition of an entry that has one. */
  readonly by: ReadonlyMap<Entry, ConditionalMatch>;
  /** `Type/id` of what is deleted. */
  readonly deleted: ReadonlySet<string>;
}

/** Finds what meets the conditions under which entries write. Deletions come first: what they delete meets no other condition any more. */
export const matchConditions = async (bundle: BundleContext, writes: readonly Entry[]): Promise<Matched> => {
  const by = new Map<Entry, ConditionalMatch>();
  const matching = (...asked: Parameters<typeof conditionalMatch>) => {
    bundle.budget.begin();
    return conditionalMatch(...asked);
  };
  const deletions = writes.filter(({ method }) => method === 'DELETE');
  await eachEntry(deletions, async (entry) => {
    const context = contextOf(bundle, entry);
    requireTypeAccess(context, 'd');
    if (entry.path.length === 1)
      by.set(entry, await matching(context, conditionOf(entry.request), inQuery, mostByCondition));
  });
  const deleted = new Set(deletions.flatMap((entry) => namedBy(entry, by.get(entry))));
  const isDeleted = (record: StoredRecord): boolean => deleted.has(nameOf(record));
  await eachEntry(writes, async (entry) => {
    const { method, path, request, plan } = entry;
    if (plan || method === 'DELETE') return;
    const context = contextOf(bundle, entry);
    requireTypeAccess(context, method === 'POST' ? 'c' : 'u');
    if (method === 'POST') {
      const condition = request.ifNoneExist;
      if (condition !== undefined) by.set(entry, await matching(context, condition, undefined, undefined, isDeleted));
    } else if (path.length === 1) {
      by.set(entry, await matching(context, conditionOf(request), inQuery, 1, isDeleted));
    }
  });
  return { by, deleted };
};

/** Two entries that would each create what the other one's condition looks for cannot both be meant. */
export const requireDistinctConditions = ({ by }: Matched, creates: (entry: Entry) => boolean): void => {
  const seen = new Map<string, number>();
  for (const [entry, { guard }] of by) {
    const { index } = entry;
    if (!creates(entry)) continue;
    const first = seen.get(guard.key.pk);
    if (first !== undefined) {
      throw new RecordError('invalid', `Entries ${first} and ${index} have the same condition`, {
        expression: `Bundle.entry[${index}].request.${entry.method === 'POST' ? 'ifNoneExist' : 'url'}`,
      });
    }
    seen.set(guard.key.pk, index);
  }
};
