import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { beforeAll, describe, expect, it } from 'vitest';
import { copiesOf, drillTables, removeDrill, runDrill } from '../../infra/cli/restore/drill.ts';
import { goOn, planReplay, type Replay, replayRecords, replayTraces } from '../../infra/cli/restore/replay.ts';
import { kindOf } from '../../infra/cli/restore/row-kinds.ts';
import { verifyRestored } from '../../infra/cli/restore/verify.ts';
import type { Restoring } from '../../infra/cli/restore/write-records.ts';
import { verifyLog } from '../../shared/audit/chain/verify.ts';
import { commit } from '../../shared/store/commit.ts';
import { deny, readDenials } from '../../shared/store/denylist.ts';
import { changesAfter, endOfSequence } from '../../shared/store/feed/sequence.ts';
import { keepingOf, keepingRow } from '../../shared/store/keeping.ts';
import { purgeKey } from '../../shared/store/keys.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import type { TestCaller } from '../support/callers.ts';
import { consentBody, hl7, organizationsThere } from '../support/consents.ts';
import { type FollowedServer, followedServer } from '../support/feed.ts';
import {
  create,
  elsewhere,
  numberedPatient,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  type Stored,
} from '../support/records.ts';
import { beginStream, reopened, restoring, tableAsOf } from '../support/restored-world.ts';
import { allRows, commitOf, intercepted, nextOf, rowAt } from '../support/test-store.ts';

// A table that went on, and another one made of its past. What happens in between is what must not be undone by going back, and what going back is for.

const privacy: TestCaller = { role: 'privacy' };
const frontdesk: TestCaller = { role: 'frontdesk' };
const restricted = { system: `${hl7}v3-Confidentiality`, code: 'R' };

let before: FollowedServer;
let after: Awaited<ReturnType<typeof reopened>>;
let task: Restoring;
let replay: Replay;
let end: Awaited<ReturnType<typeof endOfSequence>>;

let patient: Stored<fhir4.Patient>;
let consent: Stored<fhir4.Consent>;
let damaged: Stored<fhir4.Observation>;
let labelled: Stored<fhir4.Observation>;
let deleted: Stored<fhir4.Observation>;
let untouched: Stored<fhir4.Observation>;
let allergy: Stored<fhir4.AllergyIntolerance>;
let booked: Stored<fhir4.Appointment>;
/** Under an id that a client chose, made later. */
let chosen: fhir4.Observation;
let large: Stored<fhir4.Observation>;
let gone: Stored<fhir4.Patient>;
/** Of a patient whose chart was opened behind the moment. */
let opened: Stored<fhir4.Observation>;

const observation = (elements: Partial<fhir4.Observation> = {}) =>
  create(before, observationBody(referenceTo(patient), elements));
const holdReason = { resourceType: 'Parameters', parameter: [{ name: 'reason', valueString: 'A court asks for it' }] };

let old: Awaited<ReturnType<typeof allRows>>;
let restored: typeof old;
/** An upload that was under way at the moment and is done at the end, and one that was begun since. */
const underWay = { pk: 'O~g', sk: '78m7n5o003p1c8g0v3ag', at: 1, keys: ['a'] };
const begun = { pk: 'O~h', sk: '78m7n5o003p1c8g0v3ah', at: 2, keys: ['b'] };
/** How far a delivery has come, and what it sent last. */
const delivery = (events: number) => ({
  pk: 'W!09',
  sk: 'lakeside#s-1#state',
  layout: 1,
  version: 1,
  status: 'active',
  events,
  failures: 0,
  wakes: 0,
});
const notified = {
  pk: 'W#lakeside#s-1',
  sk: '0000000007',
  layout: 1,
  made: 1,
  changes: '[]',
  status: 'delivered',
  attempts: 1,
  expires: 4_000_000_000,
};

/** A hold that is released behind the moment. */
const released = keepingRow('4ietnh7ahshfjdidn6n7q1pho4', { state: 'held', custodian: 'northside', at: 1 });

/** An access of days ago, which the table took behind the moment. */
const heldAccess = async (chart: string) => {
  const { store } = before;
  const row = (await allRows(store)).find(({ pk }) => pk === `A#${chart}`);
  const at = Date.now() - 5 * 86_400_000;
  return { ...row, pk: `A#${chart}`, sk: store.ids.newPlace(at), held: `held/${new Date(at).toISOString()}/1` };
};

