import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { logsOf } from '../../infra/cli/logs-of-table.ts';
import { type AuditEntry, type AuditRow, auditRow } from '../../shared/audit/audit-row.ts';
import { chainAccesses } from '../../shared/audit/chain/chain-accesses.ts';
import { type LinkRow, linkHash, linkIn, linkRow } from '../../shared/audit/chain/link.ts';
import { type LogAnchors, verifyLog } from '../../shared/audit/chain/verify.ts';
import { refusedRow } from '../../shared/audit/following-rows.ts';
import { auditChainPartition, auditKey } from '../../shared/store/keys.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import { itemSize } from '../bench/item-size.ts';
import { streamRecord } from '../support/stream-events.ts';
import { allRows, intercepted, testStore } from '../support/test-store.ts';

let store: RecordStore;
let log: string;
const start = Date.UTC(2026, 10, 24, 8);
let sequence = 0;

beforeAll(async () => {
  store = await testStore();
});
beforeEach(() => {
  log = store.ids.newChart();
});

const access = (minute: number, over: Partial<AuditEntry> = {}): AuditRow => {
  const at = start + minute * 60_000;
  return auditRow(store.ids, auditKey(log, store.ids.newPlace(at)), {
    at,
    interaction: 'read',
    what: [`Observation/o-${minute}`],
    subject: 'sub-1',
    name: 'nurse@northside.example',
    client: 'app',
    fhirUser: 'Practitioner/northside-nurse',
    roles: ['nurse'],
    organization: 'northside',
    request: 'r-1',
    ...over,
  });
};
/** As many references as make the row a deflated one. */
const long = (minute: number) => access(minute, { what: Array.from({ length: 60 }, (_, n) => `Observation/o-${n}`) });

type Stored = AuditRow & Record<string, unknown>;
const told = (before: Stored | undefined, after: Stored | undefined, at = start): DynamoDBRecord => {
  const record = streamRecord(String(++sequence), before, after);
  return { ...record, dynamodb: { ...record.dynamodb, ApproximateCreationDateTime: at / 1_000 } };
};
const chain = (Records: DynamoDBRecord[], by = store, now = start) => chainAccesses(by, { Records }, now);
/** Writes rows and hands them to the consumer. */
const written = async (rows: readonly AuditRow[]) => {
  await writeRows(store, rows);
  const records = rows.map((row) => told(undefined, row));
  expect(await chain(records)).toEqual({ batchItemFailures: [] });
  return records;
};
const links = async () => (await allRows(store)).filter(({ pk }) => pk === auditChainPartition(log)) as LinkRow[];
const put = (Item: object) => store.client.send(new PutCommand({ TableName: store.tableName, Item: { ...Item } }));
const remove = ({ pk, sk }: { pk: string; sk: string }) =>
  store.client.send(new DeleteCommand({ TableName: store.tableName, Key: { pk, sk } }));
const faults = async (anchors?: LogAnchors) =>
  (await verifyLog(store, log, anchors)).faults.map(({ kind, place }) => [kind, place]);
/** Notes for the digest of the day. */
const notes = async () => (await allRows(store)).filter(({ logs }) => String(logs).split(' ').includes(log));

describe('the chain of a log in a table that was restored, whose stream counts anew', () => {
  const ofStream = (begun: string, records: readonly DynamoDBRecord[]): DynamoDBRecord[] =>
    records.map((record, index) => ({
      ...record,
      eventSourceARN: `arn:aws:dynamodb:eu-central-1:1:table/t/stream/${begun}`,
      dynamodb: { ...record.dynamodb, SequenceNumber: String(index + 1) },
    }));
  const minutes = (count: number) => new Date(start + count * 60_000).toISOString().slice(0, -1);

  it('goes on with what the new stream brings, though its numbers are lower, and takes it once', async () => {
    const old = [access(0), access(1), access(2)];
    await writeRows(store, old);
    await chain(
      ofStream(
        minutes(-600),
        old.map((row) => told(undefined, row, start)),
      ),
    );
    const later = access(9);
    await writeRows(store, [later]);
    const records = ofStream(minutes(5), [told(undefined, later, start + 9 * 60_000)]);

    for (const _twice of [1, 2]) await chain(records);

    expect(await verifyLog(store, log)).toMatchObject({ rows: 4, faults: [], tail: [], unanchored: 4 });
    expect(await links()).toHaveLength(2);
  });
});

