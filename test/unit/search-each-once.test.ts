import { describe, expect, it } from 'vitest';
import { eachOnce } from '../../shared/interactions/search/each-once.ts';
import type { StoredRecord } from '../../shared/store/rows.ts';

const record = (id: string) => ({ type: 'Observation', id }) as StoredRecord;

describe('a record that moves while a chart is read', () => {
  it('is found where it was met first, and the position goes on behind the second place', async () => {
    const read = async function* () {
      yield { record: record('a'), position: 1 };
      yield { record: undefined, position: 2 };
      yield { record: record('b'), position: 3 };
      yield { record: record('a'), position: 4 };
    };

    const found: [string | undefined, number][] = [];
    for await (const { record, position } of eachOnce<{ record: StoredRecord | undefined; position: number }>(read()))
      found.push([record?.id, position]);

    expect(found).toEqual([
      ['a', 1],
      [undefined, 2],
      ['b', 3],
      [undefined, 4],
    ]);
  });
});