/** As `$purge` does, whose time would be years from now. */
const purge = async (chart: string): Promise<void> => {
  const { store } = before;
  const previous = await store.read({ type: 'Patient', chart, place: '' });
  if (!previous) throw new Error('The patient is missing');
  const next = nextOf(previous, { resource: undefined, purged: true });
  const claims = [
    keepingRow(chart, { state: 'purged', custodian: 'northside', at: Date.now() }),
    { ...purgeKey(chart) },
  ];
  await commit(store, commitOf({ writes: [{ next, previous }], claims }));
};

beforeAll(async () => {
  before = await followedServer();
  await organizationsThere(before, ['northside', 'lakeside']);
  patient = await create(before, patientBody());
  [damaged, labelled, deleted, untouched] = [
    await observation(),
    await observation(),
    await observation(),
    await observation(),
  ];
  consent = await create(before, consentBody(referenceTo(patient)));
  expect((await before.get(pathOf(damaged), { as: elsewhere })).status).toBe(200);
  const other = referenceTo(await create(before, patientBody()));
  opened = await create(before, observationBody(other));
  large = await create(before, observationBody(other, { note: [{ text: randomBytes(90_000).toString('base64') }] }));
  gone = await create(before, numberedPatient('gone-1'));
  await before.beat();

  await writeRows(before.store, [underWay, delivery(3), released]);

  const table = await tableAsOf(before.store);
  const at = Date.now();

  const late = await heldAccess(opened.subject?.reference?.split('/')[1] ?? '');
  await writeRows(before.store, [delivery(7), notified, begun, late], [underWay, released]);

  await before.put(pathOf(consent), { ...consent, status: 'inactive' });
  await create(before, consentBody(other));
  for (const value of [700, 7000])
    await before.put(pathOf(damaged), { ...damaged, valueQuantity: { ...damaged.valueQuantity, value } });
  const meta = { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: { security: [restricted] } }] };
  expect((await before.post(`${pathOf(labelled)}/$meta-add`, meta, { as: privacy })).status).toBe(200);
  await before.delete(pathOf(deleted));
  allergy = await create<fhir4.AllergyIntolerance>(before, {
    resourceType: 'AllergyIntolerance',
    patient: { reference: referenceTo(patient) },
    code: { text: 'Penicillin' },
    clinicalStatus: { coding: [{ system: `${hl7}allergyintolerance-clinical`, code: 'active' }] },
  });
  booked = await create<fhir4.Appointment>(
    before,
    {
      resourceType: 'Appointment',
      status: 'booked',
      start: '2027-03-01T09:00:00Z',
      end: '2027-03-01T09:30:00Z',
      participant: [{ actor: { reference: referenceTo(patient) }, status: 'accepted' }],
    },
    frontdesk,
  );
  expect((await before.post(`${pathOf(patient)}/$legal-hold`, holdReason, { as: privacy })).status).toBe(200);
  chosen = observationBody(referenceTo(patient), { id: 'chosen-later' });
  expect((await before.put(pathOf(chosen), chosen)).status).toBe(201);
  await before.put(pathOf(large), { ...large, note: [{ text: 'short' }] });
  await purge(gone.id);
  await writeRows(before.store, [], [purgeKey(gone.id)]); // the sweeper was there
  await deny(before.store, { kind: 'person', name: 'Practitioner/northside-nurse', before: Date.now() });
  await before.beat();
  end = await endOfSequence(before.store, 'northside');

  task = restoring(before.store, table, at);
  replay = await planReplay(task, 'keep');
  const breaking = intercepted(task.restored, async ({ name, send }) => {
    if (name === 'TransactWrite') throw new Error('The line is cut');
    return send();
  });
  await expect(replayTraces({ ...task, restored: breaking }, replay)).rejects.toThrow('The line is cut');
  await replayTraces(task, await planReplay(task, 'keep'));
  await beginStream(table);
  await replayRecords(task, replay);
  [old, restored] = [await allRows(task.old), await allRows(task.restored)];
  after = await reopened(table, before.bucket);
  expect(await verifyRestored(task, 'keep')).toEqual([]);
  await after.file();
});

const read = (path: string, as?: TestCaller) => after.get(path, as === undefined ? {} : { as });

