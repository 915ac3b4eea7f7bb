import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBStreamEvent } from 'aws-lambda';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AuditEntry,
  auditPointer,
  auditRow,
  entryOf,
  interactionOf,
  type StoredAuditRow,
} from '../../shared/audit/audit-row.ts';
import { refusedRow } from '../../shared/audit/following-rows.ts';
import { deriveKeys } from '../../shared/store/deployment-key.ts';
import { IdCodec } from '../../shared/store/ids.ts';
import { auditKey } from '../../shared/store/keys.ts';
import { itemSize } from '../bench/item-size.ts';

const ids = new IdCodec(deriveKeys(new Uint8Array(32)).ids);
const chart = ids.newChart();
const at = Date.UTC(2026, 10, 24, 23, 59, 59, 999);
const key = () => auditKey(chart, ids.newPlace(at));
const observation = () => `Observation/${ids.idAt(chart, ids.newPlace(0))}`;

const entry = (over: Partial<AuditEntry> = {}): AuditEntry => ({
  at,
  interaction: 'read',
  what: [observation()],
  subject: '5f0c2e0e-6a41-4a51-9a5e-0d9d8f3f6f10',
  name: 'nurse@northside.example',
  client: '3n4b5urk1ft4fl3mg5e62d9ado',
  fhirUser: 'Practitioner/northside-nurse',
  roles: ['nurse'],
  organization: 'northside',
  request: 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef',
  ...over,
});

describe('a row of the access log', () => {
  const id = fc.oneof(
    fc.stringMatching(/^[A-Za-z0-9\-.]{1,64}$/),
    fc.constant(chart),
    fc.constantFrom('', 'x').map((more) => `${chart}.${more}`),
    fc.constant(ids.newChart()),
    fc.date({ noInvalidDate: true }).map((date) => ids.idAt(chart, ids.newPlace(date.getTime()))),
  );
  const reference = fc
    .tuple(fc.constantFrom('Patient', 'Observation', 'Organization'), id, fc.constantFrom('', '/_history/2'))
    .map(([type, name, version]) => `${type}/${name}${version}`);
  /** Of none that there can be. */
  const odd = fc.constantFrom(`Basic/${chart}~`, 'Basic/x~~', `Basic/${chart}.${'0'.repeat(26)}`);

  it('gives back what it was made of, in and out of its own chart, short and long', () => {
    const entries = fc.record(
      {
        what: fc.array(fc.oneof({ weight: 9, arbitrary: reference }, { weight: 1, arbitrary: odd }), { maxLength: 30 }),
        query: fc.string({ unit: 'binary', maxLength: 600 }),
        name: fc.string({ unit: 'binary' }),
        roles: fc.array(fc.string(), { maxLength: 3 }),
      },
      { requiredKeys: [] },
    );

    fc.assert(
      fc.property(entries, (over) => {
        const said = entry(over);
        expect(entryOf(auditRow(ids, key(), said), ids)).toEqual(said);
      }),
    );
  });

  it('of somebody without an organisation has none', () => {
    const { organization: _none, ...ofPatient } = entry();

    expect(entryOf(auditRow(ids, key(), ofPatient), ids)).toEqual(ofPatient);
    expect(auditPointer(auditRow(ids, key(), ofPatient))).toBeUndefined();
  });

  it('does not repeat its own chart', () => {
    const row = auditRow(ids, key(), entry({ what: [`Patient/${chart}`, observation()] }));

    expect(JSON.stringify({ ...row, pk: '' })).not.toContain(chart);
  });

  it('takes 11 bytes for each reference of a bundle with a date of its own, 7 with that of another, and a read less than half a write unit', () => {
    const bundle = (size: number, apart: number) => {
      const what = Array.from(
        { length: size },
        (_, n) => `Observation/${ids.idAt(chart, ids.newPlace(n * apart))}/_history/1`,
      );
      return itemSize(auditRow(ids, key(), entry({ what })));
    };
    const each = (apart: number) => (bundle(1_000, apart) - bundle(100, apart)) / 900;

    expect(each(0)).toBeLessThan(7);
    expect(each(7_654_321)).toBeLessThan(11);
    expect(itemSize(auditRow(ids, key(), entry()))).toBeLessThan(400);
  });

  it('tells what kind of access it is without a key', () => {
    const long = auditRow(
      ids,
      key(),
      entry({ interaction: 'search-type', what: Array.from({ length: 20 }, observation) }),
    );

    expect(long.layout).toBe(3);
    expect([long, auditRow(ids, key(), entry())].map(interactionOf)).toEqual(['search-type', 'read']);
  });

  it('stands by day as a pointer of 100 bytes, whether it was granted or refused', () => {
    const row = auditRow(ids, key(), entry());
    const pointer = auditPointer(row);

    expect(pointer).toEqual({ pk: 'A#northside#2026-11-24', sk: row.sk, layout: 2, log: row.pk });
    expect(itemSize(pointer ?? {})).toBeLessThan(100);
    expect(auditPointer(refusedRow(row))).toEqual({ ...pointer, sk: `${row.sk}!refused` });
  });
});

describe('rows of events/dynamodb', () => {
  const sampleRows = (file: string): StoredAuditRow[] => {
    const text = readFileSync(path.resolve(import.meta.dirname, '../../events/dynamodb', file), 'utf8');
    const { Records } = JSON.parse(text) as DynamoDBStreamEvent;
    return Records.map(({ dynamodb }) => {
      const row = unmarshall(dynamodb?.NewImage as Record<string, AttributeValue>);
      // A stream event holds bytes in base 64.
      return { ...row, ...(row.layout === 2 ? { entry: bytesIn(dynamodb?.NewImage?.entry) } : {}) } as StoredAuditRow;
    });
  };
  const bytesIn = (value: { readonly B?: string; readonly S?: string } | undefined) =>
    value?.B === undefined ? value?.S : Buffer.from(value.B, 'base64');
  const nurse = {
    subject: '5f0c2e0e-6a41-4a51-9a5e-0d9d8f3f6f10',
    name: 'nurse@northside.example',
    client: '3n4b5urk1ft4fl3mg5e62d9ado',
    fhirUser: 'Practitioner/northside-nurse',
    roles: ['nurse'],
    organization: 'northside',
    request: 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef',
  };

  it('are read, plain and deflated', () => {
    const [read, refused, bundle] = sampleRows('audit-row-2.json').map((row) => entryOf(row, ids));
    const own = '4ietnh7ahshfjdidn6n7q1pho4';

    expect(read).toEqual({
      at: Date.UTC(2026, 10, 24, 23, 59, 59, 999),
      interaction: 'read',
      what: [`Observation/${own}.rt48mom3t7l1kef1jk7go9g2fc`],
      ...nurse,
    });
    expect(refused).toEqual(read);
    expect(bundle).toMatchObject({ interaction: 'create', ...nurse });
    expect(bundle?.what).toHaveLength(9);
    expect(bundle?.what[0]).toBe(`Patient/${own}/_history/1`);
    expect(bundle?.what[1]).toMatch(new RegExp(`^Observation/${own}\\.[0-9a-v]{26}/_history/1$`));
  });
});
