import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { conditionCodes, rejecting } from '../../../shared/hl7-v2/acknowledgement.ts';
import { served, tables } from '../../../shared/hl7-v2/mapping/messages.ts';

const document = readFileSync(path.resolve(import.meta.dirname, '../../../docs/hl7-v2.md'), 'utf8').split('\n');

/** Rows of the table that begins with a heading. */
const rowsUnder = (heading: string): string[][] => {
  const first = document.findIndex((line) => line.startsWith(`| ${heading} `));
  const end = document.findIndex((line, index) => index > first && !line.startsWith('|'));
  return document.slice(first + 2, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
};

describe('docs/hl7-v2.md', () => {
  it.each(Object.entries(tables))('tells the mapping of %s as the code has it', (type, rows) => {
    expect(rowsUnder(`${type} of`)).toEqual(rows.map(({ from, to, how }) => [from, `\`${to}\``, how]));
  });

  it('names each message that is taken', () => {
    expect(rowsUnder('type').map(([type, events = '']) => [type, events.match(/[A-Z]\d\d/g)])).toEqual(
      Object.entries(served).map(([type, events]) => [type, [...events]]),
    );
  });

  it('tells each reason with its code, and whether the message is kept', () => {
    expect(rowsUnder('reason').map(([reason, code, , kept]) => [reason, code, kept])).toEqual(
      Object.entries(conditionCodes).map(([reason, code]) => [
        `\`${reason}\``,
        code,
        reason === 'overtaken' ? 'filed' : ([...rejecting] as string[]).includes(reason) ? 'no' : 'yes',
      ]),
    );
  });
});
