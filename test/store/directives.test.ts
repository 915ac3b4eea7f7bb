import { beforeAll, describe, expect, it } from 'vitest';
import type { Rule } from '../../shared/access/directive.ts';
import type { RecordWrite } from '../../shared/store/commit.ts';
import { directiveChanges } from '../../shared/store/directive-rows.ts';
import { divide } from '../../shared/store/divide-commit.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import type { StoredRecord } from '../../shared/store/rows.ts';
import { fhirServer } from '../support/fhir-server.ts';

let store: RecordStore;
beforeAll(async () => {
  ({ store } = await fhirServer());
});

/** The write of a Consent. */
const writeOf = (index: number, rule: Rule | undefined, of: 'first' | 'later' = 'first'): RecordWrite => {
  const chart = store.ids.newChart();
  const place = store.ids.newPlace(index);
  const version = (number: number): StoredRecord => ({
    type: 'Consent',
    chart,
    place,
    id: store.ids.idAt(chart, place),
    version: number,
    updated: index + number,
    custodian: 'northside',
    labels: [],
    resource: { resourceType: 'Consent' },
  });
  const write = of === 'first' ? { next: version(1) } : { next: version(2), previous: version(1) };
  return { ...write, ...directiveChanges(write, rule) };
};

const nothingElse = { checks: [], unique: [], claims: [], log: [] };

describe('the directive of a Consent', () => {
  it('is never put before the commit is decided: what a refused transaction opens would be open until it is undone', () => {
    const writes = Array.from({ length: 200 }, (_, index) => writeOf(index, { type: 'permit' }));

    const { hints, staged, deciding } = divide(store, { ...nothingElse, writes });

    expect(hints).toEqual([]);
    expect(staged.writes.length).toBeGreaterThan(0);
    expect([...staged.writes, ...deciding.writes].map(({ puts }) => puts.length)).toEqual(writes.map(() => 1));
  });
  it('is written by what decides if it may close something: who reads what it closes asks no marker', () => {
    const opening = Array.from({ length: 200 }, (_, index) => writeOf(index, { type: 'permit' }));
    const closing = [
      writeOf(200, { type: 'deny' }),
      writeOf(201, { type: 'permit', rules: [{ rules: [{ type: 'deny' }] }] }),
      writeOf(202, { type: 'permit' }, 'later'),
      writeOf(203, undefined, 'later'),
    ];
    const chart = store.ids.newChart();
    const checks = Array.from({ length: 200 }, (_, index) => ({
      address: { type: 'Encounter', chart, place: store.ids.newPlace(index) },
      label: 'Consent',
    }));

    const { deciding } = divide(store, { ...nothingElse, writes: [...opening, ...closing], checks });

    const decided = new Set(deciding.writes.map(({ next }) => next.id));
    expect(closing.map(({ next }) => decided.has(next.id))).toEqual(closing.map(() => true));
  });

  it('is refused where more may close something than can be decided at once', () => {
    const writes = Array.from({ length: 100 }, (_, index) => writeOf(index, undefined, 'later'));

    expect(() => divide(store, { ...nothingElse, writes })).toThrow(
      expect.objectContaining({ kind: 'too-large', reason: 'too-many-consents' }),
    );
  });
});