describe('the chain of a log in two regions, each of which counts its stream by itself', () => {
  const inRegion = (region: string, from: number, rows: readonly Parameters<typeof told>[1][]): DynamoDBRecord[] =>
    rows.map((row, index) => {
      const record = told(undefined, row, start);
      return {
        ...record,
        eventSourceARN: `arn:aws:dynamodb:${region}:1:table/t/stream/2020-01-01T00:00:00.000`,
        dynamodb: { ...record.dynamodb, SequenceNumber: String(from + index) },
      };
    });

  it('goes on where the other region takes over, and takes once more what that brings of before, which changes nothing', async () => {
    const before = [access(0), access(1)];
    await writeRows(store, before);
    await chain(inRegion('us-east-1', 900, before));
    const after = access(2);
    await writeRows(store, [after]);

    const replicated = inRegion('us-west-2', 100, [...before, after]);
    for (const _twice of [1, 2]) await chain(replicated);

    expect(await verifyLog(store, log)).toMatchObject({ rows: 3, faults: [], tail: [] });
    expect(await links()).toHaveLength(2);
  });

  it('goes on once more when the first region writes again, whose numbers went on meanwhile', async () => {
    const rows = [access(0), access(1), access(2)];
    await writeRows(store, rows);
    await chain(inRegion('us-east-1', 900, rows.slice(0, 1)));
    await chain(inRegion('us-west-2', 5_000, rows.slice(1, 2)));
    await chain(inRegion('us-east-1', 950, rows.slice(2)));

    expect(await verifyLog(store, log)).toMatchObject({ rows: 3, faults: [], tail: [] });
    expect(await links()).toHaveLength(3);
  });
});

