import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { inOrder, postings } from '../../infra/cli/import-plan.ts';
import { importRecords } from '../../infra/cli/import-records.ts';
import { findFiles, inspect } from '../../infra/cli/import-sources.ts';
import { exportAll } from '../../infra/cli/leave/export-all.ts';
import { ExportFiles } from '../../infra/cli/leave/export-files.ts';
import { noteExport } from '../../infra/cli/leave/verbs.ts';
import type { Covered } from '../../shared/audit/chain/link.ts';
import { type Image, rowHash } from '../../shared/audit/chain/row-hash.ts';
import { keepingRow } from '../../shared/store/keeping.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import { organizationsThere } from '../support/consents.ts';
import { type FollowedServer, followedServer } from '../support/feed.ts';
import { fhirServer } from '../support/fhir-server.ts';
import { create, observationBody, pathOf, patientBody, referenceTo, type Stored, system } from '../support/records.ts';
import { allRows, intercepted } from '../support/test-store.ts';

// All that a deployment holds, written out, and brought into another one.

const baseUrl = 'https://concord.test/fhir';
let server: FollowedServer;
let folder: string;
let patient: Stored<fhir4.Patient>;
let changed: Stored<fhir4.Observation>;
let deleted: Stored<fhir4.Observation>;
let lines: Readonly<Record<string, number>>;

const newFolder = () => mkdtempSync(path.join(tmpdir(), 'concord-leave-'));
const linesIn = (kind: string, from = folder): Record<string, unknown>[] =>
  readdirSync(path.join(from, kind)).flatMap((name) =>
    readFileSync(path.join(from, kind, name), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>),
  );

beforeAll(async () => {
  server = await followedServer();
  await organizationsThere(server, ['northside']);
  patient = await create(server, patientBody());
  const subject = referenceTo(patient);
  changed = await create(server, observationBody(subject, { valueQuantity: { value: 1.5, unit: 'mg' } }));
  await server.put(pathOf(changed), { ...changed, status: 'amended' });
  deleted = await create(server, observationBody(subject));
  await server.delete(pathOf(deleted));
  await writeRows(server.store, [keepingRow(patient.id, { state: 'held', custodian: 'northside', at: 1 })]);
  await server.file();
  folder = newFolder();
  await noteExport(server.store, 'somebody@laptop', Date.now());
  ({ lines } = await exportAll({ store: server.store, folder, baseUrl, parts: 2 }));
});

