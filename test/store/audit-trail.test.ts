import { beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Asking } from '../../shared/access/question.ts';
import { chartLog, dayLog, loggedAccess } from '../../shared/audit/audit-log.ts';
import { type AuditPointer, type AuditRow, auditPointer, entryOf } from '../../shared/audit/audit-row.ts';
import { type Access, AuditTrail } from '../../shared/audit/audit-trail.ts';
import { refusedRow } from '../../shared/audit/following-rows.ts';
import { indexByDay } from '../../shared/audit/index-by-day.ts';
import { commit } from '../../shared/store/commit.ts';
import { auditDayPartition, auditPartition } from '../../shared/store/keys.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import { insertEvent } from '../support/stream-events.ts';
import { allRows, commitOf, intercepted, testStore } from '../support/test-store.ts';

let store: RecordStore;
let chart: string;
const now = Date.UTC(2026, 10, 24, 23, 59, 59, 999);

beforeAll(async () => {
  store = await testStore();
});
beforeEach(() => {
  chart = store.ids.newChart();
});

const asking: Asking = {
  caller: {
    subject: 'sub-1',
    name: 'nurse@northside.example',
    client: 'app',
    organization: 'northside',
    roles: ['nurse'],
    scopes: [],
    fhirUser: 'Practitioner/northside-nurse',
    patient: undefined,
  },
  chart: undefined,
};
const trail = (on = store, at = now, who = asking) => new AuditTrail(on, who, 'r-1', at);
const reading = (): Access => ({ interaction: 'read', chart, what: ['Observation/o-1'] });
const shown = () => undefined;
const log = async () => (await chartLog(store, chart, undefined)).accesses;

describe('a traced read', () => {
  it('returns what was read, and leaves a row that says who did what in which request', async () => {
    const result = await trail().traced(reading(), async () => 'data', shown);

    expect(result).toBe('data');
    expect((await log()).map(({ entry, refused }) => ({ ...entry, refused }))).toEqual([
      {
        at: now,
        interaction: 'read',
        what: ['Observation/o-1'],
        subject: 'sub-1',
        name: 'nurse@northside.example',
        client: 'app',
        fhirUser: 'Practitioner/northside-nurse',
        roles: ['nurse'],
        organization: 'northside',
        request: 'r-1',
        refused: false,
      },
    ]);
  });

  it('fails where its trace cannot be written, and shows nothing', async () => {
    vi.stubEnv('DIGEST_BUCKET_NAME', ''); // another file's stack may have one, which would take the row
    onTestFinished(() => void vi.unstubAllEnvs());
    const broken = intercepted(store, async ({ name, send }) => {
      if (name === 'Put') throw new Error('no trace');
      return send();
    });
    let decided = false;

    const outcome = trail(broken).traced(
      reading(),
      async () => 'data',
      () => {
        decided = true;
      },
    );

    await expect(outcome).rejects.toThrow('no trace');
    expect(decided).toBe(false);
  });

  it('is not returned before its trace is written', async () => {
    const order: string[] = [];
    const { promise: traceMayGoOn, resolve: letTraceGoOn } = Promise.withResolvers<undefined>();
    const slow = intercepted(store, async ({ send }) => {
      await traceMayGoOn;
      const answer = await send();
      order.push('trace');
      return answer;
    });

    const result = trail(slow)
      .traced(reading(), async () => order.push('read'), shown)
      .then(() => order.push('returned'));
    letTraceGoOn(undefined);
    await result;

    expect(order).toEqual(['read', 'trace', 'returned']);
  });

  it('says so in a second row where what was read may not be shown', async () => {
    const refusal = new Error('not found');

    const outcome = trail().traced(
      reading(),
      async () => 'data',
      () => {
        throw refusal;
      },
    );

    await expect(outcome).rejects.toBe(refusal);
    const rows = (await allRows(store)).filter(({ pk }) => pk === auditPartition(chart));
    expect(rows.map(({ sk }) => sk.slice(20)).sort()).toEqual(['', '!refused']);
    expect((await log()).map(({ refused }) => refused)).toEqual([true]);
  });

  it('leaves its trace where the read itself fails', async () => {
    const outcome = trail().traced(
      reading(),
      async () => {
        throw new Error('the table is away');
      },
      shown,
    );

    await expect(outcome).rejects.toThrow('the table is away');
    await expect.poll(async () => (await log()).length).toBe(1);
  });
});

describe('what is told beside who did what', () => {
  it('is in each row of a trail under circumstances, unless an access says otherwise of itself', () => {
    const ofSupport = trail().under({ basis: 'delegation', behalf: 'Organization/northside' });

    const rows = [ofSupport.row(reading()), ofSupport.over(store).row({ ...reading(), basis: 'consent', labels: [] })];

    expect(rows.map((row) => entryOf(row, store.ids))).toEqual([
      expect.objectContaining({ basis: 'delegation', behalf: 'Organization/northside' }),
      expect.objectContaining({ basis: 'consent', behalf: 'Organization/northside' }),
    ]);
    expect(Object.keys(entryOf(rows[1] as AuditRow, store.ids))).not.toEqual(expect.arrayContaining(['labels']));
  });

  it('adds nothing to a row where there is nothing to tell', () => {
    expect(Object.keys(entryOf(trail().row(reading()), store.ids)).sort()).toEqual(
      ['at', 'client', 'fhirUser', 'interaction', 'name', 'organization', 'request', 'roles', 'subject', 'what'].sort(),
    );
  });
});

