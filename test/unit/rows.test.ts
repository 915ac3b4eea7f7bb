import { describe, expect, it } from 'vitest';
import { parseJson, stringifyJson } from '../../shared/fhir/json.ts';
import type { Resource } from '../../shared/fhir/resource.ts';
import { deriveKeys } from '../../shared/store/deployment-key.ts';
import { IdCodec } from '../../shared/store/ids.ts';
import { locatorKey, pointerKey, recordKey } from '../../shared/store/keys.ts';
import { addressOf, historyRow, presented, recordFrom, recordRow, type StoredRecord } from '../../shared/store/rows.ts';

const ids = new IdCodec(deriveKeys(new Uint8Array(32)).ids);
const chart = ids.newChart();
const place = ids.newPlace(0);

const record = (over: Partial<StoredRecord> = {}): StoredRecord => ({
  type: 'Observation',
  chart,
  place,
  id: ids.idAt(chart, place),
  version: 3,
  updated: Date.UTC(2026, 10, 24, 8, 30),
  custodian: 'northside',
  labels: [],
  resource: { resourceType: 'Observation', status: 'final' },
  ...over,
});

const throughRow = (stored: StoredRecord): StoredRecord => {
  const row = recordRow(stored, ids);
  const address = addressOf(row);
  if (!address) throw new Error('The row names no record');
  return recordFrom(row, address, ids);
};

describe('a record’s row', () => {
  it('gives the record back', () => {
    const stored = record({ labels: ['http://terminology.hl7.org/CodeSystem/v3-Confidentiality|R'] });

    expect(throughRow(stored)).toEqual(stored);
  });

  it('holds an id only where a client chose it', () => {
    const chosen = record({ id: 'chosen-by-client' });

    expect(recordRow(record(), ids)).not.toHaveProperty('id');
    expect(throughRow(chosen).id).toBe('chosen-by-client');
  });

  it('holds no body for a version that deletes the record', () => {
    const deleted = record({ resource: undefined });

    expect(recordRow(deleted, ids)).not.toHaveProperty('body');
    expect(throughRow(deleted).resource).toBeUndefined();
  });

  it('holds id, version and time once, outside the body', () => {
    const resource = {
      resourceType: 'Observation',
      id: 'x',
      meta: { versionId: '7', lastUpdated: '2020-01-01T00:00:00Z', profile: ['p'] },
    };

    expect(throughRow(record({ resource })).resource).toEqual({
      resourceType: 'Observation',
      meta: { profile: ['p'] },
    });
  });

  it('becomes history under its version, with the same contents', () => {
    const { pk: _pk, sk: _sk, ...attributes } = recordRow(record(), ids);

    expect(historyRow(record(), ids)).toEqual({
      pk: `C#${chart}`,
      sk: `~H#Observation#${place}#0000000003`,
      ...attributes,
    });
  });

  it.each([
    ['a history row', historyRow(record(), ids)],
    ['a locator', locatorKey('Observation', 'chosen')],
    ['an audit row', { pk: `A#${chart}`, sk: place }],
    ['a directive', { pk: `C#${chart}`, sk: '!access' }],
    ['a registry row', { pk: 'X#northside#Patient#_all#0', sk: chart }],
  ])('is told from %s', (_name, { pk, sk }) => {
    expect(addressOf({ pk, sk })).toBeUndefined();
  });

  it('has the address that a pointer has in another chart', () => {
    const other = ids.newChart();

    expect(addressOf(pointerKey(record(), other))).toEqual({ type: 'Observation', chart: other, place });
    expect(addressOf(recordKey({ type: 'Patient', chart, place: '' }))).toEqual({ type: 'Patient', chart, place: '' });
  });
});

describe('presented', () => {
  it('shows id, version and time first, and every decimal as it was read', () => {
    const resource = parseJson('{"resourceType":"Basic","meta":{"source":"s"},"factor":2.50}') as Resource;

    const text = stringifyJson(presented(record({ type: 'Basic', id: 'b', resource })));

    expect(text).toBe(
      '{"resourceType":"Basic","id":"b","meta":{"source":"s","versionId":"3","lastUpdated":"2026-11-24T08:30:00.000Z"},"factor":2.50}',
    );
  });
});
