import type { Address } from '../store/keys.ts';
import type { Page } from '../store/record-store.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { Interaction, RequestContext } from './context.ts';
import { asks, historyEntry, pageSizeOf, type TimeAsked, timeAsked, usualPage } from './history-bundle.ts';
import { locate } from './locate.ts';
import { mayAccess, notFound, requireTypeAccess, unseen } from './require-access.ts';
import { askedPage, entriesOf, fitting, nextLink, requireOnly, selfLink } from './searchset.ts';
import { chartsBesides } from './security-context.ts';
import { isDecidedByContent, lastOf, lastSaid } from './version-of.ts';

/** Pages that are read for one answer where it is only about a time. A record has some versions; 2,000 are passed by. */
const mostReads = 10;

/**
 * History of one record, `GET /{type}/{id}/_history`, newest first, deletions included. `_since` leaves out what is older, `_at` whatever was
 * not current at some moment of that time.
 * https://hl7.org/fhir/R4/http.html#history
 */
export const historyOfRecord: Interaction = async (context, { id }) => {
  requireTypeAccess(context, 'r');
  requireOnly(context, asks);
  const { recordType, audit, request } = context;
  const asked = askedPage(context);
  const query = asked?.query ?? request.query.filter(([name]) => asks.includes(name));
  const limit = pageSizeOf(query);
  const time = timeAsked(query);
  const address = await locate(context, recordType.name, id);
  if (!address) throw notFound(context);
  const before = typeof asked?.position === 'number' ? asked.position : undefined;
  const may = (version: StoredRecord) => mayAccess(context, 'r', version);
  const page = await audit.traced(
    { interaction: 'history-instance', chart: address.chart, what: [`${recordType.name}/${id}`] },
    async () => {
      const versions = await versionsOf(context, address, { before, limit, time });
      const { newest } = versions;
      await context.sharing.lookUp(newest ? [newest, ...versions.items] : [address]);
      // The first version of the first page is the current one.
      const last = newest && (await (before === undefined ? lastSaid(context, newest) : lastOf(context, newest)));
      return { ...versions, last, seen: newest ? last !== undefined && may(last) : before !== undefined };
    },
    ({ newest, items, seen }) => {
      const all = newest && !isDecidedByContent(context, address) ? [newest, ...items] : [];
      if (!seen || !all.every(may)) throw unseen(context, newest);
    },
    ({ items, last }) => chartsBesides(context, [...(last ? [last] : []), ...items.filter(may)]),
  );
  const within = fitting(page.items);
  const next = within.length < page.items.length ? within.at(-1)?.version : page.next;
  const shown = within.filter(may);
  await context.view.prepare(shown);
  // Where versions may be left out for what they say, their number would tell of them.
  const counted = before === undefined && !isDecidedByContent(context, address);
  const total = counted ? totalOf(page, time) : undefined;
  const bundle: fhir4.Bundle = {
    resourceType: 'Bundle',
    type: 'history',
    ...(total === undefined ? {} : { total }),
    link: [
      selfLink(context, query),
      ...(next === undefined ? [] : [nextLink(context, { query, position: Number(next) })]),
    ],
    ...entriesOf(shown.map((version) => historyEntry(context, version))),
  };
  return { statusCode: 200, resource: bundle };
};

interface Versions extends Page<StoredRecord> {
  /** The first version that was read, shown or not. */
  readonly newest: StoredRecord | undefined;
}

/** Versions are never older than those before them, so the first that is too old is the end. */
const versionsOf = async (
  { store }: RequestContext,
  address: Address,
  { before, limit, time }: { before: number | undefined; limit: number; time: TimeAsked | undefined },
): Promise<Versions> => {
  const read = (from: number | undefined) =>
    store.history(address, {
      limit: time ? Math.max(limit, usualPage) : limit,
      ...(from === undefined ? {} : { before: from }),
    });
  let page = await read(before);
  const newest = page.items[0];
  if (!time) return { ...page, newest };
  const items: StoredRecord[] = [];
  for (let reads = 1; ; reads++) {
    for (const version of page.items) {
      if (version.updated >= time.end) continue;
      const old = version.updated <= time.start;
      if (version.updated < time.start && !time.current) return { items, next: undefined, newest };
      if (items.length === limit) return { items, next: String(items.at(-1)?.version), newest };
      items.push(version);
      if (old) return { items, next: undefined, newest };
    }
    if (page.next === undefined || reads === mostReads) return { items, next: page.next, newest };
    page = await read(Number(page.next));
  }
};

const totalOf = ({ newest, items, next }: Versions, time: TimeAsked | undefined): number | undefined => {
  if (!time) return newest?.version;
  return next === undefined ? items.length : undefined;
};