describe('the access log', () => {
  it('is only ever added to: a row that exists is not written again', async () => {
    const puts: Record<string, unknown>[] = [];
    const watched = intercepted(store, ({ input, send }) => {
      puts.push(input);
      return send();
    });

    await trail(watched).traced(reading(), async () => 'data', shown);
    await trail(watched).record([reading(), reading()]);

    expect(puts.map(({ ConditionExpression }) => ConditionExpression)).toEqual(
      Array(3).fill('attribute_not_exists(pk)'),
    );
    expect(await log()).toHaveLength(3);
    const [row] = (await allRows(store)).filter(({ pk }) => pk === auditPartition(chart));
    await expect(commit(store, commitOf({ claims: [{ ...row, layout: 9 } as never] }))).rejects.toThrow();
  });

  it('shows the newest first, a page at a time', async () => {
    for (const second of [1, 2, 3]) await trail(store, now + second * 1_000).record([reading()]);

    expect((await log()).map(({ entry }) => (entry.at - now) / 1_000)).toEqual([3, 2, 1]);
    const newest = store.ids.decode((await log())[0]?.id ?? '')?.place;
    expect((await chartLog(store, chart, newest)).accesses).toHaveLength(2);
  });

  it('ends a page before it names too many records, and goes on with the next access', async () => {
    const naming = (second: number, names: number) =>
      trail(store, now + second * 1_000).record([
        { ...reading(), what: Array.from({ length: names }, (_, n) => `Observation/o-${n}`) },
      ]);
    for (const [second, names] of [1_500, 600, 300, 300].entries()) await naming(second, names);

    const pages: number[][] = [];
    let after: string | undefined;
    do {
      const { accesses, next } = await chartLog(store, chart, after);
      pages.push(accesses.map(({ entry }) => entry.what.length));
      after = next;
    } while (after !== undefined);

    expect(pages).toEqual([[300, 300], [600], [1_500]]);
  });

  it('knows one access by its id, and whether it was refused', async () => {
    await trail()
      .traced(
        reading(),
        async () => 'data',
        () => {
          throw new Error('no');
        },
      )
      .catch(() => undefined);
    const [access] = await log();

    const found = await loggedAccess(store, access?.id ?? '');

    expect(found).toEqual(access);
    expect(found?.refused).toBe(true);
    expect(await loggedAccess(store, store.ids.idAt(chart, store.ids.newPlace(now)))).toBeUndefined();
    expect(await loggedAccess(store, chart)).toBeUndefined();
    expect(await loggedAccess(store, 'x')).toBeUndefined();
  });
});

