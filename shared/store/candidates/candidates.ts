import type { RecordStore } from '../record-store.ts';
import { fromAddresses, fromBearers } from './from-addresses.ts';
import { fromCharts } from './from-charts.ts';
import { fromList, fromPatients, fromWalk } from './from-lists.ts';
import { fromRegistry } from './from-registry.ts';
import type { Candidate, Plan, Position, SearchedTypes } from './plan.ts';
import type { Reader } from './reader.ts';

// The rows that may lead to the answers of a search. Each plan hands out records one by one, with the position behind each, so that
// a page can end anywhere and the next one begin there. They are candidates: the search checks each record against every
// parameter and every rule of access.

/** Hands out candidates, newest first in a chart, each once. Reads no further than it is asked. In charts, other types come along. */
export const candidates = (
  store: RecordStore,
  types: SearchedTypes,
  plan: Plan,
  from: Position | undefined,
  options: Omit<Reader, 'store' | 'types' | 'recordType'>,
): AsyncGenerator<Candidate> => {
  const reader: Reader = { ...options, store, types, recordType: types[0] };
  switch (plan.kind) {
    case 'records':
      return fromAddresses(reader, plan.addresses, from);
    case 'charts':
      return fromCharts(reader, plan, from);
    case 'bearers':
      return fromBearers(reader, plan, from);
    case 'registry':
      return fromRegistry(reader, plan.ranges, from);
    case 'listed':
      return fromList(reader, plan.owner, from);
    case 'patients':
      return fromPatients(reader, plan.owner, from);
    case 'walk':
      return fromWalk(reader, plan.owner, from);
    case 'several':
      return fromSeveral(reader, plan.plans, from);
  }
};

async function* fromSeveral(reader: Reader, plans: readonly Plan[], from?: Position): AsyncGenerator<Candidate> {
  const [first = 0, ...within] = from ?? [];
  for (const [index, plan] of plans.entries()) {
    if (index < Number(first)) continue;
    const { store, types } = reader;
    const begin = index === first && within.length > 0 ? within : undefined;
    for await (const { record, position } of candidates(store, types, plan, begin, reader)) {
      yield { record, position: [index, ...position] };
    }
    yield { record: undefined, position: [index + 1] };
  }
}
