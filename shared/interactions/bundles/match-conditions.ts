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

/** What meets the conditions under which entries write. */
export const matchConditions = async (
  bundle: BundleContext,
  writes: readonly Entry[],
): Promise<Map<Entry, ConditionalMatch>> => {
  const matched = new Map<Entry, ConditionalMatch>();
  await eachEntry(writes, async (entry) => {
    const context = contextOf(bundle, entry);
    const { method, path, request } = entry;
    if (entry.plan) return;
    requireTypeAccess(context, ({ POST: 'c', DELETE: 'd' } as const)[method] ?? 'u');
    if (method === 'POST') {
      if (request.ifNoneExist !== undefined) matched.set(entry, await conditionalMatch(context, request.ifNoneExist));
    } else if (path.length === 1) {
      const most = method === 'DELETE' ? mostByCondition : 1;
      matched.set(entry, await conditionalMatch(context, conditionOf(request), inQuery, most));
    }
  });
  return matched;
};

/** Two entries that would each create what the other one's condition looks for cannot both be meant. */
export const requireDistinctConditions = (
  matched: ReadonlyMap<Entry, ConditionalMatch>,
  creates: (entry: Entry) => boolean,
): void => {
  const seen = new Map<string, number>();
  for (const [entry, { guard }] of matched) {
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
