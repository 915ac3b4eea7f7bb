import { RecordError } from '../errors.ts';
import { parseReference, referencesIn } from '../fhir/references.ts';
import { inParallel } from '../store/in-parallel.ts';
import { type Address, recordKey } from '../store/keys.ts';
import type { Page, QueryOptions } from '../store/record-store.ts';
import type { StoredRecord } from '../store/rows.ts';
import { answerTo } from './answers.ts';
import { conditionalMatch, conditionOf, inQuery } from './conditional-match.ts';
import type { Answer, Interaction, RequestContext } from './context.ts';
import { locate } from './locate.ts';
import { lookAgain } from './look-again.ts';
import { type PlannedWrite, planDelete } from './plan-write.ts';
import { notFound, requireTypeAccess } from './require-access.ts';
import { GuardFailed, ReferredMeanwhile, save } from './save.ts';
import { requireVersion, requireWritable } from './update.ts';

/** How often a record is read again that changes while its chart is looked at. */
export const tries = 5;

/** Records that one condition may delete. Each of them has its chart read, to see what refers to it. */
export const mostByCondition = 50;
const concurrency = 8;

/** Pages of a chart, of 1 MB each, that are read to see what refers to a record: some 25,000 records. */
export const mostPages = 10;

/**
 * FHIR delete, `DELETE /{type}/{id}`: the record answers 410 from then on, its history stays. Deleting it again changes nothing.
 * https://hl7.org/fhir/R4/http.html#delete
 */
export const deleteRecord: Interaction = async (context, { id }) =>
  lookAgain(async () => {
    const plan = await planDeletion(context, id);
    if (!plan) return { statusCode: 204 };
    await save(context, [plan]);
    return answerTo(context, plan);
  });

/**
 * FHIR conditional delete, `DELETE /{type}?{condition}`: of all records that meet the condition, or of none.
 * https://hl7.org/fhir/R4/http.html#3.1.0.7.1
 */
export const deleteByCondition: Interaction = async (context) => {
  requireTypeAccess(context, 'd');
  return lookAgain(async () => {
    const condition = conditionOf(context.request);
    const { matches } = await conditionalMatch(context, condition, inQuery, mostByCondition);
    const plans = await planDeletions(context, matches);
    const answer = answerDeletions(context, plans);
    if (plans.length > 0) await save(context, plans, () => [answer]);
    return answer;
  });
};

/** What the deletion of whatever met a condition is answered with. */
export const answerDeletions = (context: RequestContext, [plan, ...others]: readonly PlannedWrite[]): Answer =>
  plan && others.length === 0 ? answerTo(context, plan) : { statusCode: 204 };

/**
 * Plans the deletion of all records that meet a condition. What is deleted by now is left out.
 *
 * @param rewritten - as for `planDeletion`, besides these.
 * @throws GuardFailed if one is no longer as it was when it met the condition; whatever stands against the deletion of one of them.
 */
export const planDeletions = async (
  context: RequestContext,
  matches: readonly StoredRecord[],
  rewritten: ReadonlySet<string> = new Set(),
): Promise<PlannedWrite[]> => {
  const gone = new Set([...rewritten, ...matches.map(({ type, id }) => `${type}/${id}`)]);
  const plans = await inParallel(concurrency, matches, async (match) => {
    const plan = await planDeletion(context, match.id, gone);
    if (plan && plan.previous?.version !== match.version) throw new GuardFailed();
    return plan;
  });
  return plans.filter((plan) => plan !== undefined);
};

/**
 * Plans a deletion; undefined if the record is deleted already.
 *
 * @param rewritten - `Type/id` of records that the same transaction deletes or replaces: what those referred to so far is no obstacle.
 * @throws RecordError `conflict` if others refer to it; `too-costly` if the chart is too large to see that.
 */
export const planDeletion = async (
  context: RequestContext,
  id: string,
  rewritten: ReadonlySet<string> = new Set(),
): Promise<PlannedWrite | undefined> => {
  requireTypeAccess(context, 'd');
  const { recordType, store } = context;
  const address = await locate(context, recordType.name, id);
  if (!address) throw notFound(context);
  for (let attempt = 0; attempt < tries; attempt++) {
    const { current, pages } = await lookAround(context, address);
    // Not among its chart's records: deleted, or never there.
    const read = current ?? (await store.read(address));
    await context.sharing.lookUp([read ?? address]);
    if (!read) throw notFound(context);
    await requireWritable(context, read, 'd');
    if (!read.resource) return undefined;
    if (!current) continue;
    requireVersion(context, current);
    await requireUnreferenced(context, current, pages, rewritten);
    return planDelete(context, current);
  }
  throw new ReferredMeanwhile();
};

