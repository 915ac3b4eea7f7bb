import type { Matter } from '../../access/proxies/confidential.ts';
import { asBooked, offersNamedBy } from '../../access/proxies/offers.ts';
import { RecordError } from '../../errors.ts';
import type { RecordStore } from '../../store/record-store.ts';
import type { StoredRecord } from '../../store/rows.ts';

/** Entries of the directory that are looked at for one chart: a Slot a booking. */
const mostOffers = 2_000;

/** A Slot is of a Schedule, and that of a HealthcareService. */
const steps = 3;

/**
 * What the records of a chart are booked with, as far as it says what for. A call for each hundred, at most three after one another; none for a chart that names no such thing.
 *
 * @throws RecordError `too-costly`.
 */
export const offersOf = async (
  store: RecordStore,
  records: readonly StoredRecord[],
  matters: ReadonlySet<Matter>,
): Promise<StoredRecord[]> => {
  const found = new Map<string, StoredRecord>();
  const asked = new Set<string>();
  let naming = records;
  for (let step = 0; step < steps && naming.length > 0; step++) {
    const names = new Set(naming.flatMap(({ resource }) => offersNamedBy(resource)));
    const fresh = [...names].filter((name) => !asked.has(name));
    for (const name of fresh) asked.add(name);
    if (asked.size > mostOffers)
      throw new RecordError('too-costly', 'This chart is too large to be looked through for who acts for a minor');
    const read = await readNamed(store, fresh);
    for (const record of read) found.set(`${record.type}/${record.id}`, record);
    naming = read;
  }
  return [...found.values()].map((record) => ({ ...record, resource: asBooked(matters, record) }));
};

const readNamed = async (store: RecordStore, names: readonly string[]): Promise<StoredRecord[]> => {
  const byType = Map.groupBy(names, (name) => name.slice(0, name.indexOf('/')));
  const addresses = await Promise.all(
    [...byType].map(([type, own]) =>
      store.locateMany(
        type,
        own.map((name) => name.slice(type.length + 1)),
        true,
      ),
    ),
  );
  const there = addresses.flat().filter((address) => address !== undefined);
  return there.length === 0 ? [] : store.readMany(there);
};
