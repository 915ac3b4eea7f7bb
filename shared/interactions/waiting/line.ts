import { actorList, partsAt, rankPrefix, servicesList } from '../../scheduling/waiting.ts';
import type { ActorSchedule } from '../../store/actor-schedule-rows.ts';
import { schedulesOf } from '../../store/actor-schedules.ts';
import type { ActorTime } from '../../store/calendar.ts';
import { inParallel } from '../../store/in-parallel.ts';
import type { Address } from '../../store/keys.ts';
import type { RecordStore } from '../../store/record-store.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { rowsBetween } from '../../store/rows-between.ts';
import { worklistPartition } from '../../store/worklist-rows.ts';

/** So many of each list are looked at who come first, and of all together. */
const mostInLine = 100;
const readAtOnce = 25;
const listsAtOnce = 16;

/** Who has somebody waiting: actors by name, and whether anybody waits for a service whoever offers it. */
export interface Waited {
  readonly actors: readonly string[];
  readonly services: boolean;
}

/** Whether anybody waits: one row of one list for each actor, and one for all services. */
export const whoWaits = async (
  store: RecordStore,
  organization: string,
  times: readonly ActorTime[],
): Promise<Waited> => {
  const named = [...new Set(times.map(({ actor }) => actor))];
  const lists = [servicesList, ...named.map(actorList)];
  const [services = false, ...each] = await inParallel(listsAtOnce, lists, async (list) => {
    const pk = worklistPartition(store, organization, list);
    return (await rowsBetween(store, { pk, from: 'waiting#', to: 'waiting#~', limit: 1 })).rows.length > 0;
  });
  return { actors: named.filter((_, index) => each[index]), services };
};

/** Somebody who waits, and for time of whom. */
interface InLine extends Address {
  readonly rank: string;
  readonly id: string;
  readonly actor: string;
}

/** Part of a list, and whose time it is about. */
interface Part {
  readonly actor: string;
  readonly list: string;
  readonly prefix: string;
}

/**
 * Who waits for these times, in order, the records some at a time: whoever is served needs no look at those behind. Four short Queries for each actor and day, and as many for each service that an actor's Schedules name, beside
 * one another: the same however many wait.
 */
export async function* lineFor(
  store: RecordStore,
  organization: string,
  times: readonly ActorTime[],
  waited: Waited,
): AsyncGenerator<{ readonly record: StoredRecord; readonly actors: readonly string[] }> {
  const schedules = waited.services
    ? await schedulesOf(
        store,
        times.map(({ actor }) => actor),
      )
    : new Map<string, readonly ActorSchedule[]>();
  const parts = times.flatMap(({ actor, from }): Part[] => {
    const named = (schedules.get(actor) ?? []).flatMap(({ services, rules }) => [
      ...services,
      ...rules.flatMap((rule) => rule.services),
    ]);
    return partsAt(from).flatMap((part) => [
      ...(waited.actors.includes(actor) ? [{ actor, list: actorList(actor), prefix: rankPrefix(part) }] : []),
      ...[...new Set(named)].map((service) => ({ actor, list: servicesList, prefix: rankPrefix(part, service) })),
    ]);
  });
  const each = await inParallel(listsAtOnce, parts, async ({ actor, list, prefix }) => {
    const range = {
      pk: worklistPartition(store, organization, list),
      from: `waiting#${prefix}`,
      to: `waiting#${prefix}~`,
    };
    const { rows } = await rowsBetween(store, { ...range, limit: mostInLine });
    return rows.map((row): InLine => {
      const [rank = '', id = ''] = row.sk.slice(range.from.length).split('#');
      const { type, chart, place } = row as unknown as Address;
      return { type, chart, place, rank, id, actor };
    });
  });
  const line = [...Map.groupBy(each.flat(), ({ rank, id }) => `${rank}#${id}`)].sort(([a], [b]) => (a < b ? -1 : 1));
  const inLine = line.slice(0, mostInLine).map(([, group]) => group);
  for (let at = 0; at < inLine.length; at += readAtOnce) {
    const some = inLine.slice(at, at + readAtOnce);
    const read = await store.readMany(some.flatMap(([first]) => first ?? []));
    for (const group of some) {
      const record = read.find(({ id }) => id === group[0]?.id);
      if (record) yield { record, actors: [...new Set(group.map(({ actor }) => actor))] };
    }
  }
}
