import { decideType } from '../access/decide.ts';
import { eventIdOf } from '../changes/event-id.ts';
import { passingOver } from '../changes/pass-over.ts';
import { type Readable, readableNow } from '../changes/readable-now.ts';
import { RecordError } from '../errors.ts';
import { isResourceType } from '../fhir/references.ts';
import { factsOfType, isDirectory, subjectOf } from '../record-types/subjects.ts';
import { completeUpTo } from '../store/feed/completeness.ts';
import {
  beginning,
  type Cursor,
  changesAfter,
  cursorFrom,
  cursorText,
  endOfSequence,
  type ToldChange,
} from '../store/feed/sequence.ts';
import { network } from '../store/keys.ts';
import { noteListener } from '../store/listeners.ts';
import type { Answer, RequestContext } from './context.ts';
import { completeness, versionEntry } from './history-bundle.ts';
import { requireTypeAccess } from './require-access.ts';
import { countOf, entriesOf, pageParameter, pathOf, requireOnly, selfLink } from './searchset.ts';
import { traceShown } from './trace-shown.ts';

type ChangesRequest = Omit<RequestContext, 'recordType'>;
type Query = readonly (readonly [string, string])[];

/** What the feed can be asked. */
const asks = ['after', '_count', '_type'];

/** Changes a page, unless another number is asked for: an entry has 400 bytes. */
const usualPage = 100;
const largestPage = 500;

/** Changes that are read for one page, whether they are shown or not, and calls for them: a call brings few where they are large. */
const mostChanges = 2_000;
const mostReads = 20;

/** Changes that are read at once while many are passed over. */
const portion = 100;

/** Asks for no change that was told before, and for the cursor to begin at. */
const now = 'now';

/**
 * What the caller's organisation was told of, `GET /_changes`: which records changed, oldest first, in the order in which the publisher told it, and nothing of what they say. Also what others
 * keep and share with it, and the whole directory. Nothing ever comes behind a cursor, so who asks on from the `poll` link misses nothing, however late it came. Each change is decided upon anew,
 * as if the version were read now. `meta.lastUpdated` says up to when everything was told by the end of the feed.
 *
 * @throws RecordError `forbidden` for who belongs to no organisation; `invalid`; `deleted`, `cursor-lost`, for a cursor of a past that is no more.
 */
export const toldChanges = async (context: ChangesRequest): Promise<Answer> => {
  requireOnly(context, asks);
  const { request, store, asking } = context;
  const { organization } = asking.caller;
  if (organization === undefined) {
    throw new RecordError(
      'forbidden',
      'Organisations are told of changes; what was changed of your own record is its history',
      {
        reason: 'forbidden-role',
      },
    );
  }
  const query = onlyOnce(request.query.filter(([name]) => asks.includes(name) || name === pageParameter));
  const limit = Math.max(countOf(query, usualPage, largestPage), 1);
  const wanted = wantedTypes(context, query);
  const after = valueOf(query, 'after');
  const from = after === undefined || after === now ? undefined : cursorFrom(after);
  await noteListener(store, organization);
  // Before the sequence is read: what it is said to have, it has by then.
  const complete = (await completeUpTo(store)) ?? null;
  const page =
    after === now
      ? { shown: [], cursor: await endOfSequence(store, organization), more: false }
      : await pageOf(context, organization, { from: from ?? beginning, limit, wanted });
  await traceShown(
    context,
    'history-system',
    query,
    page.shown.map(({ readable }) => readable),
  );
  const onward = `${request.baseUrl}/${pathOf(context)}?${linkQuery(query, page.cursor)}`;
  const bundle: fhir4.Bundle = {
    resourceType: 'Bundle',
    meta: completeness(complete),
    type: 'history',
    link: [
      selfLink(context, query),
      ...(page.more ? [{ relation: 'next', url: onward }] : []),
      { relation: 'poll', url: onward },
    ],
    ...entriesOf(
      page.shown.map(({ readable, eventId }) => ({ id: eventId, ...versionEntry(context, readable.record) })),
    ),
  };
  return { statusCode: 200, resource: bundle };
};