describe('the chain of an access log', () => {
  it('finds nothing wrong with a log that nobody touched, short rows, long ones and refusals', async () => {
    const refused = access(1);
    await written([access(0), refused, refusedRow(refused)]);
    await written([long(2)]);

    const verdict = await verifyLog(store, log);

    expect(verdict).toMatchObject({ rows: 4, faults: [], tail: [], unanchored: 4 });
  });

  it('is one row a batch and log, of 80 bytes for each row of the log, and takes one Query and one Put, behind a note for the first of a day', async () => {
    const calls: string[] = [];
    const watched = intercepted(store, ({ name, send }) => {
      calls.push(name);
      return send();
    });
    const rows = Array.from({ length: 10 }, (_, n) => access(n));

    await chain(
      rows.map((row) => told(undefined, row)),
      watched,
    );

    expect(calls).toEqual(['Query', 'Put', 'Put']);
    const [link, ...others] = await links();
    expect(others).toEqual([]);
    expect(itemSize(link ?? {})).toBeLessThan(1_024); // one write unit
    const { covers } = linkIn(link as LinkRow);
    expect(covers.map(([place]) => place)).toEqual(rows.map(({ sk }) => sk));
  });

  it('is noted once a day, in one row for all logs of a batch, before it gets the link', async () => {
    const others = Array.from({ length: 49 }, () => store.ids.newChart());
    const batch = (minute: number) =>
      [log, ...others].map((each) =>
        told(undefined, { ...access(minute), ...auditKey(each, store.ids.newPlace(start)) }),
      );
    const puts: string[] = [];
    const watched = intercepted(store, ({ name, input, send }) => {
      if (name === 'Put') puts.push((input['Item'] as { pk: string }).pk.replace(/#.*/, ''));
      return send();
    });
    const tomorrow = start + 86_400_000;

    await chain(batch(0), watched);
    await chain(batch(1), watched);
    expect(puts).toEqual(['A~2026-11-24', ...Array.from({ length: 100 }, () => 'A')]);
    expect((await notes()).map((row) => itemSize(row))).toEqual([expect.toSatisfy((size: number) => size < 2_048)]); // two write units for 50 logs

    const late = told(undefined, access(2), tomorrow);
    await chain([late], watched, tomorrow);

    expect((await notes()).map(({ pk }) => pk.slice(0, 12)).toSorted()).toEqual(['A~2026-11-24', 'A~2026-11-25']);
  });

  it('gets no link where its note could not be put', async () => {
    const broken = intercepted(store, async ({ name, input, send }) => {
      if (name === 'Put' && (input['Item'] as { pk: string }).pk.startsWith('A~')) throw new Error('away');
      return send();
    });
    const record = told(undefined, access(0));

    expect(await chain([record], broken)).toEqual({
      batchItemFailures: [{ itemIdentifier: record.dynamodb?.SequenceNumber }],
    });
    expect(await links()).toEqual([]);
  });

  it('is noted under the day of the stream where the clock of that is ahead', async () => {
    const midnight = Date.UTC(2026, 10, 25);

    await chain([told(undefined, access(0), midnight)], store, midnight - 1);
    await chain([told(undefined, access(1), midnight)], store, midnight + 1);

    expect((await notes()).map(({ pk }) => pk.slice(0, 12))).toEqual(['A~2026-11-25']);
  });

  it('does not change when a batch comes again, wholly or in part', async () => {
    const first = await written([access(0), access(1)]);
    const before = await links();

    await chain(first);
    await chain(first.slice(1));
    expect(await links()).toEqual(before);

    const third = access(2);
    await writeRows(store, [third]);
    await chain([...first, told(undefined, third)]);

    expect((await links()).map((row) => linkIn(row).covers.length)).toEqual([2, 1]);
    expect(await faults()).toEqual([]);
  });

  it('is not forked by two consumers that continue it at once', async () => {
    await written([access(0)]);
    const rows = [access(1), access(2)];
    await writeRows(store, rows);
    const [one, other] = rows.map((row) => told(undefined, row));
    let overtaken = false;
    const slow = intercepted(store, async ({ name, send }) => {
      if (name === 'Put' && !overtaken) {
        overtaken = true;
        await chain([one as DynamoDBRecord]);
      }
      return send();
    });

    expect(await chain([one as DynamoDBRecord, other as DynamoDBRecord], slow)).toEqual({ batchItemFailures: [] });

    expect(overtaken).toBe(true);
    expect((await links()).map((row) => linkIn(row).covers.map(([place]) => place))).toEqual([
      [expect.any(String)],
      [rows[0]?.sk],
      [rows[1]?.sk],
    ]);
    expect(await faults()).toEqual([]);
  });

  it('asks for a batch again from the first row of a log that could not be chained', async () => {
    const broken = intercepted(store, async ({ name, send }) => {
      if (name === 'Put') throw new Error('away');
      return send();
    });
    const records = [access(0), access(1)].map((row) => told(undefined, row));

    expect(await chain(records, broken)).toEqual({
      batchItemFailures: [{ itemIdentifier: records[0]?.dynamodb?.SequenceNumber }],
    });
  });

  it('leaves out what is no row of a log', async () => {
    const row = access(0);
    await chain([
      told(undefined, { ...row, pk: 'A#northside#2026-11-24' }),
      told(undefined, { ...row, pk: auditChainPartition(log) }),
      told(undefined, { ...row, pk: `C#${log}` }),
    ]);

    expect(await links()).toEqual([]);
  });
});

describe('a look at a log', () => {
  let rows: AuditRow[];
  beforeEach(async () => {
    rows = [access(0), access(1), access(2), access(3)];
    await written(rows.slice(0, 2));
    await written(rows.slice(2, 3));
    await written(rows.slice(3));
  });
  const place = (index: number) => rows[index]?.sk;

  it('names a row that was altered', async () => {
    await put({ ...rows[1], entry: access(1, { what: [] }).entry });

    expect(await faults()).toEqual([['altered', place(1)]]);
  });

  it.each(['organization', 'layout'])('names a row of which only %s was altered', async (attribute) => {
    await put({ ...rows[1], [attribute]: attribute === 'layout' ? 1 : 'southside' });

    expect(await faults()).toEqual([['altered', place(1)]]);
  });

  it('names a row that was removed, also by the stream', async () => {
    await remove(rows[2] as AuditRow);
    expect(await faults()).toEqual([['missing', place(2)]]);

    await chain([told(rows[2], undefined)]);
    expect(await faults()).toEqual([
      ['removed', place(2)],
      ['missing', place(2)],
    ]);
  });

  it('names a row that was inserted behind the stream, and one that came through it long after the time that it tells', async () => {
    const early = access(-60);
    await put(early);
    expect(await faults()).toEqual([['inserted', early.sk]]);

    await chain([told(undefined, early)]);
    expect(await faults()).toEqual([['inserted', early.sk]]);
  });

  it('names a row that was overwritten by what the stream tells, though it was put back', async () => {
    const other = { ...(rows[0] as AuditRow), entry: '{}' };

    await chain([told(rows[0], other), told(other, rows[0])]);

    expect(await faults()).toEqual([['overwritten', place(0)]]);
  });

  it('names a link that was altered, one that was removed, and one that was put in the place of another', async () => {
    const [first, second] = await links();
    await put({ ...second, link: (second as LinkRow).link.replace(place(2) ?? '', place(1) ?? '') });
    expect(await faults()).toContainEqual(['link-altered', second?.sk]);

    const { covers: _all, ...said } = linkIn(second as LinkRow);
    await put(linkRow({ ...said, covers: [] }));
    expect((await faults()).map(([kind]) => kind)).toContain('link-altered');

    await put(second as LinkRow);
    expect(await faults()).toEqual([]);
    await remove(first as LinkRow);
    expect(await faults()).toContainEqual(['link-missing', first?.sk]);
  });

  it('names a chain that was built anew, or cut off, by what a digest says of it', async () => {
    const old = await links();
    const end = linkIn(old.at(-1) as LinkRow);
    const anchors = { heads: [{ number: end.number, hash: linkHash(end) }], complete: { from: 0, to: 0 } };
    const forged = { ...rows[1], entry: access(1, { what: [] }).entry };
    await put(forged);
    for (const link of old) await remove(link);
    for (const row of [rows[0], forged, rows[2], rows[3]]) await chain([told(undefined, row as Stored)]);

    expect(await faults()).toEqual([]);
    expect(await faults(anchors)).toEqual([['chain-rebuilt', '0000000003']]);
    for (const link of await links()) if (Number(link.sk) > 2) await remove(link);
    expect(await faults(anchors)).toEqual([['link-missing', '0000000003']]);
  });

  it('tells of rows that are newer than the chain, and of all logs', async () => {
    const newest = access(4);
    await put(newest);

    const verdict = await verifyLog(store, log);

    expect(verdict).toMatchObject({ faults: [], tail: [newest.sk] });
    const all: string[] = [];
    for await (const each of logsOf(store)) all.push(each);
    expect(all).toContain(log);
    expect(all.filter((each) => each.includes('#'))).toEqual([]);
    expect(new Set(all).size).toBe(all.length);
  });
});
