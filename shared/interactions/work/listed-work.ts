import { RecordError } from '../../errors.ts';
import { factsOfType } from '../../record-types/subjects.ts';
import type { Address } from '../../store/keys.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { rowsBetween } from '../../store/rows-between.ts';
import { worklistPartition } from '../../store/worklist-rows.ts';
import { dueOf, isOpen, type Listed } from '../../work/worklists.ts';
import type { Answer, RequestContext } from '../context.ts';
import { mayAccess } from '../require-access.ts';
import { byChart } from '../save.ts';
import { type askedPage, coverage, entriesOf, entryOf, fitting, nextLink, selfLink } from '../searchset.ts';

const usualPage = 50;
const largestPage = 100;

/** Of a task: since when it is overdue. */
export const overdueUrl = 'https://concord.example/fhir/StructureDefinition/overdue-since';

/** A row that leads to work, and where it stands in the whole of it. */
interface Entry extends Address {
  readonly rank: string;
  readonly id: string;
}

/** Rank and id of what came last. */
type Position = [rank: string, id: string];

/** A part of a list that is read by one Query. */
export interface Part {
  readonly list: string;
  readonly as: Listed['as'];
  /** Nothing behind this rank. */
  readonly until: string;
}

/** Behind all ranks. */
export const lastRank = '~~';

/** Who asks for lists of work: staff of which organisation. */
export const organizationOf = ({ asking }: RequestContext): string => {
  const { organization } = asking.caller;
  if (organization !== undefined) return organization;
  throw new RecordError('forbidden', 'Staff have lists of work; a patient searches for tasks', {
    reason: 'forbidden-role',
  });
};

/** A list that is asked for. */
interface Asked {
  /** `Task/$inbox` or `Task/$overdue`, as the log tells it. */
  readonly operation: string;
  readonly parts: readonly Part[];
  /** The page that a link asked for. */
  readonly asked: ReturnType<typeof askedPage>;
  /** Entries of a page, as asked for. */
  readonly most: number | undefined;
  /** Names of the parameters, which `next` repeats. */
  readonly names: readonly string[];
}

/**
 * What stands in parts of lists, in one order, each once: a page of it, as far as the caller may see it. One Query a part, all at once, and one BatchGet; and a row of the log for each chart that is shown.
 */
export const listedWork = async (
  context: RequestContext,
  { operation, parts, asked, most, names }: Asked,
): Promise<Answer> => {
  const { audit, request, store, now, view } = context;
  const organization = organizationOf(context);
  const count = Math.min(Math.max(most ?? usualPage, 1), largestPage);
  const [rank = '', id = ''] = Array.isArray(asked?.position) ? (asked.position as Position) : [];
  const lists = await Promise.all(
    parts.map(async ({ list, as, until }) => {
      const pk = worklistPartition(store, organization, list);
      // Behind the last one: a blank comes before whatever an id may hold.
      const from = id === '' ? `${as}#` : `${as}#${rank}#${id} `;
      const to = `${as}#${until}`;
      // A page that begins later than now is past all that is overdue.
      if (from > to) return { entries: [], more: false };
      const { rows, next } = await rowsBetween(store, { pk, from, to, limit: count });
      return { entries: rows.map(entryIn), more: next !== undefined };
    }),
  );
  const all = inOrder(lists.flatMap(({ entries }) => entries));
  const page = all.slice(0, count);
  const last = page.at(-1);
  const more = all.length > count || lists.some((list) => list.more);
  const read = await store.readMany(page);
  const shown = page.flatMap(({ type, chart, place, id: own }) => {
    const record = read.find(
      (each) => each.id === own && each.type === type && each.chart === chart && each.place === place,
    );
    return record && mayAccess({ ...context, recordType: factsOfType(type) }, 's', record) ? [record] : [];
  });
  const kept = fitting(shown);
  const cut = kept.length < shown.length ? kept.at(-1) : undefined;
  const behind = cut ? page.find((each) => each.id === cut.id && each.type === cut.type) : more ? last : undefined;
  const what = kept.map((record) => ({
    interaction: 'operation' as const,
    chart: record.chart,
    what: [`${record.type}/${record.id}`],
  }));
  const accesses = byChart(what.length > 0 ? what : [{ interaction: 'operation', chart: organization, what: [] }]);
  await audit.record(accesses.map((access) => ({ ...access, query: operation })));
  await view.prepare(kept);
  const query = asked?.query ?? request.query.filter(([name]) => names.includes(name));
  const bundle: fhir4.Bundle = {
    resourceType: 'Bundle',
    type: 'searchset',
    timestamp: new Date(now).toISOString(),
    meta: coverage,
    link: [
      selfLink(context, query),
      ...(behind ? [nextLink(context, { query, position: [behind.rank, behind.id] satisfies Position })] : []),
    ],
    ...entriesOf(kept.map((record) => toldOf(context, record))),
  };
  return { statusCode: 200, resource: bundle };
};

const entryIn = (row: { readonly sk: string } & Partial<Record<string, unknown>>): Entry => {
  const [, rank = '', id = ''] = row.sk.split('#');
  const { type, chart, place } = row as unknown as Address;
  return { type, chart, place, rank, id };
};

/** By rank, each once: what stands in several lists has the same rank in all of them. */
const inOrder = (entries: readonly Entry[]): Entry[] => {
  const keyOf = ({ rank, id, type }: Entry): string => `${rank}#${id}#${type}`;
  const each = new Map(entries.map((entry) => [keyOf(entry), entry]));
  return [...each].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, entry]) => entry);
};

const toldOf = (context: RequestContext, record: StoredRecord): fhir4.BundleEntry => {
  const entry = entryOf(context, record);
  const task = record.type === 'Task' ? (record.resource as unknown as fhir4.Task) : undefined;
  const due = task && isOpen(task) ? dueOf(task) : undefined;
  if (due === undefined || due >= context.now) return entry;
  const extension = [{ url: overdueUrl, valueInstant: new Date(due).toISOString() }];
  return { ...entry, search: { ...entry.search, extension } };
};
