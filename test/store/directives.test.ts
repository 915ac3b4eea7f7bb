import { beforeAll, describe, expect, it } from 'vitest';
import { directiveChanges } from '../../shared/store/directives.ts';
import { divide } from '../../shared/store/divide-commit.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import type { StoredRecord } from '../../shared/store/rows.ts';
import { fhirServer } from '../support/fhir-server.ts';

let store: RecordStore;
beforeAll(async () => {
  ({ store } = await fhirServer());
});

describe('the directive of a Consent', () => {
  it('is never put before the commit is decided: what a refused transaction opens would be open until it is undone', () => {
    const chart = store.ids.newChart();
    const writes = Array.from({ length: 200 }, (_, index) => {
      const place = store.ids.newPlace(index);
      const next: StoredRecord = {
        type: 'Consent',
        chart,
        place,
        id: store.ids.idAt(chart, place),
        version: 1,
        updated: index,
        custodian: 'northside',
        labels: [],
        resource: { resourceType: 'Consent' },
      };
      return { next, ...directiveChanges({ next }, { type: 'permit' }) };
    });

    const { hints, staged, deciding } = divide(store, { writes, checks: [], unique: [], claims: [], log: [] });

    expect(hints).toEqual([]);
    expect(staged.writes.length).toBeGreaterThan(0);
    expect([...staged.writes, ...deciding.writes].map(({ puts }) => puts.length)).toEqual(writes.map(() => 1));
  });
});
