import type { Access } from '../../audit/audit-trail.ts';
import { RecordError } from '../../errors.ts';
import { refusal } from '../../fhir/operation-outcome.ts';
import { parseReference, rewriteReferences } from '../../fhir/references.ts';
import type { Resource } from '../../fhir/resource.ts';
import { log } from '../../log.ts';
import { typesOfPatients } from '../../record-types/homes.ts';
import { IdCodec } from '../../store/ids.ts';
import { inParallel } from '../../store/in-parallel.ts';
import type { Address } from '../../store/keys.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { answerTo, written } from '../answers.ts';
import { type ConditionalMatch, conditionalMatch, conditionOf, guardsFor, inQuery } from '../conditional-match.ts';
import type { Answer, RequestContext } from '../context.ts';
import { answerDeletions, mostByCondition, planDeletion, planDeletions } from '../delete.ts';
import { locate } from '../locate.ts';
import { lookAgain } from '../look-again.ts';
import { carriedOutOnce, repeated } from '../once.ts';
import { parseBody } from '../parse-body.ts';
import { planPatch, tracingRefusals } from '../patch.ts';
import { type NewPlace, newPlace, type PlannedWrite, planCreate } from '../plan-write.ts';
import { requireTypeAccess } from '../require-access.ts';
import { save, TimeTaken } from '../save.ts';
import { entriesOf } from '../searchset.ts';
import { planPut, planPutByCondition } from '../update.ts';
import { answerEntry, type BundleContext, type Entry, inEntry, parseEntry } from './entry.ts';
import { withinAnswer } from './within-answer.ts';

const concurrency = 16;

/**
 * FHIR transaction: every entry or none. Entries may refer to each other in any order, by `fullUrl` and by conditional references.
 * https://hl7.org/fhir/R4/http.html#trules
 *
 * Entries that read come after the commit: one that finds nothing says so in its own answer.
 *
 * @throws RecordError naming the entries that stand against it; nothing was written then.
 */
export const transaction = async (
  context: BundleContext,
  given: readonly unknown[],
  requestId: string,
): Promise<fhir4.Bundle> => {
  const entries = await Promise.all(given.map((entry, index) => understood(context, entry, index)));
  requireDistinct(entries);
  const writes = entries.filter(({ method }) => method !== 'GET' && method !== 'HEAD');
  const results = await carriedOutOnce(context, {
    work: (own) => tracingRefusals(own, (looked) => writeAll(own, writes, looked)),
    answersOf: (result) => result,
    repeat: (kept) =>
      inParallel(concurrency, writes, (entry, index) =>
        repeated(contextOf(context, entry), kept[index], entry.request.prefer.return === 'representation'),
      ),
  });
  const answers = new Map(writes.map((entry, index) => [entry.index, results[index] ?? { statusCode: 200 }]));
  for (const entry of entries.filter((candidate) => !writes.includes(candidate)))
    answers.set(entry.index, await read(context, entry, requestId));
  return {
    resourceType: 'Bundle',
    type: 'transaction-response',
    ...entriesOf(
      withinAnswer(
        entries.map((entry) => answerEntry(entry, answers.get(entry.index) ?? { statusCode: 200 })),
        requestId,
      ),
    ),
  };
};

/** An entry whose path is known to offer its method, before anything is written. */
const understood = async (context: BundleContext, given: unknown, index: number): Promise<Entry> => {
  try {
    const entry = await parseEntry(context, given, index);
    const { route } = context.routeFor(entry.recordType, entry.request.method, entry.path.slice(1));
    if (entry.method === 'POST' && route.name !== 'create') {
      throw new RecordError('invalid', 'A POST in a transaction creates', {
        expression: `Bundle.entry[${index}].request.url`,
      });
    }
    return entry;
  } catch (error) {
    throw inEntry(error, index);
  }
};

/** Answers of entries that write, in their order. */
const writeAll = async (
  context: BundleContext,
  writes: readonly Entry[],
  looked: Access[],
): Promise<readonly Answer[]> => {
  // A later try gives new places, and rewrites the references that an earlier one made.
  const places = new Map<Entry, NewPlace>();
  return lookAgain(async () => {
    const planned = await planAll(context, writes, places, looked);
    const plans = planned.flatMap((each) => each.plans);
    requireOneWriteEach(planned);
    const answers = planned.map(({ entry, plans, answer }) => answer ?? answerWrite(context, entry, plans));
    try {
      if (plans.length > 0) await save(context, plans, answers);
    } catch (error) {
      throw located(error, planned);
    }
    return answers;
  });
};

