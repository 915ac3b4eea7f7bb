import { bearersOf } from '../bearers.ts';
import type { Address } from '../keys.ts';
import type { Candidate, Plan, Position } from './plan.ts';
import { addressText, listPage, type Reader, spendFetches } from './reader.ts';

/** In the order of their keys: between two pages, there may be others among them. */
export async function* fromAddresses(
  { store, spend }: Reader,
  unsorted: readonly Address[],
  from?: Position,
): AsyncGenerator<Candidate> {
  const after = from === undefined ? '' : String(from[0]);
  const named = new Map(unsorted.map((address) => [addressText(address), address]));
  const addresses = [...named.keys()].sort().flatMap((text) => (text > after ? (named.get(text) ?? []) : []));
  let at = 0;
  while (at < addresses.length) {
    const batch = addresses.slice(at, at + listPage);
    spend();
    const [only] = batch;
    const one = batch.length === 1 && only ? await store.read(only) : undefined;
    const page = batch.length === 1 ? { records: one ? [one] : [], taken: 1, fetches: 0 } : await store.readPage(batch);
    spendFetches(spend, page);
    const byKey = new Map(page.records.map((record) => [addressText(record), record]));
    for (const address of batch.slice(0, page.taken)) {
      const text = addressText(address);
      const record = byKey.get(text);
      if (record) yield { record, position: [text] };
    }
    at += page.taken;
  }
}

/** What bears one of these identifiers. */
export async function* fromBearers(
  reader: Reader,
  { partitions, locate }: Extract<Plan, { kind: 'bearers' }>,
  from?: Position,
): AsyncGenerator<Candidate> {
  const { store, spend } = reader;
  const rows = await Promise.all(partitions.map((partition) => bearersOf(store, partition, spend)));
  const ids = [...new Set(rows.flat())].sort();
  const addresses = await Promise.all(ids.map(locate));
  yield* fromAddresses(
    reader,
    addresses.filter((address) => address !== undefined),
    from,
  );
}