type Direction = NonNullable<QueryOptions['order']>;

/** A record and the first page of its chart in both directions from it. */
export interface Surroundings {
  /** Undefined if it is deleted, was never there, or changed between the two reads. */
  readonly current: StoredRecord | undefined;
  readonly pages: readonly (Page<StoredRecord> & { readonly direction: Direction })[];
}

/**
 * Reads a chart outwards from one record: the record comes first in both directions. So whatever referred to it, as its row counts, was
 * there before the rest was read; and what refers to it later changes the count, which is a condition of the deletion. Reading the
 * record beside the chart would take as many calls and could miss a reference that is made between the two.
 */
export const lookAround = async (context: RequestContext, address: Address): Promise<Surroundings> => {
  const from = recordKey(address).sk;
  const pages = await Promise.all(
    (['key-order', 'newest-first'] as const).map(async (direction) => ({
      direction,
      ...(await chartPage(context, address.chart, { order: direction, from })),
    })),
  );
  const [first, second] = pages.map(({ items }) =>
    items.find(({ type, place }) => type === address.type && place === address.place),
  );
  const same = first?.version === second?.version && first?.refs === second?.refs;
  return { current: same ? first : undefined, pages };
};

/**
 * What is referred to must stay. Records of other charts that refer to one of this are mentioned here. References to people, places and
 * organisations are not looked for: those are set inactive instead of deleted when they end.
 */
const requireUnreferenced = async (
  context: RequestContext,
  current: StoredRecord,
  firstPages: Surroundings['pages'],
  rewritten: ReadonlySet<string>,
): Promise<void> => {
  const [referring] = await referringTo(context, current, firstPages, rewritten, 1);
  if (referring) throw referredTo();
};

/**
 * Records that refer to one, at least as many as are wanted where there are; perhaps the rest of a page.
 *
 * @param rewritten - `Type/id` of records that do not count.
 * @throws RecordError `too-costly` if the chart is too large to see that.
 */
export const referringTo = async (
  context: Pick<RequestContext, 'request' | 'store'>,
  current: StoredRecord,
  firstPages: Surroundings['pages'],
  rewritten: ReadonlySet<string>,
  wanted: number,
): Promise<readonly StoredRecord[]> => {
  const found = new Map<string, StoredRecord>();
  let read = firstPages.length;
  for (const { direction, ...first } of firstPages) {
    for (let page: Page<StoredRecord> = first; ; ) {
      for (const record of page.items) {
        const name = `${record.type}/${record.id}`;
        const counts = name !== `${current.type}/${current.id}` && !rewritten.has(name);
        if (counts && refersTo(record, current, context.request.baseUrl)) found.set(name, record);
      }
      if (found.size >= wanted) return [...found.values()];
      if (page.next === undefined) break;
      if (++read > mostPages) throw chartTooLarge();
      page = await chartPage(context, current.chart, { order: direction, after: page.next });
    }
  }
  return [...found.values()];
};

export const referredTo = () => new RecordError('conflict', 'Other records refer to it', { reason: 'referenced' });

export const chartTooLarge = () =>
  new RecordError(
    'too-costly',
    'The chart is too large to make sure that nothing refers to the record; mark it as entered in error instead',
  );

/** A page of whatever may refer to records of a chart. */
export const chartPage = (
  { store }: Pick<RequestContext, 'store'>,
  chart: string,
  options: QueryOptions,
): Promise<Page<StoredRecord>> => store.chart(chart, undefined, { ...options, pointers: 'others', mentions: true });

const refersTo = ({ resource }: StoredRecord, { type, id }: StoredRecord, baseUrl: string): boolean =>
  resource !== undefined &&
  referencesIn(resource).some(({ reference }) => {
    const parsed = parseReference(reference, baseUrl);
    return parsed.kind === 'record' && parsed.type === type && parsed.id === id;
  });
