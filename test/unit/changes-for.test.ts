import { describe, expect, it } from 'vitest';
import { changesFor } from '../../shared/changes/changes-for.ts';
import { recordChangedV1 } from '../../shared/changes/record-changed.ts';
import { deriveKeys } from '../../shared/store/deployment-key.ts';
import { IdCodec } from '../../shared/store/ids.ts';
import { locatorKey, pointerKey, registryPartition } from '../../shared/store/keys.ts';
import { WrittenByNewerRelease } from '../../shared/store/layouts.ts';
import { historyRow, type RecordRow, recordRow, type StoredRecord } from '../../shared/store/rows.ts';

const ids = new IdCodec(deriveKeys(new Uint8Array(32)).ids);
const chart = ids.newChart();
const place = ids.newPlace(0);
const updated = Date.UTC(2026, 10, 24, 8, 30, 0, 7);

const version = (number: number, over: Partial<StoredRecord> = {}): StoredRecord => ({
  type: 'Encounter',
  chart,
  place,
  id: ids.idAt(chart, place),
  version: number,
  updated,
  custodian: 'northside',
  labels: [],
  resource: { resourceType: 'Encounter', status: 'planned' },
  ...over,
});
const row = (number: number, over: Partial<StoredRecord> = {}): RecordRow => recordRow(version(number, over), ids);
const deleted = { resource: undefined };
const staged = (of: RecordRow): RecordRow => ({ ...of, tx: 'tx' });
const withIntent = (of: RecordRow): RecordRow => ({
  ...of,
  intent: { version: of.version + 1, updated, custodian: of.custodian, tx: 'tx' },
});

const kinds = (before: RecordRow | undefined, after: RecordRow | undefined) =>
  changesFor({ before, after }, ids, ['northside']).map(({ change, version: number }) => `${change} ${number}`);

describe('changesFor', () => {
  it('tells of a new record, and nothing of what is in it', () => {
    const events = changesFor({ before: undefined, after: row(1) }, ids, ['northside']);

    expect(events).toEqual([
      {
        eventId: expect.stringMatching(/^[0-9a-f]{64}$/),
        recordType: 'Encounter',
        recordId: ids.idAt(chart, place),
        version: 1,
        change: 'created',
        occurredAt: '2026-11-24T08:30:00.007Z',
        custodian: 'northside',
        recipient: 'northside',
      },
    ]);
    expect(recordChangedV1.safeParse(events[0]).success).toBe(true);
  });

  it.each([
    ['an update', row(1), row(2), ['updated 2']],
    ['an update of what others refer to', { ...row(1), refs: 3 }, row(2), ['updated 2']],
    ['a deletion', row(2), row(3, deleted), ['deleted 3']],
    ['a record written again after its deletion', row(3, deleted), row(4), ['updated 4']],
    ['an imported record of which the before image is missing', undefined, row(7), ['updated 7']],
    ['a staged create that is finished', staged(row(1)), row(1), ['created 1']],
    ['a staged update that is finished', withIntent(row(1)), row(2), ['updated 2']],
    ['a staged deletion that is finished', withIntent(row(1)), row(2, deleted), ['deleted 2']],
  ])('tells of %s', (_name, before, after, expected) => {
    expect(kinds(before, after)).toEqual(expected);
  });

  it.each([
    ['a staged create', undefined, staged(row(1))],
    ['a staged create that is taken back', staged(row(1)), undefined],
    ['an intent', row(1), withIntent(row(1))],
    ['an intent that is taken back', withIntent(row(1)), row(1)],
    ['a reference to the record', row(2), { ...row(2), refs: 1 }],
    ['a further reference', { ...row(2), refs: 1 }, { ...row(2), refs: 2 }],
    ['a record that is held', row(2), { ...row(2), intent: { tx: 'tx' } }],
    ['a record that is let go', { ...row(2), intent: { tx: 'tx' } }, { ...row(2), refs: 1 }],
    ['a change of a row that makes no new version', row(2), { ...row(2), labels: new Set(['x']) }],
    ['the end of a row', row(2), undefined],
    ['nothing', undefined, undefined],
  ])('tells nothing of %s', (_name, before, after) => {
    expect(kinds(before, after)).toEqual([]);
  });

  it.each([
    ['a history row', historyRow(version(1), ids)],
    ['a pointer', { ...pointerKey(version(1), ids.newChart()), layout: 1, home: chart }],
    [
      'a registry row that covers its record',
      { ...row(1), pk: registryPartition('northside', 'Encounter', 'x', 'y'), sk: `#${place}` },
    ],
    ['an audit row', { ...row(1), pk: `A#${chart}`, sk: place }],
    ['a locator', { ...locatorKey('Encounter', 'chosen'), chart, place }],
    ['a redo log', { pk: 'T#tx', sk: 'R#0000', packed: Uint8Array.of(1) }],
    ['the deployment key', { pk: '!deployment', sk: 'key' }],
  ])('tells nothing of %s', (_name, after) => {
    expect(kinds(undefined, after as unknown as RecordRow)).toEqual([]);
  });

  it('waits with a row of a newer release, rather than misread it', () => {
    expect(() => changesFor({ before: row(1), after: { ...row(2), layout: 99 } }, ids, [])).toThrow(
      WrittenByNewerRelease,
    );
  });

  it('names a record by the id that its client chose', () => {
    const [event] = changesFor({ before: undefined, after: row(1, { id: 'chosen' }) }, ids, ['northside']);

    expect(event?.recordId).toBe('chosen');
  });

  it('gives one change the same event id at every delivery, and no other change', () => {
    const idOf = (before: RecordRow | undefined, after: RecordRow, recipient = 'northside') =>
      changesFor({ before, after }, ids, [recipient])[0]?.eventId;

    expect(idOf(row(1), row(2))).toBe(idOf(staged(row(1)), row(2)));
    expect(idOf(row(1), row(2))).not.toBe(idOf(row(1), row(3)));
    expect(idOf(row(1), row(2))).not.toBe(idOf(row(1), row(2, { id: 'chosen' })));
    expect(idOf(row(1), row(2))).not.toBe(idOf(row(1), row(2), 'lakeside'));
  });

  it('tells each recipient by itself, and nobody of another', () => {
    const told = changesFor({ before: undefined, after: row(1) }, ids, ['northside', 'lakeside', '*']);

    expect(told.map(({ recipient }) => recipient)).toEqual(['northside', 'lakeside', '*']);
    expect(JSON.stringify(told[2])).not.toContain('lakeside');
  });
});

describe('RecordChanged.v1', () => {
  const [event] = changesFor({ before: undefined, after: row(1) }, ids, ['northside']);

  it.each([
    ['an element more', { ...event, patient: 'Patient/p' }],
    ['no recipient', { ...event, recipient: '' }],
    ['version 0', { ...event, version: 0 }],
    ['another change', { ...event, change: 'read' }],
    ['a time without a zone', { ...event, occurredAt: '2026-11-24T08:30:00.007' }],
    ['a short event id', { ...event, eventId: 'abc' }],
  ])('does not allow %s', (_name, other) => {
    expect(recordChangedV1.safeParse(other).success).toBe(false);
  });
});
