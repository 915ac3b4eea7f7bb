import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { chartLog } from '../../shared/audit/audit-log.ts';
import { type AuditRow, auditRow } from '../../shared/audit/audit-row.ts';
import { suspensionRow, withheldOf } from '../../shared/audit/disclosure-rows.ts';
import { refusedRow } from '../../shared/audit/following-rows.ts';
import { indexDisclosures } from '../../shared/audit/index-disclosures.ts';
import { commit } from '../../shared/store/commit.ts';
import { auditKey, disclosurePartition } from '../../shared/store/keys.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import { rowsBetween } from '../../shared/store/rows-between.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import { insertEvent } from '../support/stream-events.ts';
import { commitOf, intercepted, newRecord, testStore } from '../support/test-store.ts';

let store: RecordStore;
let chart: string;
const now = Date.UTC(2026, 10, 24);
const minute = 60_000;

beforeAll(async () => {
  store = await testStore();
});
beforeEach(async () => {
  chart = store.ids.newChart();
  await commit(
    store,
    commitOf({ writes: [{ next: newRecord(store, chart, { type: 'Patient', place: '', id: chart }) }] }),
  );
});

const access = (organization: string, over: Partial<Parameters<typeof auditRow>[2]> = {}): AuditRow =>
  auditRow(store.ids, auditKey(chart, store.ids.newPlace(now)), {
    at: now,
    interaction: 'read',
    what: ['Observation/o-1'],
    subject: 'sub-1',
    name: 'n',
    client: 'app',
    fhirUser: 'Practitioner/p',
    roles: ['nurse'],
    organization,
    request: 'r-1',
    ...over,
  });
const filed = async () =>
  (await rowsBetween(store, { pk: disclosurePartition(chart), from: '0', to: 'w' })).rows.map(({ log }) => log);

describe('the accesses of a chart that are filed as disclosures', () => {
  it('are those that showed it to another organisation', async () => {
    const theirs = access('lakeside');
    const found = access('lakeside', { interaction: 'search-type' });
    const many = Array.from({ length: 100 }, (_, n) => `Observation/o-${n}`);
    const long = access('lakeside', { what: many });
    expect(long.entry).toBeInstanceOf(Uint8Array); // as an event has it, that is text in base 64
    const rows = [long, access('northside'), theirs, found, access('lakeside', { interaction: 'create' })];

    await indexDisclosures(store, insertEvent(rows));
    await indexDisclosures(store, insertEvent(rows));

    expect(await filed()).toEqual([long.sk, theirs.sk, found.sk].sort());
  });

  it('are not those that came to nothing', async () => {
    const theirs = access('lakeside');

    await indexDisclosures(store, insertEvent([theirs, refusedRow(theirs)]));

    expect(await filed()).toEqual([]);
  });

  it('are asked for with one call for all charts of a batch, and with none for those that are known', async () => {
    const calls: string[] = [];
    const counted = intercepted(store, ({ name, send }) => {
      calls.push(name);
      return send();
    });
    const own = [access('northside'), access('northside')];

    await indexDisclosures(counted, insertEvent(own));
    await indexDisclosures(counted, insertEvent(own));

    expect(calls).toEqual(['BatchGet']);
  });

  it('are sent again by the stream if they could not be filed', async () => {
    const failing = intercepted(store, () => Promise.reject(new Error('not now')));

    expect(await indexDisclosures(failing, insertEvent([access('lakeside')]))).toEqual({
      batchItemFailures: [{ itemIdentifier: '1' }],
    });
  });
});

describe('what is not to be told for a time', () => {
  const suspend = (at: number, until: number, party: { recipient?: string; organization?: string }) =>
    writeRows(store, [suspensionRow(chart, store.ids.newPlace(at), { ...party, until, statement: 's' })]);
  const entryTo = async (recipient: string) => {
    const disclosure = { recipient, date: '2026-01-01', description: 'd', purpose: 'p' };
    await writeRows(store, [access('northside', { interaction: 'operation', disclosure })]);
    const { accesses } = await chartLog(store, chart, undefined);
    const found = accesses.find(({ entry }) => entry.disclosure?.recipient === recipient);
    if (!found) throw new Error('The entry is missing');
    return found.entry;
  };
  const isWithheld = async (recipient: string, at: number) =>
    (await withheldOf(store, chart, at))?.(await entryTo(recipient)) ?? false;

  it('is told once its time is over, by the clock alone', async () => {
    await suspend(now, now + minute, { recipient: 'County  Sheriff' });

    expect(await isWithheld('county sheriff', now + minute - 1)).toBe(true);
    expect(await isWithheld('county sheriff', now + minute)).toBe(false);
    expect(await isWithheld('City Sheriff', now)).toBe(false);
  });

  it('is as long as was said last', async () => {
    await suspend(now, now + minute, { recipient: 'Sheriff' });
    await suspend(now + 8, now + 3 * minute, { recipient: 'Sheriff' });
    expect(await isWithheld('Sheriff', now + 2 * minute)).toBe(true);

    await suspend(now + 16, now, { recipient: 'Sheriff' });
    expect(await isWithheld('Sheriff', now + 20)).toBe(false);
  });

  it('holds for the accesses of an organisation, too', async () => {
    await suspend(now, now + minute, { organization: 'lakeside' });
    const withheld = await withheldOf(store, chart, now);
    const entry = await entryTo('x');

    expect(withheld?.({ ...entry, organization: 'lakeside' })).toBe(true);
    expect(withheld?.({ ...entry, organization: 'hillside' })).toBe(false);
  });
});
