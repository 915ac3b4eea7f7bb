import { RecordError } from '../../errors.ts';
import type { Resource } from '../../fhir/resource.ts';
import { typesOfPatients } from '../../record-types/homes.ts';
import { IdCodec } from '../../store/ids.ts';
import { inParallel } from '../../store/in-parallel.ts';
import type { Address } from '../../store/keys.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { written } from '../answers.ts';
import { type ConditionalMatch, guardsFor } from '../conditional-match.ts';
import type { Answer, RequestContext } from '../context.ts';
import { notesVisits } from '../label-write.ts';
import { locate } from '../locate.ts';
import { parseBody } from '../parse-body.ts';
import { type Look, planPatch } from '../patch.ts';
import { type NewPlace, newPlace, type PlannedWrite, planCreate, tellsOfOthers } from '../plan-write.ts';
import { planPut, planPutByCondition } from '../update.ts';
import { resolveConditions } from './conditional-references.ts';
import { concurrency, eachEntry } from './each-entry.ts';
import { type BundleContext, bodyOf, changes, contextOf, type Entry, mayCreate } from './entry.ts';
import { matchConditions, namedBy, nameOf, requireDistinctConditions } from './match-conditions.ts';
import { lookAroundAll, planEntryDeletions, type Surroundings } from './plan-deletions.ts';
import { type LinkTargets, rewriteEntry } from './rewrite-entry.ts';

/** What an entry comes to. */
export interface Planned {
  readonly entry: Entry;
  readonly plans: readonly PlannedWrite[];
  /** Given where it is not that of a write: a conditional create found its record, or an operation has a result. */
  readonly answer?: Answer;
}

/**
 * Plans what entries write, each in the light of all others: conditions are looked at, names and places are given, links rewritten, and only then
 * is each resource judged.
 *
 * @param places - where an earlier try has placed what is created; filled with where this one does.
 * @param looked - as `tracingRefusals` gives it.
 * @throws RecordError naming the entry that something stands against.
 */
export const planAll = async (
  bundle: BundleContext,
  writes: readonly Entry[],
  places: Map<Entry, NewPlace>,
  looked: Look[],
): Promise<Planned[]> => {
  const matched = await matchConditions(bundle, writes);
  const existing = (entry: Entry): StoredRecord | undefined =>
    entry.method === 'DELETE' ? undefined : matched.by.get(entry)?.matches[0];
  requireDistinctConditions(matched, (entry) => mayCreate(entry) && !existing(entry));
  /** The id that an entry writes to; undefined where the record is new, and its id ours to give. */
  const idOf = (entry: Entry): string | undefined => {
    const record = existing(entry);
    if (record || entry.method === 'POST') return record?.id;
    return matched.by.has(entry) ? (entry.method === 'PUT' ? idIn(bodyOf(entry)) : undefined) : entry.path[1];
  };
  const targets: LinkTargets = { names: new Map(), versions: new Map(), searches: new Map() };
  const known = new Map<string, Address>();
  const meant = await resolveConditions(bundle, writes, {
    writing: writes.filter((entry) => mayCreate(entry) && !(entry.method === 'POST' && existing(entry))),
    idOf,
    deleted: matched.deleted,
  });
  const references = Map.groupBy(meant, ([, found]) => found);
  for (const [reference, found] of meant) if (typeof found === 'string') targets.searches.set(reference, found);
  const writing = new Map<string, Entry>();
  const saying = (name: string): Resource | undefined => {
    const entry = writing.get(name);
    return entry && bodyOf(entry);
  };
  const called = (entry: Entry, id: string) => {
    const name = `${entry.recordType.name}/${id}`;
    if (entry.method === 'PUT' || (mayCreate(entry) && !existing(entry))) writing.set(name, entry);
    const earlier = places.get(entry);
    if (earlier) targets.names.set(`${entry.recordType.name}/${earlier.id}`, name);
    if (entry.fullUrl !== undefined) targets.names.set(entry.fullUrl, name);
    for (const [reference] of references.get(entry) ?? []) targets.searches.set(reference, name);
    return name;
  };
  for (const entry of writes) {
    const [record, id] = [existing(entry), mayCreate(entry) || changes(entry) ? idOf(entry) : undefined];
    if (id === undefined) continue;
    const name = called(entry, id);
    if (record) targets.versions.set(name, record.version + (entry.method === 'POST' ? 0 : 1));
  }
  const rewriteAll = () => {
    for (const entry of writes) rewriteEntry(entry, bundle.request.baseUrl, targets);
  };
  const fresh = writes.filter((entry) => mayCreate(entry) && idOf(entry) === undefined);
  // Patients and whatever else heads a chart come first: the ids of what belongs to a patient carry the patient's chart.
  const heads = fresh.filter(({ recordType }) => !typesOfPatients.has(recordType.name));
  const settle = async (group: readonly Entry[]) => {
    rewriteAll();
    await eachEntry(group, async (entry) => {
      const place = await placeFor({ ...contextOf(bundle, entry), known }, bodyOf(entry));
      targets.versions.set(called(entry, place.id), 1);
      places.set(entry, place);
    });
    for (const entry of group) {
      const place = places.get(entry);
      if (place) known.set(`${entry.recordType.name}/${place.id}`, place.address);
    }
    rewriteAll();
  };
  await settle(heads);
  const changed = writes.flatMap((entry) => {
    const id = changes(entry) && !existing(entry) ? idOf(entry) : undefined;
    return id === undefined ? [] : [{ entry, id }];
  });
  const current = await readChanged(bundle, changed, known);
  for (const { entry, id } of changed) {
    const name = `${entry.recordType.name}/${id}`;
    targets.versions.set(name, (current.get(name)?.version ?? 0) + 1);
  }
  const others = fresh.filter((entry) => !heads.includes(entry));
  await settle(others.filter(({ recordType }) => !tellsOfOthers(recordType)));
  await settle(others.filter(({ recordType }) => tellsOfOthers(recordType)));
  const rewritten = new Set(
    writes.flatMap((entry) => (entry.method === 'POST' && !entry.plan ? [] : namedBy(entry, matched.by.get(entry)))),
  );
  const surroundings = await lookAroundAll(bundle, writes, matched, rewritten);
  for (;;) {
    const planned = await eachEntry(writes, (entry) =>
      planEntry(bundle, entry, {
        known,
        saying,
        found: matched.by.get(entry),
        record: existing(entry),
        read: current.get(`${entry.recordType.name}/${idOf(entry)}`) ?? null,
        place: places.get(entry),
        rewritten,
        surroundings,
        looked,
      }),
    );
    // Whether a visit is one to a programme is known once it is planned; and what names it may be a visit again.
    const isSettled = !notesVisits(
      bundle,
      planned.flatMap(({ plans }) => plans),
    );
    if (isSettled) return planned;
  }
};

