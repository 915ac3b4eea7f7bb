import { beforeAll, describe, expect, it } from 'vitest';
import type { Resource } from '../../shared/fhir/resource.ts';
import { commit } from '../../shared/store/commit.ts';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import {
  allPages,
  create,
  nextLinkOf,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
} from '../support/records.ts';
import { commitOf, nextOf } from '../support/test-store.ts';

// A record that is written again and again costs as much as on its first day, whatever has become of it.

const versions = 1_000;
const few = 120;

let server: FhirServer;
let long: Stored<fhir4.Observation>;
let short: Stored<fhir4.Observation>;
beforeAll(async () => {
  server = await fhirServer();
  const subject = referenceTo(await create(server, patientBody()));
  // What is observed all the time: a result that changes is looked for in the tasks of its chart besides (docs/results.md).
  const vital = observationBody(subject, { category: [{ coding: [{ code: 'vital-signs' }] }] });
  [long, short] = [await create(server, vital), await create(server, vital)];
  await grow(long, versions);
  await grow(short, few);
});

/** Writes versions up to this one, without the work of an HTTP request for each. Their values are their numbers, of three digits each. */
const grow = async ({ id }: Stored<fhir4.Observation>, to: number) => {
  const address = await server.store.locate('Observation', id, false);
  let record = address && (await server.store.read(address));
  while (record && record.version < to) {
    const value = 100 + (record.version % 900);
    const resource = { ...record.resource, valueQuantity: { value, unit: '/min' } } as Resource;
    const next = nextOf(record, { resource, updated: record.updated + 1 });
    await commit(server.store, commitOf({ writes: [{ next, previous: record }] }));
    record = next;
  }
};

const costOf = async (path: string) => {
  server.calls.reset();
  const { status, body, text } = await server.get(path);
  expect(status, text).toBe(200);
  const { names, readUnits, writeUnits } = server.calls;
  const cost = {
    calls: [...names].sort(),
    sequential: server.calls.sequential(),
    read: readUnits,
    written: writeUnits,
  };
  return { cost, body, next: nextLinkOf(body) };
};
const versionsIn = (pages: Parameters<typeof resourcesIn>[0][]) =>
  pages.flatMap(resourcesIn).map(({ meta }) => Number(meta?.versionId));

describe(`a record of ${versions} versions`, () => {
  it('is read as it is now at what any read costs', async () => {
    const { cost, body } = await costOf(pathOf(long));

    expect(body.meta?.versionId).toBe(String(versions));
    expect(cost).toEqual({ calls: ['GetItem', 'PutItem'], sequential: 1, read: 1, written: 1 });
  });

  it.each([1, 2, 500, versions - 1, versions])(
    'is read as it was in version %i at what any version costs',
    async (version) => {
      const { cost, body } = await costOf(`${pathOf(long)}/_history/${version}`);

      expect(body.meta?.versionId).toBe(String(version));
      expect(cost).toMatchObject({ calls: ['BatchGetItem', 'PutItem'], sequential: 1, written: 1 });
      expect(cost.read).toBeLessThanOrEqual(2);
    },
  );

  it('does not know of a version that was never written, at the cost of one that is hidden', async () => {
    server.calls.reset();

    expect((await server.get(`${pathOf(long)}/_history/${versions + 1}`)).status).toBe(404);
    // The second row of the log says that there was nothing. What is hidden takes a look at the Consents, so this takes one, too.
    expect([...server.calls.names].sort()).toEqual(['BatchGetItem', 'PutItem', 'PutItem', 'Query']);
  });

  it('shows its history page by page, each page at what a page of a short one costs', async () => {
    const { cost: ofShort } = await costOf(`${pathOf(short)}/_history?_count=50`);
    const seen: number[] = [];
    let url: string | undefined = `${pathOf(long)}/_history?_count=50`;
    let pages = 0;
    while (url !== undefined) {
      const { cost, body, next } = await costOf(url);
      expect(cost.calls).toEqual(ofShort.calls);
      expect(cost.sequential).toBe(2);
      expect(Math.abs(cost.read - ofShort.read)).toBeLessThanOrEqual(1); // bodies differ by some bytes
      seen.push(...versionsIn([body]));
      pages += 1;
      url = next;
    }

    expect(pages).toBe(versions / 50);
    expect(seen).toEqual(Array.from({ length: versions }, (_, n) => versions - n));
  });

  it('shows up to 200 versions on a page', async () => {
    const pages = await allPages(server, `${pathOf(long)}/_history?_count=1000`);

    expect(pages.map((page) => resourcesIn(page).length)).toEqual([200, 200, 200, 200, 200]);
    expect(pages[0]?.total).toBe(versions);
  });

  it('is updated at what any update costs', async () => {
    const costs = [];
    for (const record of [long, short]) {
      server.calls.reset();
      const { status } = await server.put(pathOf(record), record);
      expect(status).toBe(200);
      const { names, readUnits, writeUnits } = server.calls;
      costs.push({ calls: [...names], read: readUnits, written: writeUnits, sequential: server.calls.sequential() });
    }

    expect(costs[0]).toEqual(costs[1]);
    expect(costs[0]).toMatchObject({ calls: ['GetItem', 'TransactWriteItems'], sequential: 2, read: 1 });
  });

  it('is one record in a search of its chart: its history is not read', async () => {
    const { cost, body } = await costOf(`Observation?subject=${String(long.subject?.reference)}`);

    expect(resourcesIn(body)).toHaveLength(2);
    expect(cost).toEqual({ calls: ['PutItem', 'Query'], sequential: 1, read: 1, written: 1 });
  });
});
