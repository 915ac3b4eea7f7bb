import { RecordError } from '../../errors.ts';
import type { Resource } from '../../fhir/resource.ts';
import { typesOfPatients } from '../../record-types/homes.ts';
import { IdCodec } from '../../store/ids.ts';
import { inParallel } from '../../store/in-parallel.ts';
import type { Address } from '../../store/keys.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { written } from '../answers.ts';
import { guardsFor } from '../conditional-match.ts';
import type { Answer, RequestContext } from '../context.ts';
import { planDeletion, planDeletions } from '../delete.ts';
import { locate } from '../locate.ts';
import { parseBody } from '../parse-body.ts';
import { type Look, planPatch } from '../patch.ts';
import { type NewPlace, newPlace, type PlannedWrite, planCreate } from '../plan-write.ts';
import { planPut, planPutByCondition } from '../update.ts';
import { resolveConditions } from './conditional-references.ts';
import { concurrency, eachEntry } from './each-entry.ts';
import { type BundleContext, bodyOf, changes, contextOf, type Entry, mayCreate } from './entry.ts';
import { matchConditions, namedBy, nameOf, requireDistinctConditions } from './match-conditions.ts';
import { rewriteEntry } from './rewrite-entry.ts';

/** What an entry comes to. */
export interface Planned {
  readonly entry: Entry;
  readonly plans: readonly PlannedWrite[];
  /** Given where it is not that of a write: a conditional create found its record, or an operation has a result. */
  readonly answer?: Answer;
}

/**
 * Plans what entries write, each in the light of all others.
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
  // Deletions come first, so what this transaction deletes is not there any more for its other conditions.
  const deletions = writes.filter(({ method }) => method === 'DELETE');
  const deleted = new Set(deletions.flatMap((entry) => namedBy(entry, matched.get(entry))));
  const existing = (entry: Entry): StoredRecord | undefined =>
    matched.get(entry)?.matches.find((record) => !deleted.has(nameOf(record)));
  requireDistinctConditions(matched, (entry) => mayCreate(entry) && !existing(entry));
  /** The id that a PUT or PATCH writes to; undefined where its condition is met by nothing, and its body has none. */
  const idOf = (entry: Entry): string | undefined => {
    if (!matched.has(entry)) return entry.path[1];
    return existing(entry)?.id ?? (entry.method === 'PUT' ? idIn(bodyOf(entry)) : undefined);
  };
  const names = new Map<string, string>(); // fullUrl → Type/id
  const known = new Map<string, Address>();
  for (const entry of writes) {
    const record = existing(entry);
    const place = places.get(entry);
    if (record && place) names.set(`${entry.recordType.name}/${place.id}`, nameOf(record));
    const id = record?.id ?? (changes(entry) ? idOf(entry) : undefined);
    if (entry.fullUrl !== undefined && id !== undefined) names.set(entry.fullUrl, `${entry.recordType.name}/${id}`);
  }
  const conditions = await resolveConditions(bundle, writes);
  const rewrite = (entry: Entry) => rewriteEntry(entry, bundle.request.baseUrl, names, conditions);
  const fresh = writes.filter(
    (entry) => mayCreate(entry) && !existing(entry) && (entry.method === 'POST' || idOf(entry) === undefined),
  );
  // Patients and whatever else heads a chart come first: the ids of what belongs to a patient carry the patient's chart.
  const heads = fresh.filter(({ recordType }) => !typesOfPatients.has(recordType.name));
  const settle = async (group: readonly Entry[]) => {
    for (const entry of writes) rewrite(entry);
    await eachEntry(group, async (entry) => {
      const place = await placeFor({ ...contextOf(bundle, entry), known }, bodyOf(entry));
      const name = `${entry.recordType.name}/${place.id}`;
      const earlier = places.get(entry);
      if (earlier) names.set(`${entry.recordType.name}/${earlier.id}`, name);
      if (entry.fullUrl !== undefined) names.set(entry.fullUrl, name);
      places.set(entry, place);
    });
    for (const entry of group) {
      const place = places.get(entry);
      if (place) known.set(`${entry.recordType.name}/${place.id}`, place.address);
    }
    for (const entry of writes) rewrite(entry);
  };
  await settle(heads);
  const changed = writes.flatMap((entry) => {
    const id = changes(entry) && !existing(entry) ? idOf(entry) : undefined;
    return id === undefined ? [] : [{ entry, id }];
  });
  const current = await readChanged(bundle, changed, known);
  await settle(fresh.filter((entry) => !heads.includes(entry)));
  const rewritten = new Set(
    writes.flatMap((entry) => (entry.method === 'POST' && !entry.plan ? [] : namedBy(entry, matched.get(entry)))),
  );
  return eachEntry(writes, async (entry): Promise<Planned> => {
    const context = { ...contextOf(bundle, entry), known };
    const found = matched.get(entry);
    const record = existing(entry);
    if (entry.plan) return { entry, ...(await entry.plan(context)) };
    if (entry.method === 'POST') {
      if (record) return { entry, plans: [], answer: written(context, record, 200) };
      const place = places.get(entry) ?? unplaced();
      const parsed = parseBody(entry.recordType, entry.resource);
      return { entry, plans: [await planCreate(context, parsed, place, found && guardsFor(found, place.id))] };
    }
    const { target } = bundle.routeFor(entry.recordType, entry.method, entry.path.slice(1));
    const read = current.get(`${entry.recordType.name}/${idOf(entry)}`) ?? null;
    if (entry.method === 'PATCH')
      return { entry, plans: [await planPatch(context, record ?? read ?? undefined, { id: idOf(entry), looked })] };
    if (entry.method === 'PUT') {
      if (!found) return { entry, plans: [await planPut(context, target.id, read)] };
      const still = { ...found, matches: record ? [record] : [] };
      return { entry, plans: [await planPutByCondition(context, still, { place: places.get(entry), read })] };
    }
    if (found) return { entry, plans: await planDeletions(context, found.matches, rewritten) };
    const plan = await planDeletion(context, target.id, rewritten);
    return { entry, plans: plan ? [plan] : [] };
  });
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

const unplaced = (): never => {
  throw new Error('A create was not given a place');
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
    .sort((a, b) => Number(b.entry.recordType.name === 'Patient') - Number(a.entry.recordType.name === 'Patient'));
  for (const { entry, id } of fresh) {
    const context = { ...contextOf(bundle, entry), known };
    known.set(`${entry.recordType.name}/${id}`, (await newPlace(context, bodyOf(entry), id)).address);
  }
  return current;
};
