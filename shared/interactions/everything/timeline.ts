import { decideType } from '../../access/decide.ts';
import { RecordError } from '../../errors.ts';
import type { Resource } from '../../fhir/resource.ts';
import type { PagePosition } from '../../http/page-token.ts';
import { typesOfPatients } from '../../record-types/homes.ts';
import { factsOfType } from '../../record-types/subjects.ts';
import { dateInterval } from '../../search/date-range.ts';
import type { LinkedChart, linkedWith } from '../../store/chart-links.ts';
import type { timeKey, timeOfPlace } from '../../store/ids.ts';
import { jsonBytesOf, type StoredRecord } from '../../store/rows.ts';
import type { Answer, RequestContext } from '../context.ts';
import { readInput } from '../operation-input.ts';
import { requireReadable, requireTypeAccess } from '../require-access.ts';
import {
  askedPage,
  coverage,
  entriesOf,
  entryOf,
  largestPageBytes,
  nextLink,
  selfLink,
  weightOf,
} from '../searchset.ts';
import { addressed, type Everything, pairsOf, queryText, traceOthers, typesIn } from './everything.ts';
import { compareSpots, newestFirst, type Placed, type Spot, spotOf } from './newest-first.ts';
import { mayRead } from './referenced.ts';
import { UnseenRecords } from './unseen-records.ts';

export const timelineInput = {
  start: { type: 'date' },
  end: { type: 'date' },
  category: { type: 'string', many: true },
  _type: { type: 'code', many: true },
  _count: { type: 'integer' },
} as const;

/** What of the store it takes: this code has a file of its own, with nothing of the store in it. */
export interface TimelineReading extends Pick<Everything, 'readPage'> {
  readonly linkedWith: typeof linkedWith;
  readonly timeKey: typeof timeKey;
  readonly timeOfPlace: typeof timeOfPlace;
}

const usualPage = 50;
const largestPage = 200;
/** Rows of a chart that are read as they are, in one call, and put in order: charts with more are read type by type. */
const smallChart = 500;
/** As few types are read by themselves at once. */
const fewTypes = 4;
/** Rounds of calls of one page; where so much is passed over, it ends early, with a link. */
const mostRounds = 8;

/** Where a page goes on, whether something was unseen before, whether the chart is more than a small one, and the linked charts. */
type Position = [spot: Spot, unseen: 0 | 1, large: 0 | 1, ...linked: LinkedChart[]];

/**
 * `Patient/{id}/$timeline`: the records of a chart and of those linked with it that the caller may see, newest clinical date first. One call for a small chart;
 * else a few rows of each type, all at once, and perhaps once more: what lies behind the page is not read.
 *
 * @throws RecordError as `$everything`.
 */
export const timelineOfPatient = async (
  context: RequestContext,
  id: string,
  reading: TimelineReading,
): Promise<Answer> => {
  requireTypeAccess(context, 'r');
  if (context.store.isReduced) {
    throw new RecordError('forbidden', 'Your role does not allow taking out a whole chart', {
      reason: 'forbidden-role',
    });
  }
  const asked = askedPage(context);
  const input = readInput(context, timelineInput, asked?.query);
  const query = pairsOf(input);
  const named = typesIn(input._type);
  const limit = pageSize(input._count);
  const isMeant = meant(input, reading.timeOfPlace);
  const address = await addressed(context, id);
  const name = `Patient/${id}`;
  const [from, before = 0, large = 0, ...known] = positionIn(asked) ?? [beginning(input.end, reading)];
  const unseen = new UnseenRecords(context, before);
  const types = typesOf(context, named);
  const found = await context.audit.traced(
    { interaction: 'operation', chart: address.chart, what: [name], query: queryText(name, '$timeline', query) },
    async () => {
      const chart = new TimelineReader(context, address.chart, reading, asked ? known : undefined);
      const [about, small] = await Promise.all([
        context.sharing.read(address),
        large === 1 || types.length <= fewTypes ? undefined : chart.whole(types, from),
      ]);
      if (!about || !mayRead(context, about)) return { about, items: [], next: undefined, linked: [], large };
      const page = new TimelinePage(limit);
      const all = small ?? chart.byType(types, from, () => page.room);
      for await (const item of all) {
        if ('stoppedAt' in item) {
          page.stopAt(item.stoppedAt);
          break;
        }
        const { record, spot } = item;
        if (isMeant.isOver(spot)) break;
        const isShown = (mayRead(context, record) || unseen.meets(record)) && isMeant.is(record);
        if (!page.take(item, isShown)) break;
      }
      return { about, items: page.items, next: page.next, linked: await chart.linked(), large: small ? 0 : 1 } as const;
    },
    ({ about }) => void requireReadable(context, about),
  );
  const records = found.items.map(({ record }) => record);
  await traceOthers(context, records, address.chart, 'Patient/$timeline');
  await context.view.prepare(records);
  const { next } = found;
  const outcome =
    next === undefined && query.every(([parameter]) => parameter === '_count') && found.about
      ? unseen.outcomeFor(found.about)
      : undefined;
  const bundle: fhir4.Bundle = {
    resourceType: 'Bundle',
    type: 'searchset',
    timestamp: new Date(context.now).toISOString(),
    meta: coverage,
    ...(asked === undefined && next === undefined ? { total: records.length } : {}),
    link: [
      selfLink(context, query),
      ...(next === undefined
        ? []
        : [
            nextLink(context, {
              query,
              position: [next, unseen.met, found.large, ...found.linked] satisfies Position,
            }),
          ]),
    ],
    ...entriesOf([
      ...records.map((record) => entryOf(context, record)),
      ...(outcome ? [{ resource: outcome, search: { mode: 'outcome' as const } }] : []),
    ]),
  };
  return { statusCode: 200, resource: bundle };
};