describe('a restored table, before anybody uses it', () => {
  it('shows nobody what a later revocation closed', async () => {
    expect((await read(pathOf(untouched), elsewhere)).status).toBe(404);
    expect((await read(pathOf(damaged), elsewhere)).status).toBe(404);
    expect((await read(pathOf(consent), privacy)).body).toMatchObject({ status: 'inactive', meta: { versionId: '2' } });
    expect((await read(`${pathOf(consent)}/_history/1`, privacy)).body).toMatchObject({ status: 'active' });
  });

  it('opens what a later Consent opened', async () => {
    expect((await read(pathOf(opened), elsewhere)).status).toBe(200);
  });

  it('denies whoever was denied, and holds what was held', async () => {
    const denied = await readDenials(after.store.client, after.store.tableName);

    expect(denied).toContainEqual(expect.objectContaining({ kind: 'person', name: 'Practitioner/northside-nurse' }));
    expect((await keepingOf(after.store, [patient.id])).get(patient.id)).toMatchObject({ state: 'held' });
  });

  it('keeps a label that was put on later, on a record that is otherwise as it was', async () => {
    const { body } = await read(pathOf(labelled));

    expect(body).toMatchObject({ meta: { security: [restricted] }, valueQuantity: { value: 72 } });
  });

  it('says again what was said, in a version of its own, and has in its history what was written later', async () => {
    const { body } = await read(pathOf(damaged));

    expect(body).toMatchObject({ valueQuantity: { value: 72 }, meta: { versionId: '4' } });
    expect((await read(`${pathOf(damaged)}/_history/3`)).body).toMatchObject({ valueQuantity: { value: 7000 } });
    expect((await read(`${pathOf(damaged)}/_history/2`)).body).toMatchObject({ valueQuantity: { value: 700 } });
    expect((await read(pathOf(untouched))).body).toMatchObject({ meta: { versionId: '1' } });
  });

  it('finds by a search what was put back, as it is now', async () => {
    const { body } = await read(`Observation?patient=${patient.id}`);
    const versions = new Map(
      Array.from(body['entry'] as unknown as { resource: fhir4.Observation }[]).map(({ resource }) => [
        resource.id,
        resource.meta?.versionId,
      ]),
    );

    expect(versions.get(damaged.id)).toBe('4');
    expect(versions.has(deleted.id)).toBe(false);
  });

  it('has what was made later as deleted, with what it said', async () => {
    expect((await read(pathOf(allergy))).status).toBe(410);
    expect((await read(`${pathOf(allergy)}/_history/1`)).body).toMatchObject({ code: { text: 'Penicillin' } });
    expect((await read(pathOf(booked), frontdesk)).status).toBe(410);
  });

  it('gives an id that a client chose later to nobody else', async () => {
    expect((await read(pathOf(chosen))).status).toBe(410);
    expect(await after.store.locate('Observation', 'chosen-later', false)).toMatchObject({ chart: patient.id });
  });

  it('has large bodies under their new versions, and those of later ones', async () => {
    const at = await task.restored.locate('Observation', large.id, false);
    const record = at && (await task.restored.read(at));

    expect(record).toMatchObject({ version: 3, resource: { note: large.note } });
    expect(at && (await task.restored.readVersion(at, 1))?.resource).toMatchObject({ note: large.note });
  });

  it('does not bring back a chart that was purged, nor find who bore its identifier', async () => {
    expect((await read(pathOf(gone))).status).toBe(404);
    expect((await read('Patient?identifier=gone-1')).body).toMatchObject({ total: 0 });
    expect((await keepingOf(after.store, [gone.id])).get(gone.id)).toMatchObject({ state: 'purged' });
    expect(await rowAt(after.store, purgeKey(gone.id))).toBeDefined();
  });

  it('leaves deleted what was deleted', async () => {
    expect((await read(pathOf(deleted))).status).toBe(410);
  });

  it('has every row of every access log, and chains that hold', async () => {
    const isLog = ({ pk }: { pk: string }) => /^A#[^#]+$/.test(pk);
    const there = new Map((await allRows(after.store)).map((row) => [`${row.pk} ${row.sk}`, row]));

    const missing = old.filter(isLog).filter((row) => !isDeepStrictEqual(there.get(`${row.pk} ${row.sk}`), row));

    expect(missing).toEqual([]);
    await after.file();
    const verdict = await verifyLog(after.store, patient.id);
    expect(verdict).toMatchObject({ faults: [], tail: [] });
    expect(verdict.rows).toBeGreaterThan(10);
  });

  it.each(['A#', 'A~', 'F#', 'Q#', 'V#', 'W#', 'W!', 'O~', 'F~', 'F!', '!denied', '!listeners'])(
    'has what the old one has under %s, to the letter',
    (prefix) => {
      const under = (rows: typeof old) =>
        rows
          .filter(({ pk }) => pk.startsWith(prefix))
          .toSorted((a, b) => (`${a.pk} ${a.sk}` < `${b.pk} ${b.sk}` ? -1 : 1));
      // The restore itself leaves entries in the logs of the charts that it writes into.
      const own = new Set(old.map(({ pk, sk }) => `${pk} ${sk}`));

      expect(under(restored).filter(({ pk, sk }) => prefix !== 'A#' || own.has(`${pk} ${sk}`))).toEqual(under(old));
    },
  );

  it('goes on where everybody has read to, and tells what was put back', async () => {
    const { changes } = await changesAfter(after.store, 'northside', end, 100);
    const newest = new Map(changes.map(({ change }) => [change.id ?? `${change.type} ${change.place}`, change]));
    const told = [...newest.values()].map(({ type, version, change }) => [type, version, change]).sort();

    expect(told).toEqual(
      [
        ['AllergyIntolerance', 2, 'deleted'],
        ['Appointment', 2, 'deleted'],
        ['Observation', 3, 'updated'],
        ['Observation', 2, 'deleted'],
        ['Observation', 3, 'updated'],
        ['Observation', 4, 'updated'],
      ].sort(),
    );
  });
});

