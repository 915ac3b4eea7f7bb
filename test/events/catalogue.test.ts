import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { eventTypes } from '../../infra/partners.ts';
import { contracts } from '../../shared/changes/contracts.ts';

// docs/events.md says of each event what the code has.

const root = path.resolve(import.meta.dirname, '../..');
const document = readFileSync(path.join(root, 'docs/events.md'), 'utf8').split('\n');
const folder = path.join(root, 'events/event-bridge');
const names = Object.keys(contracts);

/** What the rows of the first table behind a line name. */
const namesUnder = (line: string): string[] => {
  const first = document.indexOf(line);
  const table = document.slice(first + 1);
  const start = table.findIndex((each) => each.startsWith('| '));
  const end = table.findIndex((each, index) => index > start && !each.startsWith('|'));
  return table.slice(start + 2, end).flatMap((row) => /^\| `([^`]+)` /.exec(row)?.[1] ?? []);
};

describe('docs/events.md', () => {
  it('lists each event that is sent, and no other, and so can partners choose', () => {
    expect(namesUnder('# Events: what Concord tells, and whom').sort()).toEqual(names.toSorted());
    expect([...eventTypes].sort()).toEqual(names.toSorted());
  });

  it.each(Object.entries(contracts))('says of %s what each field holds', (name, { shape }) => {
    expect(namesUnder(`## \`${name}\``)).toEqual(Object.keys(shape));
  });

  it.each(Object.entries(contracts))('has samples of %s beside its schema', (name, contract) => {
    const files = readdirSync(folder).map((file) => [file, JSON.parse(readFileSync(path.join(folder, file), 'utf8'))]);
    const samples = files.filter(([, { 'detail-type': type }]) => type === name);
    const schema = JSON.parse(JSON.stringify(z.toJSONSchema(contract)));

    expect(samples.length).toBeGreaterThan(0);
    for (const [file, { detail }] of samples) expect(contract.parse(detail), file).toEqual(detail);
    expect(files.map(([, content]) => content)).toContainEqual(schema);
  });
});