interface Planned {
  readonly entry: Entry;
  readonly plans: readonly PlannedWrite[];
  /** Given where nothing is to be written because a conditional create found its record. */
  readonly answer?: Answer;
}

const planAll = async (
  bundle: BundleContext,
  writes: readonly Entry[],
  places: Map<Entry, NewPlace>,
  looked: Access[],
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
    writes.flatMap((entry) => (entry.method === 'POST' ? [] : namedBy(entry, matched.get(entry)))),
  );
  return eachEntry(writes, async (entry): Promise<Planned> => {
    const context = { ...contextOf(bundle, entry), known };
    const found = matched.get(entry);
    const record = existing(entry);
    if (entry.method === 'POST') {
      if (record) return { entry, plans: [], answer: written(context, record, 200) };
      const place = places.get(entry) ?? unplaced();
      const parsed = parseBody(entry.recordType, entry.resource);
      return { entry, plans: [await planCreate(context, parsed, place, found && guardsFor(found, place.id))] };
    }
    const { target } = bundle.routeFor(entry.recordType, entry.method, entry.path.slice(1));
    const read = current.get(`${entry.recordType.name}/${idOf(entry)}`) ?? null;
    if (entry.method === 'PATCH')
      return { entry, plans: [await planPatch(context, record ?? read ?? undefined, looked)] };
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

const mayCreate = ({ method }: Entry): boolean => method === 'POST' || method === 'PUT';
const changes = ({ method }: Entry): boolean => method === 'PUT' || method === 'PATCH';

const unplaced = (): never => {
  throw new Error('A create was not given a place');
};

const nameOf = ({ type, id }: StoredRecord): string => `${type}/${id}`;

/** `Type/id` of the records that an entry's URL means. */
const namedBy = ({ path }: Entry, found: ConditionalMatch | undefined): string[] =>
  found ? found.matches.map(nameOf) : [`${path[0]}/${path[1]}`];

/** What meets the conditions under which entries write. */
const matchConditions = async (
  bundle: BundleContext,
  writes: readonly Entry[],
): Promise<Map<Entry, ConditionalMatch>> => {
  const matched = new Map<Entry, ConditionalMatch>();
  await eachEntry(writes, async (entry) => {
    const context = contextOf(bundle, entry);
    const { method, path, request } = entry;
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

const bodyOf = (entry: Entry): Resource => {
  if (typeof entry.resource === 'object' && entry.resource !== null && !Array.isArray(entry.resource)) {
    const { resourceType } = entry.resource as { resourceType?: unknown };
    if (resourceType === entry.recordType.name) return entry.resource as Resource;
  }
  throw new RecordError('invalid', `The entry needs a ${entry.recordType.name} resource`, {
    expression: `Bundle.entry[${entry.index}].resource`,
  });
};

const contextOf = (bundle: BundleContext, entry: Entry): RequestContext => ({
  ...bundle,
  recordType: entry.recordType,
  request: entry.request,
});

/** Runs a step for every entry; a refusal says which entry it is about. */
const eachEntry = <T>(entries: readonly Entry[], step: (entry: Entry) => Promise<T>): Promise<T[]> =>
  inParallel(concurrency, entries, async (entry) => {
    try {
      return await step(entry);
    } catch (error) {
      throw inEntry(error, entry.index);
    }
  });

/** `Type?query` → `Type/id`, each condition looked up once. https://hl7.org/fhir/R4/http.html#trules */
const resolveConditions = async (bundle: BundleContext, writes: readonly Entry[]): Promise<Map<string, string>> => {
  const found = new Map<string, { entry: Entry; expression: string; type: string; query: string }>();
  for (const entry of writes) {
    if (typeof entry.resource !== 'object' || entry.resource === null) continue;
    rewriteReferences(entry.resource as Resource, (reference, expression) => {
      const parsed = parseReference(reference, bundle.request.baseUrl);
      if (parsed.kind === 'conditional' && !found.has(reference))
        found.set(reference, { entry, expression, ...parsed });
      return undefined;
    });
  }
  const resolved = await inParallel(
    concurrency,
    [...found],
    async ([reference, { entry, expression, type, query }]) => {
      try {
        const recordType = await bundle.typeNamed(type);
        if (!recordType) throw new RecordError('invalid', 'There is no such resource type', { expression });
        const { matches } = await conditionalMatch({ ...contextOf(bundle, entry), recordType }, query, expression);
        const [match] = matches;
        if (!match)
          throw new RecordError('invalid', 'The conditional reference matches no record', {
            reason: 'reference-not-found',
            expression,
          });
        return [reference, `${type}/${match.id}`] as const;
      } catch (error) {
        throw inEntry(error, entry.index);
      }
    },
  );
  return new Map(resolved);
};

/** Rewrites in place what names another entry: by its fullUrl, or relative to the entry's own base. */
const rewriteEntry = (
  entry: Entry,
  baseUrl: string,
  names: ReadonlyMap<string, string>,
  conditions: ReadonlyMap<string, string>,
): void => {
  if (typeof entry.resource !== 'object' || entry.resource === null) return;
  const ownBase = /^(https?:\/\/.*)\/[A-Z][A-Za-z]+\/[^/]+$/.exec(entry.fullUrl ?? '')?.[1];
  rewriteReferences(entry.resource as Resource, (reference) => {
    const [whole = '', fragment] = reference.split('#');
    const name =
      names.get(whole) ??
      conditions.get(reference) ??
      (ownBase && ownBase !== baseUrl ? names.get(`${ownBase}/${whole}`) : undefined);
    return name === undefined ? undefined : fragment === undefined ? name : `${name}#${fragment}`;
  });
};

const answerWrite = (bundle: BundleContext, entry: Entry, plans: readonly PlannedWrite[]): Answer => {
  const context = contextOf(bundle, entry);
  if (entry.method === 'DELETE') return answerDeletions(context, plans);
  const [plan] = plans;
  if (!plan) throw new Error('An entry was neither planned nor answered');
  return answerTo(context, plan);
};

const read = async (bundle: BundleContext, entry: Entry, requestId: string): Promise<Answer> => {
  try {
    const { route, target } = bundle.routeFor(entry.recordType, entry.request.method, entry.path.slice(1));
    return await route.interaction(contextOf(bundle, entry), target);
  } catch (error) {
    const { statusCode, outcome } = refusal(inEntry(error, entry.index), requestId);
    if (statusCode === 500) log.fault('transaction entry failed', error, { requestId });
    return { statusCode, resource: outcome };
  }
};

/** https://hl7.org/fhir/R4/bundle.html#invs (bdl-7) */
const requireDistinct = (entries: readonly Entry[]): void => {
  const seen = new Map<string, number>();
  for (const { fullUrl, index } of entries) {
    if (fullUrl === undefined) continue;
    const first = seen.get(fullUrl);
    if (first !== undefined) {
      throw new RecordError('invalid', `Entries ${first} and ${index} have the same fullUrl`, {
        expression: `Bundle.entry[${index}].fullUrl`,
      });
    }
    seen.set(fullUrl, index);
  }
};

/** Two entries that would each create what the other one's condition looks for cannot both be meant. */
const requireDistinctConditions = (
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

const requireOneWriteEach = (planned: readonly Planned[]): void => {
  const seen = new Map<string, number>();
  for (const { entry, next } of planned.flatMap(({ entry, plans }) => plans.map(({ next }) => ({ entry, next })))) {
    const name = nameOf(next);
    const first = seen.get(name);
    if (first !== undefined) {
      throw new RecordError('invalid', `Entries ${first} and ${entry.index} write the same record`, {
        expression: `Bundle.entry[${entry.index}].request.url`,
      });
    }
    seen.set(name, entry.index);
  }
};

/** A reference that led nowhere at the commit, or time that others have, is named with its entry. */
const located = (error: unknown, planned: readonly Planned[]): unknown => {
  if (error instanceof TimeTaken) {
    const entry = planned.find(({ plans }) => plans.some(({ next }) => nameOf(next) === error.owner))?.entry;
    return entry ? inEntry(error, entry.index) : error;
  }
  if (!(error instanceof RecordError) || error.reason !== 'reference-not-found') return error;
  const labels = new Set(error.details.map(({ expression }) => expression));
  const owner = planned.find(({ plans }) => plans.some(({ checks }) => checks.some(({ label }) => labels.has(label))));
  return owner ? inEntry(error, owner.entry.index) : error;
};
