import { decideType } from '../../access/decide.ts';
import { RecordError } from '../../errors.ts';
import { parseReference } from '../../fhir/references.ts';
import { factsOfType } from '../../record-types/subjects.ts';
import { inParallel } from '../../store/in-parallel.ts';
import type { Address } from '../../store/keys.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { rowsBetween } from '../../store/rows-between.ts';
import { worklistPartition } from '../../store/worklist-rows.ts';
import { dueOf, isOpen, type Listed, poolList, rankAt } from '../../work/worklists.ts';
import type { Answer, Interaction, RequestContext } from '../context.ts';
import { readInput } from '../operation-input.ts';
import { mayAccess, requireTypeAccess } from '../require-access.ts';
import { byChart } from '../save.ts';
import { askedPage, coverage, entriesOf, entryOf, fitting, nextLink, selfLink } from '../searchset.ts';
import { inboxInput } from './input.ts';
import { belongsTo, positionsOf } from './memberships.ts';

const usualPage = 50;
const largestPage = 100;
const mostTeams = 10;
const readAtOnce = 8;

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
interface Part {
  readonly list: string;
  readonly as: Listed['as'];
  /** Nothing behind this rank. */
  readonly until: string;
}

/** Behind all ranks. */
const end = '~~';

/**
 * `GET Task/$inbox`: what there is to do for the caller, the most urgent first: messages that are not received yet and open tasks, of the caller, of the caller's positions, of the pools of the caller's roles, of the whole
 * organisation and of the teams that are named. Overdue tasks come first, by how long; one of a pool that somebody else has is among them from when it is overdue. One Query for the caller's positions, one or two for each
 * list, all at once, and one BatchGet for a page; and a row of the log for each chart that is shown.
 *
 * @throws RecordError `forbidden`; `invalid` for a team to which the caller does not belong.
 */
export const inbox: Interaction = async (context): Promise<Answer> => {
  requireTypeAccess(context, 's');
  const { asking, audit, request, store, now, view } = context;
  const { organization, roles, fhirUser } = asking.caller;
  if (organization === undefined)
    throw new RecordError('forbidden', 'Staff have an inbox; a patient searches for tasks', {
      reason: 'forbidden-role',
    });
  const asked = askedPage(context);
  const input = readInput(context, inboxInput, asked?.query);
  const count = Math.min(Math.max(input._count ?? usualPage, 1), largestPage);
  const [teams, positions] = await Promise.all([teamsOf(context, input.team), positionsOf(context, fhirUser)]);
  const messages = decideType(asking, 's', factsOfType('Communication')).permit;
  const parts = [
    ...[fhirUser, ...positions, ...teams, `Organization/${organization}`].flatMap((list): Part[] => [
      ...(messages ? [{ list, as: 'message' as const, until: end }] : []),
      { list, as: 'task', until: end },
    ]),
    ...roles.map(poolList).flatMap((list): Part[] => [
      { list, as: 'task', until: end },
      { list, as: 'taken', until: rankAt(now) },
    ]),
  ];
  const [rank = '', id = ''] = Array.isArray(asked?.position) ? (asked.position as Position) : [];
  const lists = await Promise.all(
    parts.map(async ({ list, as, until }) => {
      const pk = worklistPartition(store, organization, list);
      // Behind the last one: a blank comes before whatever an id may hold.
      const from = id === '' ? `${as}#` : `${as}#${rank}#${id} `;
      const { rows, next } = await rowsBetween(store, { pk, from, to: `${as}#${until}`, limit: count });
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
  await audit.record(accesses.map((access) => ({ ...access, query: 'Task/$inbox' })));
  await view.prepare(kept);
  const query = asked?.query ?? request.query.filter(([name]) => name === '_count' || name === 'team');
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

/** Teams to which the caller belongs. */
const teamsOf = async (context: RequestContext, named: readonly fhir4.Reference[]): Promise<readonly string[]> => {
  if (named.length > mostTeams)
    throw new RecordError('too-costly', `At most ${mostTeams} teams at once`, { expression: 'team' });
  return inParallel(readAtOnce, named, async ({ reference = '' }) => {
    const parsed = parseReference(reference, context.request.baseUrl);
    const name = parsed.kind === 'record' && parsed.type === 'CareTeam' ? `CareTeam/${parsed.id}` : undefined;
    if (name !== undefined && (await belongsTo(context, name))) return name;
    throw new RecordError('invalid', 'This is no team of yours', { reason: 'reference-not-found', expression: 'team' });
  });
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
