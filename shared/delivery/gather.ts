import type { Role } from '../access/caller.ts';
import { parseScopes } from '../access/scopes.ts';
import { isAway } from '../changes/parking.ts';
import { passingOver } from '../changes/pass-over.ts';
import { type Readable, type Reading, readableNow, readingForBoth, systemAsking } from '../changes/readable-now.ts';
import type { Asker } from '../interactions/shared-charts.ts';
import { View } from '../interactions/view.ts';
import { searchTypes } from '../record-types/search-types.ts';
import type { RecordChange } from '../store/feed/change.ts';
import { positionOf } from '../store/feed/feed-rows.ts';
import { changesAfter, cursorFrom, cursorText } from '../store/feed/sequence.ts';
import type { RecordStore } from '../store/record-store.ts';
import { jsonBytesOf } from '../store/rows.ts';
import type { SubscriptionSettings } from '../store/subscriptions/settings.ts';
import { type Filter, readFilters } from '../subscriptions/filters.ts';
import type { Delivery } from './delivery.ts';

/** Events a notification, where its receiver does not say less, and at most. */
const usualCount = 50;
const largestCount = 100;

/** Bytes of JSON of records after which a notification takes no more. A larger record is one by itself. */
const mostBytes = 1_000_000;

/** Changes that are read of the feed at once. */
const stretch = 200;

/** Events a notification at most. */
export const mostEvents = ({ maxCount = usualCount }: SubscriptionSettings): number =>
  Math.max(Math.min(maxCount, largestCount), 1);

/**
 * Who it is decided for what a Subscription is told: the system of its organisation, by no more scopes than its writer had; where all of a record is told,
 * by the writer's roles too, and for the writer by name besides: a Consent may deny somebody what it opens to the organisation.
 */
export const readingOf = async (
  { store, policy, programmes }: Pick<Delivery, 'store' | 'policy' | 'programmes'>,
  settings: SubscriptionSettings,
  now: number,
): Promise<{ readonly reading: Reading; readonly programmes: ReadonlySet<string> }> => {
  const { organization, baseUrl, content, writer } = settings;
  const known = await programmes();
  const background = { store, policy, programmes: known, baseUrl, now };
  const asking = systemAsking(organization, { scopes: parseScopes(writer.scope) });
  const person = content === 'full-resource' ? writerAsking(settings) : undefined;
  return { reading: readingForBoth(background, asking, person), programmes: known };
};

/** Who wrote a Subscription, as somebody of its organisation. */
export const writerAsking = ({ organization, writer }: SubscriptionSettings): Asker =>
  systemAsking(organization, {
    scopes: parseScopes(writer.scope),
    roles: writer.roles as readonly Role[],
    fhirUser: writer.fhirUser,
  });

/** What the next notification is to tell of. */
export interface Gathered {
  readonly changes: readonly RecordChange[];
  /** Behind what was looked at. */
  readonly cursor: string;
  /** Whether that was the end of the feed. */
  readonly end: boolean;
}

/**
 * Reads on in the feed until there is enough for a notification, or a stretch of it has been looked at. What is told may be known of now, is of a type that
 * is asked for, meets all filters, and was not told lately.
 *
 * @param told - positions of changes that were numbered lately; asked for once there is something to compare with.
 */
export const gather = async (
  delivery: Pick<Delivery, 'store' | 'policy' | 'programmes' | 'now'>,
  settings: SubscriptionSettings,
  cursor: string,
  told: () => Promise<ReadonlySet<string>>,
): Promise<Gathered> => {
  const { store } = delivery;
  const { organization, types } = settings;
  const { changes, end } = await changesAfter(store, organization, cursorFrom(cursor), stretch);
  if (changes.length === 0) return { changes: [], cursor, end };
  const isOfType = ({ type }: RecordChange) => types.length === 0 || types.includes(type);
  const asked = changes.filter(({ change }) => isOfType(change));
  const found: RecordChange[] = [];
  const most = mostEvents(settings);
  if (asked.length > 0) {
    const seen = new Set(await told());
    const { reading, programmes } = await readingOf(delivery, settings, delivery.now());
    const { sharing } = reading.also ?? reading;
    const view = new View(writerAsking(settings), store, sharing, programmes);
    const meets = await filterOf(settings, { now: delivery.now(), store, view });
    const passOver = passingOver(store, organization);
    const isMet = async (each: Readable): Promise<boolean> => {
      try {
        return await meets(each);
      } catch (error) {
        if (isAway(error)) throw error;
        await passOver(each.change, error);
        return false;
      }
    };
    let bytes = 0;
    let waiting = asked.filter(({ change }) => !seen.has(positionOf(change)));
    while (waiting.length > 0) {
      const portion = waiting.slice(0, most);
      const { readable, taken } = await readableNow(
        reading,
        portion.map(({ change }) => change),
        { passOver, told: true },
      );
      if (settings.filters.length > 0) await view.prepare(readable.map(({ record }) => record));
      for (const each of readable) {
        const position = positionOf(each.change);
        if (seen.has(position) || !(await isMet(each))) continue;
        bytes += settings.content === 'full-resource' ? jsonBytesOf(each.record) : 0;
        const isFull = found.length === most || (found.length > 0 && bytes > mostBytes);
        // Everything in front of it was looked at, and it is the first of the next one.
        if (isFull) return { changes: found, cursor: inFrontOf(changes, each.change, cursor), end: false };
        seen.add(position);
        found.push(each.change);
      }
      waiting = waiting.slice(taken);
    }
  }
  const last = changes.at(-1);
  return { changes: found, cursor: last ? cursorText(last.after) : cursor, end };
};

/** The cursor behind the change that stands before this one. */
const inFrontOf = (
  changes: Awaited<ReturnType<typeof changesAfter>>['changes'],
  change: RecordChange,
  cursor: string,
): string => {
  const index = changes.findIndex((each) => each.change === change);
  const before = changes[index - 1];
  return before ? cursorText(before.after) : cursor;
};

type Meets = (readable: Readable) => Promise<boolean>;

/**
 * A filter looks at what the writer is shown of a record, as searches do: nobody finds by what is masked. A deletion meets what the record met before: who was told of it is
 * told that it is gone.
 */
const filterOf = async (
  { types, filters, baseUrl }: SubscriptionSettings,
  { now, store, view }: { readonly now: number; readonly store: RecordStore; readonly view: View },
): Promise<Meets> => {
  if (filters.length === 0) return async () => true;
  const [type = ''] = types;
  const known = (await searchTypes()).get(type);
  if (!known) throw new Error('There is no such type of records to filter');
  const requested = filters.map((text) => ({ expression: 'Subscription.criteria', text }));
  const filter: Filter = await readFilters(known, requested, { baseUrl, now });
  return async ({ record }) => {
    const said = record.resource ? record : await store.readVersion(record, record.version - 1);
    if (!said) return false;
    if (said !== record) await view.prepare([said]);
    const { resource } = view.of(said);
    return resource !== undefined && filter(resource, { id: said.id, lastUpdated: said.updated });
  };
};
