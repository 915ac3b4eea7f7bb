import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { encounterMoves } from '../../shared/visits/encounter-moves.ts';
import { inWords } from '../../shared/work/legal-moves.ts';

const document = readFileSync(path.resolve(import.meta.dirname, '../../docs/work.md'), 'utf8');

/** Rows of the table that begins with a heading. */
const rowsUnder = (heading: string): string[][] => {
  const lines = document.split('\n');
  const first = lines.findIndex((line) => line.startsWith(`| ${heading} `));
  const end = lines.findIndex((line, index) => index > first && !line.startsWith('|'));
  return lines.slice(first + 2, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
};

describe('docs/work.md', () => {
  it.each([encounterMoves])('says what may become of $element as the code does', ({ element, from }) => {
    expect(rowsUnder(element)).toEqual(
      [...from].map(([state, moves]) => [state, moves.map(inWords).join(', ') || 'nothing']),
    );
  });
});