/** What is known of an entry by the time it is planned. */
interface Settled {
  /** Where the transaction puts what it creates, by `Type/id`. */
  readonly known: ReadonlyMap<string, Address>;
  readonly saying: RequestContext['saying'];
  /** What its condition found, if it has one. */
  readonly found: ConditionalMatch | undefined;
  /** The one record among it that the entry is about. */
  readonly record: StoredRecord | undefined;
  /** The record that its URL names; null if there is none. */
  readonly read: StoredRecord | null;
  readonly place: NewPlace | undefined;
  /** `Type/id` of what the transaction deletes or replaces. */
  readonly rewritten: ReadonlySet<string>;
  readonly surroundings: Surroundings;
  readonly looked: Look[];
}

const planEntry = async (
  bundle: BundleContext,
  entry: Entry,
  { known, saying, found, record, read, place, rewritten, surroundings, looked }: Settled,
): Promise<Planned> => {
  const context = { ...contextOf(bundle, entry), known, saying };
  const id = entry.path[1] ?? '';
  if (entry.plan) return { entry, ...(await entry.plan(context)) };
  switch (entry.method) {
    case 'POST': {
      if (record) return { entry, plans: [], answer: written(context, record, 200) };
      if (!place) throw new Error('A create was not given a place');
      const parsed = parseBody(entry.recordType, entry.resource);
      const plan = await planCreate(context, parsed, place, found && guardsFor(found, place.id));
      if (context.store.isReduced) {
        return { entry, ...(await (await import('../hand-on.lazy.ts')).handedOn(context, plan)) };
      }
      return { entry, plans: [plan] };
    }
    case 'PATCH':
      return {
        entry,
        plans: [await planPatch(context, record ?? read ?? undefined, { id: record?.id ?? entry.path[1], looked })],
      };
    case 'PUT':
      return {
        entry,
        plans: [await (found ? planPutByCondition(context, found, { place, read }) : planPut(context, id, read))],
      };
    default:
      return { entry, plans: await planEntryDeletions(bundle, entry, found, rewritten, surroundings) };
  }
};

/**
 * A place for a body that is checked only once the references in it are known. What is not of its type's form is refused here already, if
 * its patients or its date cannot be read.
 */
const placeFor = async (context: RequestContext, resource: Resource): Promise<NewPlace> => {
  try {
    return await newPlace(context, resource);
  } catch (error) {
    if (!(error instanceof RecordError)) parseBody(context.recordType, resource);
    throw error;
  }
};

/** What is no text is no id: the body is refused for it, once it is looked at. */
const idIn = ({ id }: Resource): string | undefined => (typeof id === 'string' ? id : undefined);

/** Patients have their places first, and last what belongs where other records are. */
const turnOf = ({ recordType }: Entry): number => {
  if (recordType.name === 'Patient') return 0;
  return tellsOfOthers(recordType) ? 2 : 1;
};

/**
 * Reads what PUT and PATCH entries change, all at once, and places what a PUT brings into being under an id of the client's, so that other
 * entries may refer to it.
 *
 * @returns current versions by `Type/id`.
 */
const readChanged = async (
  bundle: BundleContext,
  changed: readonly { readonly entry: Entry; readonly id: string }[],
  known: Map<string, Address>,
): Promise<Map<string, StoredRecord>> => {
  const addresses = await inParallel(concurrency, changed, ({ entry, id }) =>
    locate({ ...contextOf(bundle, entry), known }, entry.recordType.name, id),
  );
  const wanted = addresses.filter((address) => address !== undefined);
  const records = wanted.length === 0 ? [] : await bundle.store.readMany(wanted);
  const current = new Map(records.map((record) => [nameOf(record), record]));
  const fresh = changed
    .filter(
      ({ entry, id }) =>
        entry.method === 'PUT' && !current.has(`${entry.recordType.name}/${id}`) && !IdCodec.hasForm(id),
    )
    .sort((a, b) => turnOf(a.entry) - turnOf(b.entry));
  for (const { entry, id } of fresh) {
    const context = { ...contextOf(bundle, entry), known };
    known.set(`${entry.recordType.name}/${id}`, (await newPlace(context, bodyOf(entry), id)).address);
  }
  return current;
};