describe('the log by day', () => {
  const file = async (rows: readonly Record<string, unknown>[], by = store) =>
    indexByDay(by.client, store.tableName, insertEvent(rows));
  const ofDay = (organization: string, day = '2026-11-24') => dayLog(store, organization, day, undefined);
  const at = (organization: string): Asking => ({ ...asking, caller: { ...asking.caller, organization } });
  const written = async (rows: readonly AuditRow[]) => {
    await trail().write(rows);
    return file(rows);
  };

  it('leads to what an organisation’s people did on a day of UTC, under the ids of the charts’ own logs', async () => {
    const organization = `org-${chart}`;
    const today = trail(store, now, at(organization)).row(reading());
    const tomorrow = trail(store, now + 1, at(organization)).row(reading());

    expect(await written([today, tomorrow])).toEqual({ batchItemFailures: [] });

    const { accesses } = await ofDay(organization);
    expect(accesses.map(({ id, entry }) => ({ id, at: entry.at, what: entry.what }))).toEqual([
      { id: store.ids.idAt(chart, today.sk), at: now, what: ['Observation/o-1'] },
    ]);
    expect((await ofDay(organization, '2026-11-25')).accesses).toHaveLength(1);
  });

  it('is read in at most three calls a page, however many accesses there were, newest first, each once', async () => {
    const organization = `many-${chart}`;
    const rows = Array.from({ length: 250 }, (_, n) =>
      trail(store, now - n * 1_000, at(organization)).row({ ...reading(), what: [`Observation/o-${n}`] }),
    );
    await writeRows(
      store,
      rows.flatMap((row) => [row, auditPointer(row) as AuditPointer]),
    );
    const calls: string[][] = [];
    const watched = intercepted(store, ({ name, send }) => {
      calls.at(-1)?.push(name);
      return send();
    });
    const seen: string[] = [];

    for (let after: string | undefined, page = 0; page === 0 || after !== undefined; page++) {
      calls.push([]);
      const { accesses, next } = await dayLog(watched, organization, '2026-11-24', after);
      seen.push(...accesses.flatMap(({ entry }) => entry.what));
      after = next;
    }

    expect(calls).toEqual([
      ['Query', 'BatchGet', 'BatchGet'],
      ['Query', 'BatchGet'],
    ]);
    expect(seen).toEqual(rows.map((_, n) => `Observation/o-${n}`));
  });

  it('never parts a refusal from its access between two pages', async () => {
    const organization = `parted-${chart}`;
    // 133 accesses, of which two in three were refused: the 200th row from the newest is a refusal.
    const rows = Array.from({ length: 133 }, (_, n) => {
      const row = trail(store, now - n * 1_000, at(organization)).row(reading());
      return n % 3 === 2 ? [row] : [row, refusedRow(row)];
    }).flat();
    await writeRows(
      store,
      rows.flatMap((row) => [row, auditPointer(row) as AuditPointer]),
    );

    const first = await ofDay(organization);
    const second = await dayLog(store, organization, '2026-11-24', first.next);

    const all = [...first.accesses, ...second.accesses];
    expect(all.map(({ refused }) => refused)).toEqual(Array.from({ length: 133 }, (_, n) => n % 3 !== 2));
    expect(new Set(all.map(({ id }) => id)).size).toBe(133);
    expect(second.next).toBeUndefined();
  });

  it('still shows copies of layout 1, beside pointers', async () => {
    const organization = `old-${chart}`;
    const row = trail(store, now, at(organization)).row(reading());
    await written([row]);
    const entry = { ...entryOf(row, store.ids), at: now - 1, what: ['Observation/o-0'], organization };
    const sk = store.ids.newPlace(now - 1);
    const copy = { pk: auditDayPartition(organization, '2026-11-24'), sk, layout: 1, log: row.pk, ...entry };
    await writeRows(store, [copy, { ...copy, sk: `${sk}!refused` }]);

    const { accesses } = await ofDay(organization);

    expect(accesses).toEqual([
      { id: store.ids.idAt(chart, row.sk), entry: entryOf(row, store.ids), refused: false },
      { id: store.ids.idAt(chart, sk), entry, refused: true },
    ]);
  });

  it('does not pass over an access whose row somebody removed', async () => {
    const organization = `gone-${chart}`;
    await file([trail(store, now, at(organization)).row(reading())]);

    await expect(ofDay(organization)).rejects.toThrow('has lost a row');
  });

  it('files many at once, and asks for all from the first one again that could not be filed', async () => {
    const organization = `broken-${chart}`;
    const rows = Array.from({ length: 40 }, (_, n) =>
      trail(store, now - (40 - n), at(organization)).row({ ...reading(), what: [`Observation/o-${n}`] }),
    );
    await trail().write(rows);
    let waiting = 0;
    let together = 0;
    const breaking = intercepted(store, async ({ input, send }) => {
      together = Math.max(together, ++waiting);
      await new Promise(setImmediate);
      waiting -= 1;
      const { sk } = input.Item as { sk: string };
      if (sk === rows[20]?.sk || sk === rows[23]?.sk) throw new Error('away');
      return send();
    });
    const event = insertEvent(rows);

    const report = await indexByDay(breaking.client, store.tableName, event);

    expect(report).toEqual({ batchItemFailures: [{ itemIdentifier: event.Records[20]?.dynamodb?.SequenceNumber }] });
    expect(together).toBe(16);
    expect(await file(rows.slice(20))).toEqual({ batchItemFailures: [] });
    expect((await ofDay(organization)).accesses.map(({ entry }) => entry.what[0])).toEqual(
      rows.map((_, n) => `Observation/o-${39 - n}`),
    );
  });

  it('does not change when a batch comes again', async () => {
    const organization = `again-${chart}`;
    const row = trail(store, now, at(organization)).row(reading());

    await written([row]);
    await file([row]);

    expect((await ofDay(organization)).accesses).toHaveLength(1);
  });

  it('leaves out what is no row of a chart’s log: records, copies by day, what patients did', async () => {
    const organization = `none-${chart}`;
    const { organization: _left, ...ofPatient } = trail().row(reading());
    const copy = { ...trail().row(reading()), pk: `A#${organization}#2026-11-24`, organization };
    const before = (await allRows(store)).length;

    await file([ofPatient, copy, { pk: `C#${chart}`, sk: 'Patient#', version: 1, organization }]);

    expect((await allRows(store)).length).toBe(before);
  });

  it('asks for the rest of a batch again from the row that could not be written', async () => {
    const rows = [1, 2, 3].map((n) => trail(store, now + n).row(reading()));
    let puts = 0;
    const broken = intercepted(store, async ({ send }) => {
      if (++puts === 2) throw new Error('away');
      return send();
    });

    expect(await file(rows, broken)).toEqual({ batchItemFailures: [{ itemIdentifier: '2' }] });
  });
});
