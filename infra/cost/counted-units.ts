import { readFileSync } from 'node:fs';
import path from 'node:path';

/** What one request asks of the table and leaves in it, as `npm run bench` counted it. */
export interface CountedUnits {
  readonly calls: number;
  readonly readUnits: number;
  readonly writeUnits: number;
  /** Of the stream's consumers, behind the answer. */
  readonly writeUnitsBehind: number;
  /** Left in the table, index rows and log included; the bill adds 100 an item. */
  readonly bytesStored: number;
}

const page = path.resolve(import.meta.dirname, '../../docs/budgets.md');

/**
 * Reads the counts of the page of budgets, which a test holds current. By name of the request.
 *
 * @throws Error if the page has no such table.
 */
export const countedUnits = (text: string = readFileSync(page, 'utf8')): ReadonlyMap<string, CountedUnits> => {
  const [, section = ''] = text.split('## What one request costs\n');
  const rows = (section.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('|'));
  const [head = '', , ...body] = rows.map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
  const expected = 'one request, calls, in sequence, read units, write units, write units behind, bytes stored';
  if (String(head) !== expected.replaceAll(', ', ','))
    throw new Error('docs/budgets.md has no table of what one request costs');
  return new Map(
    body.map(([name = '', ...cells]) => {
      const [calls = 0, , readUnits = 0, writeUnits = 0, writeUnitsBehind = 0, bytesStored = 0] = cells.map((cell) =>
        Number(cell.replaceAll(',', '')),
      );
      return [name, { calls, readUnits, writeUnits, writeUnitsBehind, bytesStored }];
    }),
  );
};
