import { decideType } from '../access/decide.ts';
import type { AuditedInteraction } from '../audit/audit-row.ts';
import { type Readable, readableNow } from '../changes/readable-now.ts';
import { factsOfType, isDirectory } from '../record-types/subjects.ts';
import type { RecordChange } from '../store/feed/change.ts';
import { chartChanges } from '../store/feed/chart-changes.ts';
import { commitWithinMs, completeUpTo } from '../store/feed/completeness.ts';
import { positionOf, timeText } from '../store/feed/feed-rows.ts';
import { FeedReading } from '../store/feed/read-feed.ts';
import type { Version } from '../store/feed/versions.ts';
import { network } from '../store/keys.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { Answer, Interaction, RequestContext } from './context.ts';
import { asks, completeness, historyEntry, pageSizeOf, type TimeAsked, timeAsked } from './history-bundle.ts';
import { requireTypeAccess } from './require-access.ts';
import { askedPage, entriesOf, fitting, nextLink, requireOnly, selfLink } from './searchset.ts';
import { traceShown } from './trace-shown.ts';

/** A request for a history that names no record. */
type HistoryRequest = Omit<RequestContext, 'recordType'>;

/**
 * Versions that are read for one page, whether they are shown or not, and calls for them: a call brings few where they are large. Where so many are passed
 * over, that there is more is told without one that may be shown.
 */
const mostVersions = 1_000;
const mostReads = 20;

/** Versions that are read at once while many are passed over. */
const portion = 100;

/**
 * History of a type, `GET /{type}/_history`, newest first, deletions included: of what the caller's organisation keeps, of the whole directory, and for
 * a patient of the own chart. It is read from the feed, which may lag: `meta.lastUpdated` of the bundle says up to when it is complete.
 * https://hl7.org/fhir/R4/http.html#history
 */
export const historyOfType: Interaction = (context) => historyOf(context, context.recordType.name);

/** The same of a type that is known by its name alone. */
export const historyOf = async (context: HistoryRequest, type: string): Promise<Answer> => {
  requireTypeAccess({ ...context, recordType: factsOfType(type) }, 'r');
  return answer(context, { type, interaction: 'history-type' });
};

/** The same of all types that the caller may read, `GET /_history`. */
export const historyOfSystem = (context: HistoryRequest): Promise<Answer> =>
  answer(context, { type: undefined, interaction: 'history-system' });

interface Asked {
  /** Undefined for all. */
  readonly type: string | undefined;
  readonly interaction: AuditedInteraction;
}

/** Where a page begins, and up to when the first one said that it is complete: so do all that follow it. */
type Position = readonly [before: string, complete: number | null];

const answer = async (context: HistoryRequest, { type, interaction }: Asked): Promise<Answer> => {
  requireOnly(context, asks);
  const { request, store, asking } = context;
  const page = askedPage(context);
  const query = page?.query ?? request.query.filter(([name]) => asks.includes(name));
  const time = timeAsked(query);
  const limit = pageSizeOf(query);
  const from = page?.position as Position | undefined;
  // Before the feed is read: what it is said to have, it has by then.
  const complete = from ? from[1] : ((await upTo(context, type)) ?? null);
  const allowed = new Map<string, boolean>();
  const mayRead = (name: string): boolean => {
    const known = allowed.get(name) ?? decideType(asking, 'r', factsOfType(name)).permit;
    allowed.set(name, known);
    return known;
  };
  const reading = new FeedReading(store, {
    ...(await sourcesOf(context, type)),
    before: from?.[0] ?? (time?.current ? timeText(time.end) : undefined),
    since: time && !time.current ? time.start : undefined,
    wanted: (change) => (type === undefined || change.type === type) && mayRead(change.type),
    limit,
  });
  const found = await pageOf(context, reading, { limit, time });
  const shown = found.shown.map(({ record }) => record);
  await traceShown(context, interaction, query, found.shown);
  const position: Position | undefined = found.next === undefined ? undefined : [found.next, complete];
  const bundle: fhir4.Bundle = {
    resourceType: 'Bundle',
    meta: completeness(complete),
    type: 'history',
    link: [selfLink(context, query), ...(position ? [nextLink(context, { query, position })] : [])],
    ...entriesOf(shown.map((record) => historyEntry(context, record))),
  };
  return { statusCode: 200, resource: bundle };
};

/** What a patient sees is read from the own chart, which is never behind; only writes that are under way may be older than what is there. */
const ofOwnChart = ({ asking }: HistoryRequest): boolean => asking.caller.organization === undefined;

const upTo = async (context: HistoryRequest, type: string | undefined): Promise<number | undefined> =>
  ofOwnChart(context) && type !== undefined && !isDirectory(type)
    ? context.now - commitWithinMs
    : completeUpTo(context.store);

/** What a history is read from: feeds, and for a patient the own chart. */
const sourcesOf = async (
  context: HistoryRequest,
  type: string | undefined,
): Promise<{ owners: string[]; known?: RecordChange[] }> => {
  const { asking, store } = context;
  const directory = type === undefined || isDirectory(type) ? [network] : [];
  if (type !== undefined && isDirectory(type)) return { owners: directory };
  const { organization } = asking.caller;
  if (organization !== undefined) return { owners: [...directory, organization] };
  return { owners: directory, known: asking.chart === undefined ? [] : await chartChanges(store, asking.chart, type) };
};

/** The position in front of which a version is the first. */
const frontOf = (record: StoredRecord): string => `${positionOf({ ...record, change: 'updated' })}~`;

interface Found {
  readonly shown: readonly Readable[];
  /** Position in front of which what follows begins. */
  readonly next: string | undefined;
}

/**
 * Versions of a page: those of the changes that the feed tells of, as far as the caller may see them and an answer can hold them. That more follow is said
 * once another one that the caller may see was found, or where as much was read as one page may: never for a hidden one.
 */
const pageOf = async (
  context: HistoryRequest,
  reading: FeedReading,
  { limit, time }: { readonly limit: number; readonly time: TimeAsked | undefined },
): Promise<Found> => {
  const seen: Readable[] = [];
  let waiting: RecordChange[] = [];
  let next: string | undefined;
  let looked = 0;
  let reads = 0;
  for (;;) {
    if (waiting.length === 0) {
      if (reading.ended) return { shown: seen, next: undefined };
      next = reading.rest;
      if (reading.spent) return { shown: seen, next };
      waiting = await reading.more();
      continue;
    }
    if (looked >= mostVersions || reads === mostReads) return { shown: seen, next };
    reads++;
    const some = waiting.slice(0, Math.max(limit + 1 - seen.length, Math.min(looked, portion)));
    const { readable, taken } = await readableNow(context, some, {
      superseded: time?.current === true,
      isWanted: (version) => isOfTime(version, time),
      deletionsAsRead: true,
    });
    seen.push(...readable);
    const shown = fitting(seen.slice(0, limit).map(({ record }) => record)).length;
    const following = seen[shown];
    if (following) return { shown: seen.slice(0, shown), next: frontOf(following.record) };
    looked += taken;
    const last = some[taken - 1];
    if (last) next = positionOf(last);
    waiting = waiting.slice(taken);
  }
};

/** What was written before the time that is asked about belongs to it if it was current as that began. */
const isOfTime = ({ record, until }: Version, time: TimeAsked | undefined): boolean =>
  !time?.current || record.updated > time.start || until === undefined || until > time.start;