const positionIn = (page: PagePosition | undefined): Position | undefined =>
  Array.isArray(page?.position) ? (page.position as Position) : undefined;

/** The spot before all that an end leaves over. */
const beginning = (end: string | undefined, { timeKey: keyOf }: TimelineReading): Spot | undefined => {
  const before = end === undefined ? undefined : dateInterval(end)?.end;
  return before === undefined ? undefined : [keyOf(before), ''];
};

/** Types that the caller may read at all, of those that are asked for. The patient and the access log are not on the line. */
const typesOf = ({ asking }: RequestContext, named: ReadonlySet<string> | undefined): readonly string[] =>
  [...typesOfPatients].filter(
    (type) => type !== 'AuditEvent' && (named?.has(type) ?? true) && decideType(asking, 'r', factsOfType(type)).permit,
  );

const pageSize = (count: number = usualPage): number => {
  if (count < 0) throw new RecordError('invalid', '_count is not negative', { expression: '_count' });
  return Math.min(Math.max(count, 1), largestPage);
};

/** Whether a record is asked for, by its place and by its category. */
const meant = (
  { start, end, category }: { start: string | undefined; end: string | undefined; category: readonly string[] },
  timeOf: typeof timeOfPlace,
) => {
  const from = (start === undefined ? undefined : dateInterval(start)?.start) ?? Number.NEGATIVE_INFINITY;
  const to = (end === undefined ? undefined : dateInterval(end)?.end) ?? Number.POSITIVE_INFINITY;
  if (from >= to) throw new RecordError('invalid', 'The end is before the start', { expression: 'end' });
  const tokens = category.flatMap((each) => each.split(','));
  return {
    /** Whether all that follows is too old. */
    isOver: ([place]: Spot) => timeOf(place) < from,
    is: ({ resource }: StoredRecord) =>
      resource !== undefined && (tokens.length === 0 || categoriesIn(resource).some((each) => tokens.includes(each))),
  };
};

/** Categories of a record, as they may be asked for: `code`, `system|code`. */
const categoriesIn = ({ category }: Resource): readonly string[] =>
  [category ?? []].flat().flatMap((each) => {
    if (typeof each === 'string') return [each];
    const { coding = [] } = each as fhir4.CodeableConcept;
    return coding.flatMap(({ system = '', code }) => (code === undefined ? [] : [code, `${system}|${code}`]));
  });

/** Reads a chart and those linked with it. */
class TimelineReader {
  readonly #context: RequestContext;
  readonly #chart: string;
  readonly #reading: TimelineReading;
  #linked: readonly LinkedChart[] | undefined;

  constructor(
    context: RequestContext,
    chart: string,
    reading: TimelineReading,
    linked: readonly LinkedChart[] | undefined,
  ) {
    this.#context = context;
    this.#chart = chart;
    this.#reading = reading;
    this.#linked = linked;
  }

  async linked(): Promise<readonly LinkedChart[]> {
    this.#linked ??= await this.#reading.linkedWith(this.#context.store, this.#chart);
    return this.#linked;
  }

  /** The records of these types behind a spot, where one call reads all of the chart; else undefined. */
  async whole(types: readonly string[], behind: Spot | undefined): Promise<readonly Placed[] | undefined> {
    const options = { order: 'key-order', limit: smallChart } as const;
    const page = await this.#reading.readPage(this.#context.store, this.#chart, undefined, options, this.#linked);
    this.#linked = page.linked;
    if (page.next !== undefined) return undefined;
    const items = page.items
      .map((item): Placed => ({ ...item, spot: spotOf(item.key) }))
      .filter(({ record, spot }) => types.includes(record.type) && (!behind || compareSpots(behind, spot) < 0));
    await this.#context.sharing.lookUp(items.map(({ record }) => record));
    return items.sort((a, b) => compareSpots(a.spot, b.spot));
  }

  /** The same, type by type. */
  async *byType(
    types: readonly string[],
    behind: Spot | undefined,
    wanted: () => number,
  ): AsyncGenerator<Placed | { readonly stoppedAt: Spot }> {
    const { store, sharing } = this.#context;
    const linked = await this.linked();
    yield* newestFirst(types, {
      behind,
      wanted,
      rounds: mostRounds,
      bytesOf: ({ record }) => jsonBytesOf(record),
      read: async (type, after, rows) => {
        const options = { order: 'newest-first', after, limit: rows } as const;
        const page = await this.#reading.readPage(store, this.#chart, type, options, linked);
        await sharing.lookUp(page.items.map(({ record }) => record));
        return page;
      },
    });
  }
}

/** What a page holds, each record once: one whose date changes while the chart is read stands in two places. */
class TimelinePage {
  readonly items: Placed[] = [];
  /** Behind what the next page begins; undefined where nothing follows. */
  next: Spot | undefined;
  readonly #limit: number;
  readonly #names = new Set<string>();
  #bytes = 0;
  #last: Spot | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Records that it has room for, and one more, which tells whether anything follows. */
  get room(): number {
    return this.#limit + 1 - this.items.length;
  }

  /** Takes the next record. @returns false once the page is full. */
  take(item: Placed, isShown: boolean): boolean {
    const { record, spot } = item;
    const name = `${record.type}/${record.id}`;
    if (isShown && !this.#names.has(name)) {
      this.#bytes += weightOf(record.resource ?? {});
      if (this.items.length > 0 && (this.items.length >= this.#limit || this.#bytes > largestPageBytes)) {
        this.next = this.#last;
        return false;
      }
      this.#names.add(name);
      this.items.push(item);
    }
    this.#last = spot;
    return true;
  }

  stopAt(spot: Spot): void {
    this.next = spot;
  }
}
