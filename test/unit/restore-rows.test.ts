import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ChangedRow } from '../../infra/cli/restore/compare.ts';
import { rowsToWrite } from '../../infra/cli/restore/copy-rows.ts';
import { type Fate, kindOf, rowKinds } from '../../infra/cli/restore/row-kinds.ts';
import { asCsv } from '../../infra/cli/restore/work-list.ts';
import type { Row } from '../../shared/store/keys.ts';

const chart = '4ietnh7ahshfjdidn6n7q1pho4';
const place = '78m7n5g000qlc95lpl10';
/** Keys as docs/store.md has them, with what else tells their kind. */
const examples: readonly (readonly [Fate, Record<string, unknown>])[] = [
  ['record', { pk: `C#${chart}`, sk: 'Patient#' }],
  ['record', { pk: `C#${chart}`, sk: `Encounter#${place}` }],
  ['record', { pk: 'C#northside', sk: 'Organization#' }],
  ['beside', { pk: `C#${chart}`, sk: `~H#Encounter#${place}#0000000001` }],
  ['beside', { pk: `C#${chart}`, sk: `Appointment#${place}`, home: 'c2' }],
  ['beside', { pk: `C#${chart}`, sk: `Communication#${place}!`, home: 'c2', place }],
  ['as-at-end', { pk: `C#${chart}`, sk: `!access#${place}` }],
  ['as-at-end', { pk: `C#${chart}`, sk: `!access#ServiceRequest#${place}` }],
  ['as-at-end', { pk: `C#${chart}`, sk: `!access#~!${place}` }],
  ['as-at-end', { pk: `C#${chart}`, sk: '!proxy#RelatedPerson/x' }],
  ['as-at-end', { pk: `C#${chart}`, sk: '!proxy!' }],
  ['tightened', { pk: `C#${chart}`, sk: '!linked' }],
  ['beside', { pk: `C#${chart}`, sk: 'Observation#~' }],
  ['beside', { pk: `C#${chart}`, sk: `Observation#~~${place}`, home: 'c2', place }],
  ['beside', { pk: `C#${chart}`, sk: `Observation#~~~${place}` }],
  ['beside', { pk: 'X#northside#Patient#name#oka~0', sk: `okafor#${chart}` }],
  ['beside', { pk: 'X#northside#_work#_work#5v2m', sk: 'task#2026-05-04T12:00:00.000Z#x' }],
  ['beside', { pk: 'U#northside#Patient#c81q', sk: `B#${chart}` }],
  ['left', { pk: 'U#northside#Patient#c81q', sk: 'G' }],
  ['beside', { pk: 'L#Observation#chosen-by-client', sk: 'L' }],
  ['left', { pk: 'T#6o3gckhn68o3ie9l74s3gdpk', sk: 'T' }],
  ['left', { pk: 'T~6', sk: '6o3gckhn68o3ie9l74s3gdpk' }],
  ['as-at-end', { pk: 'O~g', sk: place }],
  ['taken', { pk: `A#${chart}`, sk: `${place}!refused` }],
  ['taken', { pk: 'A#northside#2026-11-24', sk: place }],
  ['taken', { pk: `A#${chart}#chain`, sk: '0000000007' }],
  ['taken', { pk: 'A~2026-11-24#3', sk: '8chQz0kT' }],
  ['taken', { pk: `D#${chart}`, sk: place }],
  ['taken', { pk: `D#${chart}`, sk: `!suspended#${place}` }],
  ['tightened', { pk: `D#${chart}`, sk: '!keeping' }],
  ['as-at-end', { pk: 'D#northside#Practitioner/p1', sk: 'role' }],
  ['left', { pk: 'D#northside#Practitioner/p1', sk: '!call' }],
  ['taken', { pk: 'P!', sk: chart }],
  ['left', { pk: 'P!walk', sk: 'P' }],
  ['left', { pk: 'S#Practitioner/p1#2026-11-24', sk: 'day' }],
  ['taken', { pk: 'N#northside', sk: '1qno8n6g2#x#1440' }],
  ['taken', { pk: 'N!', sk: 'N' }],
  ['tightened', { pk: '!denied', sk: 'person#Practitioner/northside-support' }],
  ['as-at-end', { pk: '!applications', sk: 'client-1' }],
  ['left', { pk: '!deployment', sk: 'key' }],
  ['taken', { pk: '!listeners', sk: 'lakeside' }],
  ['taken', { pk: 'F#northside#2', sk: '06h0qraq2g#pueblkhl37ljc' }],
  ['taken', { pk: 'Q#northside', sk: '0000001042' }],
  ['taken', { pk: `V#${chart}`, sk: 'V' }],
  ['taken', { pk: 'F~7', sk: 'beat' }],
  ['taken', { pk: 'F!', sk: 'beats' }],
  ['as-at-end', { pk: 'F!', sk: 'gap#06h0qraq2g' }],
  ['as-at-end', { pk: 'F!', sk: `parked#${chart}` }],
  ['as-at-end', { pk: 'F!later', sk: 'x' }],
  ['as-at-end', { pk: 'W!09', sk: 'lakeside#x#state' }],
  ['taken', { pk: 'W#lakeside#x', sk: '0000000040' }],
  ['taken', { pk: 'E#9f2c5m0t8q4b', sk: '2026-03-01T10:00:00.000Z#0' }],
  ['left', { pk: 'I#9f2c5m0t8q4b', sk: 'I' }],
];

