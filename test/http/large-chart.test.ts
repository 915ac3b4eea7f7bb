import { beforeAll, describe, expect, it } from 'vitest';
import { localTableWithoutStream } from '../support/dynamodb.ts';
import { type FhirServer, fhirServer, type TestResponse } from '../support/fhir-server.ts';
import { rareCode, writeObservations } from '../support/large-chart.ts';
import {
  create,
  encounterBody,
  issuesOf,
  nextLinkOf,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
} from '../support/records.ts';

// What a request costs in a chart of very many records. `OBSERVATIONS=100000` makes it larger; what is held here holds at any size.

const observations = Number(process.env.OBSERVATIONS ?? 16_000);
const megabyte = 1_048_576;

let server: FhirServer;
let large: Stored<fhir4.Patient>;
let small: Stored<fhir4.Patient>;
/** What the Observations take of pages, in bytes and in Queries: a page ends at one megabyte. */
let bytes: number;
let pages: number;
beforeAll(async () => {
  server = await fhirServer(await localTableWithoutStream());
  [large, small] = [await create(server, patientBody()), await create(server, patientBody())];
  bytes = await writeObservations(server.store, large.id, observations);
  pages = Math.ceil(bytes / megabyte);
  await writeObservations(server.store, small.id, 100);
}, 300_000);

interface Cost {
  readonly queries: number;
  readonly others: readonly string[];
  readonly sequential: number;
  readonly read: number;
  readonly written: number;
}
const costing = async (send: () => Promise<TestResponse>): Promise<TestResponse & { cost: Cost }> => {
  server.calls.reset();
  const response = await send();
  const { names, readUnits, writeUnits } = server.calls;
  return {
    ...response,
    cost: {
      queries: names.filter((name) => name === 'Query').length,
      others: names.filter((name) => name !== 'Query').sort(),
      sequential: server.calls.sequential(),
      read: readUnits,
      written: writeUnits,
    },
  };
};
const get = (path: string) => costing(() => server.get(path));
/** Strongly consistent read units of so many bytes. */
const unitsOf = (size: number) => Math.ceil(size / 4_096);