describe('the work list of a restore', () => {
  it('names what people have to look at, what harms first, with who wrote it', () => {
    const lines = replay.work.map(({ rank, record, version, by }) => [rank, record, version.split('/').at(-1), by]);

    expect(lines).toContainEqual([1, referenceTo(allergy), '1', 'physician@northside.example']);
    expect(lines).toContainEqual([1, referenceTo(damaged), '3', 'physician@northside.example']);
    expect(lines).toContainEqual([2, referenceTo(booked), '1', 'frontdesk@northside.example']);
    expect(lines).toContainEqual([4, referenceTo(consent), '2', 'physician@northside.example']);
    expect(lines.map(([rank]) => rank)).toEqual(lines.map(([rank]) => rank).toSorted());
    expect(lines.map(([, record]) => record)).not.toContain(referenceTo(untouched));
  });
});

describe('a restore that is done again', () => {
  it('finds nothing left to do', async () => {
    const again = await planReplay(task, 'keep');

    expect(again.decided).toEqual([]);
  });

  it('goes on, though the restored table holds what was released, and has begun an upload', async () => {
    const again = await planReplay(task, 'keep');
    const lost = { pk: 'O~i', sk: '78m7n5o003p1c8g0v3ai', at: 3, keys: ['c'] };
    await writeRows(task.restored, [lost]);
    const kept = again.differences.rows.map(({ restored: row }) => row?.pk);
    expect(kept).toContain(released.pk);

    await goOn(task, await planReplay(task, 'keep'));

    expect(await rowAt(task.restored, lost)).toBeUndefined();
    expect(await rowAt(task.restored, released)).toBeDefined();
  });

  it('does not where the old table was written since', async () => {
    const again = await planReplay(task, 'keep');
    const row = { ...notified, sk: '0000000008' };
    const kind = kindOf(row);
    if (!kind) throw new Error('A row of no kind');
    const rows = [...again.differences.rows, { kind, old: row, restored: undefined }];

    await expect(goOn(task, { ...again, differences: { records: [], rows } })).rejects.toThrow('restore anew');
  });
});

describe('a drill', () => {
  it('makes copies fit for use, leaves no object in the bucket, and removes what it made', async () => {
    const { store, bucket } = before;
    const { objects, tableName } = store;
    const { endpoint, region } = store.client.config;
    const client = new DynamoDBClient({ region, ...(endpoint === undefined ? {} : { endpoint }) });
    const place = { table: store, objects: objects.at, url: task.baseUrl };
    const tables = drillTables(tableName);
    await create(before, observationBody(opened.subject?.reference ?? '', { note: large.note ?? [] }));
    await copiesOf(client, place, tables);
    const keys = await bucket.keys();

    const { faults, records } = await runDrill(place, tables, { at: Date.now(), operator: 'somebody@laptop' });

    expect(faults).toEqual([]);
    expect(records).toBeGreaterThan(5);
    expect(await bucket.keys()).toEqual(keys);
    await removeDrill(client, tables);
    for (const TableName of [tables.past, tables.end])
      await expect(client.send(new DescribeTableCommand({ TableName }))).rejects.toThrow();
    client.destroy();
  });
});