describe('an export of everything', () => {
  it('has each record as it is, and each version and deletion as its history shows it', () => {
    expect(linesIn('records/Observation')).toMatchObject([
      { id: changed.id, status: 'amended', meta: { versionId: '2' } },
    ]);
    const history = linesIn('history/Observation').map(({ request, resource }) => [
      (request as { method: string }).method,
      (resource as { id?: string } | undefined)?.id,
    ]);

    expect(history.toSorted()).toEqual(
      [
        ['DELETE', undefined],
        ['POST', changed.id],
        ['POST', deleted.id],
      ].toSorted(),
    );
  });

  it('has each row of the access log with what it says, and links that have its hash', async () => {
    const rows = (await allRows(server.store)).filter(({ pk }) => /^A#[^#]+$/.test(pk));
    const log = linesIn('access-log') as { place: string; row: Image; access: { interaction: string; name: string } }[];
    const hashes = new Map(
      linesIn('chain').flatMap(({ covers }) => (covers as Covered[]).map(([place, hash]) => [place, hash])),
    );

    expect(log.map(({ place }) => place).toSorted()).toEqual(rows.map(({ sk }) => sk).toSorted());
    const chained = log.filter(({ place }) => hashes.has(place));
    expect(chained.length).toBeGreaterThan(5);
    expect(chained.map(({ row }) => rowHash(row))).toEqual(chained.map(({ place }) => hashes.get(place)));
    expect(log.map(({ access }) => [access.interaction, access.name])).toContainEqual(['operation', 'somebody@laptop']);
  });

  it('tells how many lines there are, and the hash of each file', () => {
    expect(lines).toMatchObject({ 'records/Observation': 1, 'history/Observation': 3, 'records/Patient': 1 });
    const sums = readFileSync(path.join(folder, 'SHA256SUMS'), 'utf8').trim().split('\n');
    for (const line of sums) {
      const [sum, name = ''] = line.split('  ');
      expect(
        createHash('sha256')
          .update(readFileSync(path.join(folder, name)))
          .digest('hex'),
      ).toBe(sum);
    }
    expect(sums.length).toBeGreaterThan(5);
  });

  it('goes on where it broke off, and has nothing twice', async () => {
    const again = newFolder();
    let pages = 0;
    const breaking = intercepted(server.store, async ({ name, send, input }) => {
      if (name === 'Scan' && ++pages === 4) throw new Error('The line is cut');
      return send(name === 'Scan' ? { ...input, Limit: 5 } : input);
    });
    await expect(exportAll({ store: breaking, folder: again, baseUrl, parts: 2 })).rejects.toThrow('The line is cut');

    const resumed = await exportAll({ store: server.store, folder: again, baseUrl, parts: 2 });

    expect(resumed.lines).toEqual(lines);
    expect(linesIn('access-log', again).length).toBe(linesIn('access-log').length);
  });

  it('has what is to become of charts, which no record says', () => {
    expect(linesIn('keeping')).toMatchObject([{ chart: patient.id, what: '!keeping', state: 'held' }]);
  });

  it('is not added to once it is finished', async () => {
    await expect(exportAll({ store: server.store, folder, baseUrl, parts: 2 })).rejects.toThrow('was finished');
  });

  it('keeps how far its parts are though they are written at once, and looks at content again', async () => {
    const files = await ExportFiles.open(newFolder());
    const content = Buffer.from('a picture');
    const sha256 = createHash('sha256').update(content).digest('hex');

    await Promise.all(
      Array.from({ length: 16 }, async (_, part) => {
        await files.keepContent(sha256, content);
        await files.add(`${part}`, new Map([[`records/Binary/${part}.ndjson`, ['{}']]]), undefined);
      }),
    );

    expect((await files.finish({})).lines).toEqual({ 'records/Binary': 16, binaries: 1 });
  });

  it('tells of content that is not what it is called after', async () => {
    const damaged = newFolder();
    const files = await ExportFiles.open(damaged);
    const sha256 = createHash('sha256').update('a picture').digest('hex');
    await files.keepContent(sha256, Buffer.from('a picture'));
    writeFileSync(path.join(damaged, 'binaries', sha256), 'another one');

    await expect(files.finish({})).rejects.toThrow('is not the content');
  });

  it('leads to content where it lies elsewhere', async () => {
    const file = path.join(newFolder(), 'one.ndjson');
    const binary = `${'0'.repeat(26)}.${'1'.repeat(26)}`;
    const resource = {
      resourceType: 'DocumentReference',
      id: 'd',
      content: [{ attachment: { url: `Binary/${binary}` } }],
    };
    writeFileSync(file, JSON.stringify(resource));
    const { value } = await postings([await inspect(file)], { elsewhere: true }).next();

    expect(JSON.stringify(value)).toContain(`"url":"Binary/x-${binary}"`);
  });

  it('writes into no folder that holds something else', async () => {
    await expect(exportAll({ store: server.store, folder: tmpdir(), baseUrl })).rejects.toThrow('is not empty');
  });

  it('is imported elsewhere, with values as they were, and ids that tell where they are from', async () => {
    const other = await fhirServer();
    const sources = await Promise.all((await findFiles([path.join(folder, 'records')])).map((file) => inspect(file)));
    const refused: unknown[] = [];
    const post = async (bundle: fhir4.Bundle) => {
      const { status, body } = await other.post('', bundle, { as: system });
      return { status, body: body as unknown };
    };

    await importRecords(postings(inOrder(sources), { elsewhere: true }), post, (results) => {
      refused.push(...results.filter(({ reason }) => reason !== undefined));
    });

    expect(refused).toEqual([]);
    const { body, text } = await other.get(`Observation/x-${changed.id}`);
    expect(body).toMatchObject({ status: 'amended', subject: { reference: `Patient/x-${patient.id}` } });
    expect(text).toContain('"value":1.5');
  });
});