describe(`a chart of ${observations} Observations`, () => {
  it('is large enough to tell', () => {
    expect(pages).toBeGreaterThan(3);
  });

  it('shows the newest 50 in one Query of 50 rows', async () => {
    const { body, cost } = await get(`Observation?patient=${large.id}&_count=50`);

    expect(resourcesIn(body)).toHaveLength(50);
    expect(cost).toMatchObject({ queries: 1, others: ['PutItem'], sequential: 1 });
    expect(cost.read).toBeLessThanOrEqual(6);
    const alike = await get(`Observation?patient=${small.id}&_count=50`);
    expect(alike.cost).toEqual(cost);
  });

  it('shows those of one code by reading as far as it must: a Query for each started megabyte', async () => {
    const { body, cost } = await get(`Observation?patient=${large.id}&code=${rareCode}&_count=50`);

    expect(resourcesIn(body)).toHaveLength(50);
    const needed = Math.ceil(((bytes / observations) * 51 * 100) / megabyte);
    expect(cost.queries).toBeLessThanOrEqual(needed);
    expect(cost).toMatchObject({ others: ['PutItem'], sequential: cost.queries });
    expect(cost.read).toBeLessThanOrEqual(unitsOf(needed * megabyte) + needed);
  });

  it('is read to its end for a code that nobody has, and no further', async () => {
    const { body, cost } = await get(`Observation?patient=${large.id}&code=nobody-has-it`);

    expect(body.total).toBe(0);
    expect(cost).toMatchObject({ queries: pages, others: ['PutItem'] });
    expect(cost.read).toBeLessThanOrEqual(unitsOf(bytes) + pages);
  });

  it('shows a thousand on a page, and pages to its end: one Query a page, each record once, newest first', async () => {
    const shown: string[] = [];
    const seen = { pages: 0, most: 0, read: 0 };
    for (let url: string | undefined = `Observation?patient=${large.id}&_count=1000`; url !== undefined; ) {
      const { status, body, cost } = await get(url);
      expect(status).toBe(200);
      expect(cost).toMatchObject({ queries: 1, others: ['PutItem'], sequential: 1 });
      shown.push(...resourcesIn(body).map(({ id }) => server.store.ids.decode(String(id))?.place ?? ''));
      seen.pages += 1;
      seen.most = Math.max(seen.most, cost.read);
      seen.read += cost.read;
      url = nextLinkOf(body);
    }

    expect(seen.pages).toBe(observations / 1_000);
    expect(seen.most).toBeLessThanOrEqual(unitsOf((bytes / observations) * 1_001) + 1);
    expect(shown).toHaveLength(observations);
    expect(shown.every((place, n) => n === 0 || place < (shown[n - 1] ?? ''))).toBe(true);
  }, 300_000);

  it('is counted by a Query for each started megabyte', async () => {
    const { body, cost } = await get(`Observation?patient=${large.id}&_summary=count`);

    expect(body.total).toBe(observations);
    expect(cost).toMatchObject({ queries: pages, others: ['PutItem'], sequential: pages });
    expect(cost.read).toBeLessThanOrEqual(unitsOf(bytes) + pages);
  });

  it('is too costly to sort, which is told as soon as there are more than can be sorted', async () => {
    const { status, body, cost } = await get(`Observation?patient=${large.id}&_sort=date&_count=5`);

    expect([status, issuesOf(body)[0]?.code]).toEqual([400, 'too-costly']);
    expect(cost.queries).toBeLessThanOrEqual(Math.ceil(((bytes / observations) * 10_001) / megabyte));
  });

  it('is too costly to group by $lastn', async () => {
    const { status, body, cost } = await get(`Observation/$lastn?patient=${large.id}&code=8867-4`);

    expect([status, issuesOf(body)[0]?.code]).toEqual([400, 'too-costly']);
    expect(cost.queries).toBeLessThanOrEqual(Math.ceil(((bytes / observations) * 10_200) / megabyte));
  });

  it('begins $everything with a page of one Query', async () => {
    const { body, cost } = await get(`${pathOf(large)}/$everything`);

    expect(resourcesIn(body)).toHaveLength(1_000);
    expect(nextLinkOf(body)).toBeDefined();
    expect(cost).toMatchObject({ queries: 1, others: ['GetItem', 'PutItem'], sequential: 1 });
    expect(cost.read).toBeLessThanOrEqual(unitsOf((bytes / observations) * 1_000) + 2);
  });

  it('creates, reads, updates and shows history at what it costs in a small chart', async () => {
    const costs = async ({ id }: Stored<fhir4.Patient>): Promise<Cost[]> => {
      const subject = `Patient/${id}`;
      const encounter = referenceTo(await create(server, encounterBody(subject)));
      const body = observationBody(subject, {
        encounter: { reference: encounter },
        category: [{ coding: [{ code: 'vital-signs' }] }], // nobody has to read it again
      });
      const created = await costing(() => server.post('Observation', body));
      const path = `Observation/${created.body.id}`;
      const updated = await costing(() => server.put(path, { ...body, id: String(created.body.id) }));
      const moved = await costing(() =>
        server.put(path, { ...body, id: String(created.body.id), effectiveDateTime: '2001-01-01' }),
      );
      const others = [await get(path), await get(`${path}/_history/1`), await get(`${path}/_history`)];
      const byEncounter = await get(`Encounter?_id=${encounter.split('/')[1]}`);
      return [created, updated, moved, ...others, byEncounter].map(({ cost }) => cost);
    };

    const [inLarge, inSmall] = [await costs(large), await costs(small)];

    expect(inLarge).toEqual(inSmall);
    expect(inLarge.map(({ sequential }) => sequential)).toEqual([1, 2, 2, 1, 1, 2, 1]);
  });

  it('deletes after it has looked for what refers to the record, or says that it cannot', async () => {
    const record = await create(server, observationBody(referenceTo(large)));

    const { status, body, cost } = await costing(() => server.delete(pathOf(record)));

    // Two directions from the record; ten megabytes at most.
    if (pages < 10) {
      expect(status).toBe(204);
      expect(cost.queries).toBeLessThanOrEqual(pages + 2);
    } else {
      expect(issuesOf(body)[0]?.code).toBe('too-costly');
      expect(cost.queries).toBeLessThanOrEqual(11);
    }
  });
});
