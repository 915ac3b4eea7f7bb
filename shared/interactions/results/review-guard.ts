import { task } from '../../record-types/task.ts';
import { guardedIds } from '../../store/bearers.ts';
import type { UniqueChange } from '../../store/commit.ts';
import { criteriaPartition } from '../../store/index-rows.ts';
import { guardKey, type RowKey } from '../../store/keys.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { nameIn } from '../../work/worklists.ts';
import type { RequestContext } from '../context.ts';

// A review and a change of what is reviewed must not pass each other unseen: each changes the one row of the chart, and requires that it is as it was read before the look.
//
// Whoever reads the row beside the look saves a call, and may have read it after a review of which the look knows nothing yet. So the row names the last Tasks of reviews: a look that has all of them in
// their versions is as good as one that came after the row. Each of these writes is a call of its own behind a look of its own, and none begins before the one before is done: more than are named cannot
// come between two reads that are sent at once.

/** Of the last reviews; more would make the row larger than a write unit. */
const mostNamed = 7;

/** Lets a commit go through only if no other review or change of a result was committed in the chart since the look. */
export type ReviewGuard = (written: Pick<StoredRecord, 'type' | 'id' | 'version'>) => UniqueChange;

const rowOf = ({ store }: Pick<RequestContext, 'store'>, chart: string): RowKey =>
  guardKey(criteriaPartition(store, task, chart, 'reviews'));

/** What the row of a chart says. One call. */
export const guardedReviews = (context: Pick<RequestContext, 'store'>, chart: string): Promise<string[]> =>
  guardedIds(context.store, rowOf(context, chart));

interface Entry {
  readonly count: number;
  readonly name: string;
  readonly version: number;
}

const entriesIn = (guarded: readonly string[]): readonly Entry[] =>
  guarded
    .flatMap((text) => {
      const [, count, name, version] = /^(\d+) (\S+\/\S+) (\d+)$/.exec(text) ?? [];
      return name === undefined ? [] : [{ count: Number(count), name, version: Number(version) }];
    })
    .sort((one, other) => one.count - other.count);

const isOfTask = ({ name }: Entry): boolean => name.startsWith('Task/');

/** @param expected - what the row said when it was read. */
export const reviewGuard = (
  context: Pick<RequestContext, 'store'>,
  chart: string,
  expected: readonly string[],
): ReviewGuard => {
  const entries = entriesIn(expected);
  const kept = entries.filter(isOfTask).slice(-mostNamed);
  const count = (entries.at(-1)?.count ?? 0) + 1;
  return ({ type, id, version }) => ({
    key: rowOf(context, chart),
    expected,
    add: [...kept, { count, name: `${type}/${id}`, version }].map(
      (each) => `${each.count} ${each.name} ${each.version}`,
    ),
    remove: [],
    replaces: true,
  });
};

/** Whether a look that was made beside the row knows of all that the row tells of. What was deleted since is not known, and is looked for again. */
export const isSeen = (
  guarded: readonly string[],
  { tasks, reports }: { readonly tasks: readonly StoredRecord[]; readonly reports: readonly StoredRecord[] },
): boolean =>
  entriesIn(guarded)
    .filter(isOfTask)
    .every(({ name, version }) => {
      const found = tasks.find((each) => `Task/${each.id}` === name && each.version >= version);
      const focus = nameIn((found?.resource as fhir4.Task | undefined)?.focus);
      if (!found || focus === undefined) return false;
      return !focus.startsWith('DiagnosticReport/') || reports.some(({ id }) => focus === `DiagnosticReport/${id}`);
    });