/** A cursor is no page of something that was asked, and none of these has two values. */
const onlyOnce = (query: Query): Query => {
  const twice = query.find(
    ([name], index) => name === pageParameter || query.findIndex(([other]) => other === name) < index,
  );
  if (twice) {
    throw new RecordError('invalid', 'This parameter is not served here, or not twice', {
      reason: 'not-supported',
      expression: twice[0],
    });
  }
  return query;
};

const valueOf = (query: Query, name: string): string | undefined => query.find(([given]) => given === name)?.[1];

/**
 * Which changes are to be looked at: those of types that the caller may read, and was asked for.
 *
 * @throws RecordError `invalid`; `forbidden` for a type that is named and not for the caller.
 */
const wantedTypes = (context: ChangesRequest, query: Query): ((type: string) => boolean) => {
  const named = valueOf(query, '_type')?.split(',');
  for (const type of named ?? []) {
    if (!isResourceType(type) || subjectOf(type) === 'audit') {
      throw new RecordError('invalid', 'This is no resource type that changes are told of', { expression: '_type' });
    }
    requireTypeAccess({ ...context, recordType: factsOfType(type) }, 'r');
  }
  const known = new Map<string, boolean>();
  return (type) => {
    const may = known.get(type) ?? decideType(context.asking, 'r', factsOfType(type)).permit;
    known.set(type, may);
    return may && (named === undefined || named.includes(type));
  };
};

const linkQuery = (query: Query, cursor: Cursor): string =>
  [['after', cursorText(cursor)] as const, ...query.filter(([name]) => name !== 'after')]
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&');

interface Shown {
  readonly readable: Readable;
  readonly eventId: string;
}

interface Page {
  readonly shown: readonly Shown[];
  /** Behind all that was shown, and behind what was passed over. */
  readonly cursor: Cursor;
  readonly more: boolean;
}

interface Asked {
  readonly from: Cursor;
  readonly limit: number;
  readonly wanted: (type: string) => boolean;
}

/**
 * Changes of a page, each once, as far as the caller may know of them now. That more follow is said once another one was found that may be shown, or where as much was read as one page may: never
 * for a hidden one.
 */
const pageOf = async (context: ChangesRequest, organization: string, { from, limit, wanted }: Asked): Promise<Page> => {
  const shown = new Map<string, Shown & { readonly after: Cursor }>();
  let cursor = from;
  let looked = 0;
  for (let reads = 0; reads < mostReads && looked < mostChanges; reads++) {
    const atOnce = Math.max(limit + 1 - shown.size, Math.min(looked, portion));
    const { changes, end } = await changesAfter(context.store, organization, cursor, atOnce);
    const told = changes.filter(({ change }) => wanted(change.type));
    const { readable, taken } = await decided(context, organization, told);
    for (const { of, ...each } of readable) {
      const eventId = eventIdOf(
        { recordType: each.record.type, recordId: each.record.id, version: each.record.version },
        isDirectory(each.record.type) ? network : organization,
      );
      if (shown.has(eventId)) continue;
      if (shown.size === limit) {
        const page = [...shown.values()];
        return { shown: page, cursor: page.at(-1)?.after ?? cursor, more: true };
      }
      shown.set(eventId, { readable: each, eventId, after: of.after });
    }
    const isWhole = taken === told.length;
    cursor = (isWhole ? changes.at(-1) : told[taken - 1])?.after ?? cursor;
    looked += changes.length;
    if (end && isWhole) return { shown: [...shown.values()], cursor, more: false };
  }
  return { shown: [...shown.values()], cursor, more: true };
};

/** What may be known of these now, each with what told of it; the first of them, where they are large. */
const decided = async (
  context: ChangesRequest,
  organization: string,
  told: readonly ToldChange[],
): Promise<{ readonly readable: readonly (Readable & { readonly of: ToldChange })[]; readonly taken: number }> => {
  if (told.length === 0) return { readable: [], taken: 0 };
  const of = new Map(told.map((each) => [each.change, each]));
  const passOver = passingOver(context.store, organization);
  const { readable, taken } = await readableNow(context, [...of.keys()], { passOver, told: true });
  return {
    readable: readable.flatMap((each) => {
      const found = of.get(each.change);
      return found ? [{ ...each, of: found }] : [];
    }),
    taken,
  };
};