describe('what becomes of a row', () => {
  it.each(examples)('%s: %o', (fate, row) => {
    expect(kindOf(row as Row)?.fate).toBe(fate);
  });

  it('is known of every kind, and told in the runbook', () => {
    const runbook = readFileSync('docs/runbooks/restore.md', 'utf8');
    const used = new Set(examples.map(([, row]) => kindOf(row as Row)?.name));

    for (const { name, fate } of rowKinds) {
      expect(used, name).toContain(name);
      expect(runbook, name).toMatch(new RegExp(`^\\| ${name} +\\| ${fate} +\\|`, 'm'));
    }
  });

  it('is nothing that can be guessed where a newer release wrote the row', () => {
    expect(kindOf({ pk: '%new', sk: 'x' })).toBeUndefined();
  });
});

const change = (
  old: Record<string, unknown> | undefined,
  restored: Record<string, unknown> | undefined,
): ChangedRow => {
  const row = (old ?? restored) as Row;
  const kind = kindOf(row);
  if (!kind) throw new Error('A row of no kind');
  return { kind, old: old as Row | undefined, restored: restored as Row | undefined };
};

describe('what closes', () => {
  const keeping = { pk: `D#${chart}`, sk: '!keeping' };
  const denied = { pk: '!denied', sk: 'person#Practitioner/x' };
  const linked = { pk: `C#${chart}`, sk: '!linked' };

  it.each([
    ['a hold that was put later is taken', { ...keeping, state: 'held' }, undefined, 'puts'],
    ['a hold that was released later is kept', undefined, { ...keeping, state: 'held' }, 'kept'],
    ['a chart that was purged later is purged', { ...keeping, state: 'purged' }, { ...keeping, state: 'held' }, 'puts'],
    ['a denial that was put later is taken', { ...denied, before: 2 }, { ...denied, before: 1 }, 'puts'],
    ['a denial that lapsed later is kept', undefined, { ...denied, before: 1 }, 'kept'],
    ['a link that was made later is not taken', { ...linked, ids: new Set(['a~b']) }, undefined, undefined],
    ['a link that was taken away later goes', undefined, { ...linked, ids: new Set(['a~b']) }, 'removes'],
    [
      'of links those stay that stayed',
      { ...linked, ids: new Set(['a~b', 'a~d']) },
      { ...linked, ids: new Set(['a~b', 'a~c']) },
      'puts',
    ],
  ])('%s', (_, old, restored, into) => {
    const written = rowsToWrite([change(old, restored)]);

    expect((['puts', 'removes', 'kept'] as const).filter((where) => written[where].length > 0)).toEqual(
      into ? [into] : [],
    );
  });

  it('keeps of links what both tables have, and nothing that either lacks', () => {
    const { puts } = rowsToWrite([
      change({ ...linked, ids: new Set(['a~b', 'a~d']) }, { ...linked, ids: new Set(['a~b', 'a~c']) }),
    ]);

    expect(puts).toEqual([{ ...linked, ids: new Set(['a~b']) }]);
  });
});

describe('a work list as a table', () => {
  it('quotes what would end a field', () => {
    const item = {
      organization: 'north, side',
      rank: 1,
      what: 'say "yes"',
      record: 'A/1',
      version: 'A/1/_history/2',
      written: 0,
      by: '',
    } as const;

    expect(asCsv([item]).split('\r\n')[1]).toBe('"north, side",1,A/1,A/1/_history/2,,,"say ""yes"""');
  });
});
