import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { roles } from '../../shared/access/caller.ts';
import { byBooking, exceptions, rights } from '../../shared/access/roles.ts';
import { bookedBySupport } from '../../shared/access/support-booking.ts';
import { type Parts, supportSearches, supportView } from '../../shared/access/support-view.ts';
import { recordTypes } from '../../shared/record-types/index.ts';
import { otherRecordTypes } from '../../shared/record-types/other.ts';

const document = readFileSync(path.resolve(import.meta.dirname, '../../docs/access.md'), 'utf8');

/** Rows of the document's tables, cells without blanks at their ends. */
const rows = document
  .split('\n')
  .filter((line) => line.startsWith('|') && !/^\|[-| ]+$/.test(line))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
const rowNamed = (name: string) => rows.find(([first]) => first === name);

/** Parts as the document writes them: plain values by their names alone. */
const described = (parts: Parts): string =>
  Object.entries(parts)
    .map(([element, shown]) => {
      if (shown === 'value') return element;
      if (typeof shown === 'string') return `${element}: ${shown}`;
      return Array.isArray(shown) ? `${element}: ${shown.join(' or ')}` : `${element} (${described(shown as Parts)})`;
    })
    .join(', ');

const types = [...recordTypes, ...otherRecordTypes];
const subjects = [...new Set(types.map(({ subject }) => subject))];

describe('docs/access.md', () => {
  it('has the roles as columns', () => {
    expect(rowNamed('subject')).toEqual(['subject', ...roles]);
  });

  it.each(subjects)('says who may do what with %s as the code does', (subject) => {
    expect(rowNamed(subject)).toEqual([subject, ...roles.map((role) => rights[role][subject] ?? '–')]);
  });

  it('names every type of every subject that is not left to a rule', () => {
    const named = subjects
      .filter((subject) => subject !== 'clinical' && subject !== 'knowledge')
      .map((subject) => [
        `types of ${subject}`,
        types
          .filter((type) => type.subject === subject)
          .map(({ name }) => name)
          .sort()
          .join(', '),
      ]);

    expect(named.map(([first]) => rowNamed(first ?? ''))).toEqual(named);
  });

  it('lists what support sees and searches, element by element', () => {
    const views = Object.entries(supportView).map(([type, parts]) => [`${type} to support`, described(parts)]);
    const searches = Object.entries(supportSearches).map(([type, names]) => [`search of ${type}`, names.join(', ')]);

    expect([...views, ...searches].map(([first]) => rowNamed(first ?? ''))).toEqual([...views, ...searches]);
  });

  it('lets support search by what there is to search by', () => {
    for (const [type, names] of Object.entries(supportSearches)) {
      const known = types.find(({ name }) => name === type)?.searchParameters.map(({ code }) => code);
      expect(known).toEqual(expect.arrayContaining([...names]));
    }
  });

  it.each([
    ['exception', exceptions],
    ['booking', byBooking],
  ] as const)('lists every %s, and no other', (kind, table) => {
    const expected = Object.entries(table).flatMap(([role, byType]) =>
      Object.entries(byType).map(([type, letters]) => [`${kind}: ${role}`, type, letters]),
    );

    expect(rows.filter(([first]) => first?.startsWith(`${kind}: `))).toEqual(expected);
  });

  it('lists what support gives with a booking, element by element', () => {
    expect(rowNamed('Appointment from support')?.[1]).toBe(described(bookedBySupport));
  });
});
