import { parseReference, referencesIn } from '../../fhir/references.ts';
import { inParallel } from '../../store/in-parallel.ts';
import type { Address } from '../../store/keys.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { ConditionalMatch } from '../conditional-match.ts';
import type { RequestContext } from '../context.ts';
import { chartPage, chartTooLarge, mostPages, planDeletion, planDeletions, referredTo } from '../delete.ts';
import { locate } from '../locate.ts';
import { type PlannedWrite, planDelete } from '../plan-write.ts';
import { notFound, requireTypeAccess } from '../require-access.ts';
import { GuardFailed } from '../save.ts';
import { requireVersion, requireWritable } from '../update.ts';
import { concurrency, eachEntry } from './each-entry.ts';
import { type BundleContext, contextOf, type Entry } from './entry.ts';
import { type Matched, nameOf } from './match-conditions.ts';

/** A record that is to be deleted, read before its chart was. */
interface Surrounded {
  readonly current: StoredRecord | undefined;
  /** Whether something in its chart refers to it that stays. */
  readonly referred: boolean;
}

/** The same by `Type/id`: of records whose chart was read for several of them at once. */
export type Surroundings = ReadonlyMap<string, Surrounded>;

/**
 * Reads each chart of which several records are to be deleted: once, not once for each of them. The records come first, so whatever refers to
 * one of them later changes the count in its row, which is a condition of the deletion.
 *
 * @param rewritten - `Type/id` of what the transaction deletes or replaces: what those referred to so far is no obstacle.
 * @throws RecordError `too-costly` if a chart is too large to be read.
 */
export const lookAroundAll = async (
  bundle: BundleContext,
  writes: readonly Entry[],
  { by }: Matched,
  rewritten: ReadonlySet<string>,
): Promise<Surroundings> => {
  const doomed = new Map<string, Address & { readonly entry: Entry }>();
  await eachEntry(
    writes.filter(({ method }) => method === 'DELETE'),
    async (entry) => {
      const found = by.get(entry);
      for (const match of found?.matches ?? []) doomed.set(nameOf(match), { ...match, entry });
      if (found) return;
      const [type = '', id = ''] = entry.path;
      const address = await locate(bundle, type, id);
      if (address) doomed.set(`${type}/${id}`, { ...address, entry });
    },
  );
  const charts = [...Map.groupBy(doomed, ([, { chart }]) => chart)].filter(([, records]) => records.length > 1);
  const read = await inParallel(concurrency, charts, async ([chart, records]) => {
    const found = await bundle.store.readMany(records.map(([, address]) => address));
    const byName = new Map(found.map((record) => [nameOf(record), record]));
    const named = await namedInChart(bundle, chart, rewritten);
    return records.map(([name]) => [name, { current: byName.get(name), referred: named.has(name) }] as const);
  });
  return new Map(read.flat());
};

/** `Type/id` of every record that others refer to which stand in a chart, or belong elsewhere and are mentioned there. */
const namedInChart = async (
  bundle: BundleContext,
  chart: string,
  rewritten: ReadonlySet<string>,
): Promise<Set<string>> => {
  const named = new Set<string>();
  let after: string | undefined;
  for (let pages = 1; ; pages++) {
    const page = await chartPage(bundle, chart, { order: 'key-order', ...(after === undefined ? {} : { after }) });
    for (const record of page.items) {
      const own = nameOf(record);
      if (!record.resource || rewritten.has(own)) continue;
      for (const { reference } of referencesIn(record.resource)) {
        const parsed = parseReference(reference, bundle.request.baseUrl);
        if (parsed.kind === 'record' && `${parsed.type}/${parsed.id}` !== own) named.add(`${parsed.type}/${parsed.id}`);
      }
    }
    if (page.next === undefined) return named;
    if (pages === mostPages) throw chartTooLarge();
    after = page.next;
  }
};

/**
 * Plans what an entry deletes, in the light of what was read around it.
 *
 * @throws GuardFailed; RecordError whatever stands against it.
 */
export const planEntryDeletions = async (
  bundle: BundleContext,
  entry: Entry,
  found: ConditionalMatch | undefined,
  rewritten: ReadonlySet<string>,
  surroundings: Surroundings,
): Promise<readonly PlannedWrite[]> => {
  const context = contextOf(bundle, entry);
  const names = found ? found.matches.map(nameOf) : [entry.path.join('/')];
  const around = names.flatMap((name) => surroundings.get(name) ?? []);
  if (around.length === names.length) {
    const plans = await Promise.all(around.map((record) => planSurrounded(context, record)));
    for (const [index, match] of found?.matches.entries() ?? [])
      if (plans[index] && plans[index].previous?.version !== match.version) throw new GuardFailed();
    return plans.filter((plan) => plan !== undefined);
  }
  if (found) return planDeletions(context, found.matches, rewritten);
  const plan = await planDeletion(context, entry.path[1] ?? '', rewritten);
  return plan ? [plan] : [];
};

const planSurrounded = async (
  context: RequestContext,
  { current, referred }: Surrounded,
): Promise<PlannedWrite | undefined> => {
  requireTypeAccess(context, 'd');
  if (!current) throw notFound(context);
  await requireWritable(context, current, 'd');
  if (!current.resource) return undefined;
  requireVersion(context, current);
  if (referred) throw referredTo();
  return planDelete(context, current);
};
