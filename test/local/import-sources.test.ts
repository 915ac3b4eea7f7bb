import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { inOrder, postings } from '../../infra/cli/import-plan.ts';
import { findFiles, inspect } from '../../infra/cli/import-sources.ts';
import { stringifyJson } from '../../shared/fhir/json.ts';
import { removedAfterTest } from '../support/removed-after-test.ts';

const bundle = (type: string, ...resources: object[]) =>
  JSON.stringify({
    resourceType: 'Bundle',
    type,
    entry: resources.map((resource) => ({ resource, request: { method: 'POST', url: 'x' } })),
  });
const patient = { resourceType: 'Patient' };

const folderOf = (files: Readonly<Record<string, string | Uint8Array>>) => {
  const folder = removedAfterTest();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), content);
  }
  return folder;
};

/** What is posted for the files of a folder, with places as names within it. */
const planOf = async (files: Readonly<Record<string, string | Uint8Array>>) => {
  const folder = folderOf(files);
  const sources = await Promise.all((await findFiles([folder])).map(inspect));
  const within = (place: string) => place.replace(`${folder}${path.sep}`, '');
  const planned = [];
  for await (const posting of postings(inOrder(sources))) {
    planned.push(
      'reason' in posting
        ? { ...posting, place: within(posting.place) }
        : {
            type: posting.type,
            places: posting.entries.map(({ place }) => within(place)),
            entries: posting.entries.map(({ entry }) => entry),
          },
    );
  }
  return planned;
};

describe('the plan of an import', () => {
  it('puts batch bundles before resources on their own before transactions, each in order of the names', async () => {
    const planned = await planOf({
      'a.json': bundle('transaction', patient),
      'b.json': bundle('transaction', patient),
      'sub/z.json': bundle('batch', patient, patient),
      'm.json': JSON.stringify(patient),
      'readme.md': 'not taken',
    });

    expect(planned).toMatchObject([
      { type: 'batch', places: [path.join('sub', 'z.json, entry 1'), path.join('sub', 'z.json, entry 2')] },
      { type: 'batch', places: ['m.json'] },
      { type: 'transaction', places: ['a.json, entry 1'] },
      { type: 'transaction', places: ['b.json, entry 1'] },
    ]);
  });

  it('stores a resource under its id if it has one, and creates it otherwise', async () => {
    const planned = await planOf({
      'p.ndjson': `{"resourceType":"Patient","id":"p1"}\n\n${JSON.stringify(patient)}\n`,
    });

    expect(planned).toEqual([
      {
        type: 'batch',
        places: ['p.ndjson, line 1', 'p.ndjson, line 3'],
        entries: [
          { resource: { resourceType: 'Patient', id: 'p1' }, request: { method: 'PUT', url: 'Patient/p1' } },
          { resource: patient, request: { method: 'POST', url: 'Patient' } },
        ],
      },
    ]);
  });

  it('puts what others refer to first, and fills batches of 100 across files', async () => {
    const lines = (type: string, count: number) => `${JSON.stringify({ resourceType: type })}\n`.repeat(count);
    const planned = await planOf({
      'a.ndjson': lines('Observation', 150),
      'b.ndjson.gz': gzipSync(lines('Patient', 60)),
    });

    expect(planned.map((posting) => ('places' in posting ? posting.places.length : 0))).toEqual([100, 100, 10]);
    expect(planned[0]).toMatchObject({ places: expect.arrayContaining(['b.ndjson.gz, line 60', 'a.ndjson, line 40']) });
  });

  it('keeps a batch below 3 MB', async () => {
    const large = JSON.stringify({ resourceType: 'Binary', data: 'A'.repeat(1_200_000) });
    const planned = await planOf({ 'b.ndjson': `${large}\n`.repeat(3) });

    expect(planned.map((posting) => ('places' in posting ? posting.places.length : 0))).toEqual([2, 1]);
  });

  it('reads compressed bundles, whatever their names say', async () => {
    const planned = await planOf({
      'a.json.gz': gzipSync(bundle('transaction', patient)),
      'b.json': gzipSync(bundle('transaction', patient)),
      'c.json.gz': bundle('transaction', patient),
    });

    expect(planned.map((posting) => 'type' in posting && posting.type)).toEqual([
      'transaction',
      'transaction',
      'transaction',
    ]);
  });

  it('takes the resources of a collection one by one', async () => {
    const planned = await planOf({ 'c.json': bundle('collection', { resourceType: 'Patient', id: '1' }, patient) });

    expect(planned).toMatchObject([
      { type: 'batch', entries: [{ request: { method: 'PUT' } }, { request: { method: 'POST' } }] },
    ]);
  });

  it.each([
    ['is not JSON', 'a.json', '{"name": "Maria'],
    ['is not a FHIR resource', 'a.json', '[]'],
    ['is a Bundle of type document, which cannot be imported', 'a.json', bundle('document', patient)],
    ['is empty', 'a.ndjson', '\n'],
  ])('says which file cannot be taken, and that it %s', async (reason, name, content) => {
    expect(await planOf({ [name]: content })).toEqual([{ place: name, reason }]);
  });

  it('keeps the spelling of decimals, whose digits mean precision', async () => {
    const text = '{"resourceType":"Observation","valueQuantity":{"value":1.50}}';

    const [planned] = await planOf({ 'a.ndjson': text });

    expect(stringifyJson(planned)).toContain('"value":1.50}');
  });

  it('says which line cannot be taken, and takes the others', async () => {
    const planned = await planOf({ 'a.ndjson': `{"name": "Maria\n${JSON.stringify(patient)}\n` });

    expect(planned).toMatchObject([
      { place: 'a.ndjson, line 1', reason: 'is not a FHIR resource in JSON' },
      { places: ['a.ndjson, line 2'] },
    ]);
  });

  it('tells of a damaged archive', async () => {
    const damaged = gzipSync(bundle('transaction', patient)).subarray(0, 40);

    expect(await planOf({ 'a.json.gz': damaged, 'b.ndjson.gz': damaged })).toMatchObject([
      { place: 'a.json.gz', reason: expect.any(String) },
      { place: 'b.ndjson.gz', reason: expect.any(String) },
    ]);
  });

  it('refuses a name that does not exist', async () => {
    await expect(findFiles([path.join(removedAfterTest(), 'nothing')])).rejects.toMatchObject({
      name: 'CommandFailed',
    });
  });
});
