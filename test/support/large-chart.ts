import type { Resource } from '../../shared/fhir/resource.ts';
import type { Row } from '../../shared/store/keys.ts';
import { recordKey } from '../../shared/store/keys.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import { recordRow } from '../../shared/store/rows.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import { itemSize } from '../bench/item-size.ts';
import { observationBody } from './records.ts';

/** Bodies differ in their values; packing each anew would take longer than writing it. */
const differentBodies = 100;
/** Rows made at a time. */
const atOnce = 5_000;

/** The code that one Observation in a hundred has. */
export const rareCode = 'rare-1';

/**
 * Writes Observations into a chart, a minute apart, as rows alone: no index rows and no log.
 *
 * @param count - a multiple of 100.
 * @returns what they take of DynamoDB's pages, in bytes.
 */
export const writeObservations = async (store: RecordStore, chart: string, count: number): Promise<number> => {
  const bodies = Array.from({ length: differentBodies }, (_, n) => {
    const place = store.ids.newPlace(0);
    const resource = observationBody(`Patient/${chart}`, {
      ...(n === 0 ? { code: { coding: [{ system: 'http://loinc.org', code: rareCode }] } } : {}),
      encounter: { reference: `Encounter/${store.ids.idAt(chart, place)}` },
      valueQuantity: { value: 60 + n, unit: '/min', system: 'http://unitsofmeasure.org', code: '/min' },
    }) as unknown as Resource;
    const address = { type: 'Observation', chart, place };
    const facts = { id: store.ids.idAt(chart, place), version: 1, updated: Date.now(), custodian: 'northside' };
    return recordRow({ ...address, ...facts, labels: [], resource }, store.ids);
  });
  let bytes = 0;
  for (let from = 0; from < count; from += atOnce) {
    const rows = Array.from({ length: Math.min(atOnce, count - from) }, (_, n): Row => {
      const place = store.ids.newPlace(Date.UTC(2000, 0, 1) + (from + n) * 60_000);
      const body = bodies[n % differentBodies];
      return { ...body, ...recordKey({ type: 'Observation', chart, place }) };
    });
    bytes += rows.reduce((sum, row) => sum + itemSize(row), 0);
    await writeRows(store, rows);
  }
  return bytes;
};
