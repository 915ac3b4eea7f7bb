import fc from 'fast-check';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { planLink, planUnlink } from '../../shared/store/chart-links.ts';
import { commit } from '../../shared/store/commit.ts';
import type { StoredRecord } from '../../shared/store/rows.ts';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import {
  allPages,
  create,
  elsewhere,
  encounterBody,
  entriesOf,
  nextLinkOf,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
  system,
} from '../support/records.ts';
import { commitOf } from '../support/test-store.ts';

let server: FhirServer;
let one: Stored<fhir4.Patient>;
let two: Stored<fhir4.Patient>;
beforeAll(async () => {
  server = await fhirServer();
});
beforeEach(async () => {
  [one, two] = [await create(server, patientBody()), await create(server, patientBody())];
});

type Patient = Stored<fhir4.Patient>;
const headOf = async ({ id }: Patient): Promise<StoredRecord> => {
  const address = await server.store.locate('Patient', id, false);
  const record = address && (await server.store.read(address));
  if (!record) throw new Error('There is no such patient');
  return record;
};
const link = async (a: Patient, b: Patient) =>
  commit(server.store, commitOf({ unique: await planLink(server.store, await headOf(a), await headOf(b)) }));
const unlink = async (a: Patient, b: Patient) => {
  const [left, right] = [await headOf(a), await headOf(b)];
  const { changes, takeDownSigns } = await planUnlink(
    server.store,
    { chart: left.chart, patient: left.id },
    { chart: right.chart, patient: right.id },
  );
  await commit(server.store, commitOf({ unique: changes }));
  await takeDownSigns();
};

const day = (number: number) => new Date(Date.UTC(2020, 0, 1) + number * 86_400_000).toISOString();
const observe = (of: Patient, number: number, elements: Partial<fhir4.Observation> = {}) =>
  create(server, observationBody(referenceTo(of), { effectiveDateTime: day(number), ...elements }));
const found = async (query: string, as = system): Promise<string[]> =>
  (await allPages(server, query, as)).flatMap(resourcesIn).map(referenceTo);
const spent = () => ({
  calls: [...server.calls.names].sort(),
  sequential: server.calls.sequential(),
  read: server.calls.readUnits,
});

describe('linked charts', () => {
  it('are searched as one, newest first, in pages of any size, by either patient', async () => {
    const records: string[] = [];
    for (let n = 0; n < 9; n++) records.unshift(referenceTo(await observe([one, two, two][n % 3] ?? one, n)));
    await link(one, two);

    for (const patient of [one, two]) {
      for (const size of [1, 2, 4, 50]) {
        const pages = await allPages(server, `Observation?patient=${patient.id}&_count=${size}`);
        expect(pages.flatMap(resourcesIn).map(referenceTo)).toEqual(records);
        expect(pages.slice(0, -1).every((page) => resourcesIn(page).length === size)).toBe(true);
      }
      for (const query of [
        `Observation?subject=Patient/${patient.id}&code=8867-4`,
        `Observation?patient=${patient.id}&_sort=-date&_count=2`,
        `Observation?patient=Patient/${patient.id}&subject=Patient/${two.id}&_count=4`,
      ]) {
        expect(await found(query), query).toEqual(records);
      }
      const { body } = await server.get(`Observation?patient=${patient.id}&_summary=count`);
      expect(body.total).toBe(9);
      expect((await server.get(`Observation?patient=${patient.id}&_count=2&_total=accurate`)).body.total).toBe(9);
    }
    expect(await found(`Observation?patient=${one.id},${two.id}&_count=2`)).toEqual(records);
  });

  it('see what is written after the link, and part again without it; ids stay', async () => {
    await link(one, two);
    const [mine, theirs] = [await observe(one, 1), await observe(two, 2)];
    expect(await found(`Observation?patient=${one.id}`)).toEqual([theirs, mine].map(referenceTo));
    expect((await server.get(pathOf(theirs))).body).toMatchObject({ subject: { reference: referenceTo(two) } });

    await unlink(one, two);

    expect(await found(`Observation?patient=${one.id}`)).toEqual([referenceTo(mine)]);
    expect(await found(`Observation?patient=${two.id}`)).toEqual([referenceTo(theirs)]);
  });

  it('are one in $everything, with both patients, page by page', async () => {
    const records = [one, two].map(referenceTo);
    for (let n = 0; n < 7; n++) records.push(referenceTo(await observe(n % 2 ? one : two, n)));
    records.push(referenceTo(await create(server, encounterBody(referenceTo(two)))));
    await link(one, two);

    for (const size of [1, 3, 100]) {
      const pages = await allPages(server, `${pathOf(one)}/$everything?_count=${size}`);
      expect(pages.flatMap(resourcesIn).map(referenceTo).sort()).toEqual(records.toSorted());
      // The two patients are not parted, since what heads a chart has one key in every chart.
      expect(pages.every((page) => resourcesIn(page).length <= Math.max(size, 2))).toBe(true);
    }
  });

  it('show a record of several of their patients once', async () => {
    const third = await create(server, patientBody());
    const provenance = (...target: Patient[]) =>
      create(
        server,
        {
          resourceType: 'Provenance',
          recorded: '2021-01-01T00:00:00Z',
          agent: [{ who: { display: 'somebody' } }],
          target: target.map((patient) => ({ reference: referenceTo(patient) })),
        },
        system,
      );
    const records = [await provenance(one, two), await provenance(two, third), await provenance(third, two, one)];
    await link(one, two);

    for (const patients of [[one], [two], [third, one], [one, two, third], [two, third, one]]) {
      const expected = records.filter(({ target }) =>
        target.some(({ reference }) =>
          patients.some((patient) => reference === referenceTo(patient) || patient !== third),
        ),
      );
      for (const size of [1, 2, 50]) {
        const query = `Provenance?patient=${patients.map(({ id }) => id).join()}&_count=${size}`;
        expect((await found(query)).sort(), query).toEqual(expected.map(referenceTo).sort());
      }
    }
  });

  it('are one for a conditional create', async () => {
    const existing = await observe(two, 1, { identifier: [{ system: 'urn:order', value: one.id }] });
    await link(one, two);

    const again = await server.request('POST', 'Observation', {
      body: observationBody(referenceTo(one)),
      headers: { 'if-none-exist': `patient=${one.id}&date=${day(1).slice(0, 10)}` },
    });

    expect(again.status).toBe(200);
    expect(again.body.id).toBe(existing.id);
  });

  it('do not let go of what the other one refers to', async () => {
    const encounter = await create(server, encounterBody(referenceTo(one)));
    await link(one, two);
    const record = await observe(two, 1, { encounter: { reference: referenceTo(encounter) } });

    expect(await found(`Observation?encounter=${referenceTo(encounter)}`)).toEqual([referenceTo(record)]);
    expect((await server.delete(pathOf(encounter))).status).toBe(409);
    await server.delete(pathOf(record));
    expect((await server.delete(pathOf(encounter))).status).toBe(204);
  });

  it('are met each on its own by a walk through all charts', async () => {
    const code = { coding: [{ system: 'http://loinc.org', code: `walk-${one.id}` }] };
    const records = [await observe(one, 1, { code }), await observe(two, 2, { code })];
    await link(one, two);

    const walked = (await found(`Observation?code=walk-${one.id}&_count=1`)).filter((name) => name.startsWith('Obs'));
    expect(walked.sort()).toEqual(records.map(referenceTo).sort());
  });

  it('lead on from a page as they were when it was made', async () => {
    const records: string[] = [];
    for (let n = 0; n < 6; n++) records.unshift(referenceTo(await observe(n % 2 ? one : two, n)));
    const own = [records[0], records[2], records[4]];
    const query = `Observation?patient=${one.id}&_count=2`;
    const before = (await server.get(query)).body;

    await link(one, two);
    const linked = (await server.get(query)).body;
    expect((await allPages(server, nextLinkOf(before) ?? '')).flatMap(resourcesIn).map(referenceTo)).toEqual(
      own.slice(2),
    );

    await unlink(one, two);
    const rest = (await allPages(server, nextLinkOf(linked) ?? '')).flatMap(resourcesIn).map(referenceTo);
    expect(rest).toEqual(records.slice(2));
  });
});

describe('who may see linked charts', () => {
  it('is decided for each record, as everywhere', async () => {
    await observe(one, 1);
    await observe(two, 2);
    await link(one, two);

    expect((await server.get(`Observation?patient=${one.id}`, { as: elsewhere })).body.total).toBe(0);
    expect((await server.get(`${pathOf(one)}/$everything`, { as: elsewhere })).status).toBe(404);
    const frontdesk = await server.get(`${pathOf(one)}/$everything`, { as: { role: 'frontdesk' } });
    expect(resourcesIn(frontdesk.body).map(referenceTo).sort()).toEqual([one, two].map(referenceTo).sort());
  });

  it('is told by the log of each chart that something was shown of', async () => {
    const record = await observe(two, 2);
    await link(one, two);
    const log = async () =>
      entriesOf((await server.get(`AuditEvent?patient=${two.id}`, { as: { role: 'privacy' } })).body).map((entry) =>
        JSON.stringify(entry),
      );
    const namingIt = async () => (await log()).filter((entry) => entry.includes(referenceTo(record))).length;

    const created = await namingIt();
    await server.get(`Observation?patient=${one.id}`);
    const searched = await namingIt();
    await server.get(`${pathOf(one)}/$everything`);

    expect([created, searched, await namingIt()]).toEqual([1, 2, 3]);
    expect((await log()).filter((entry) => entry.includes(`patient=${one.id}`))).toEqual([]);
  });
});

describe('what linked charts cost', () => {
  const search = (patient: Patient, query = '') => `Observation?patient=${patient.id}${query}`;
  const costOf = async (path: string) => {
    server.calls.reset();
    const { body } = await server.get(path);
    return { ...spent(), next: nextLinkOf(body) ?? '' };
  };

  it('is nothing for a chart that is not linked, and for one that is linked no more', async () => {
    for (let n = 0; n < 5; n++) await observe(one, n);
    const paths = [
      search(one),
      search(one, '&_count=2'),
      `${pathOf(one)}/$everything`,
      `${pathOf(one)}/$everything?_count=3`,
    ];
    const costs = async () => {
      const all = [];
      for (const path of paths) {
        const { next: _next, ...cost } = await costOf(path);
        all.push(cost);
      }
      return all;
    };
    const unlinked = await costs();
    expect(unlinked[0]).toEqual({ calls: ['PutItem', 'Query'], sequential: 1, read: 1 });
    expect(unlinked[2]).toEqual({ calls: ['GetItem', 'PutItem', 'Query'], sequential: 1, read: 2 });

    await link(one, two);
    const linked = await costs();
    await unlink(one, two);

    expect(linked[0]?.calls).not.toEqual(unlinked[0]?.calls);
    expect(await costs()).toEqual(unlinked);
  });

  it('is two calls in sequence on the first page, and one Query a chart, all at once, on each that follows', async () => {
    for (let n = 0; n < 9; n++) await observe(n % 2 ? one : two, n);
    await link(one, two);

    const first = await costOf(search(one, '&_count=4'));
    // The links, the other chart, then the trace in its log.
    expect(first).toMatchObject({ calls: ['GetItem', 'PutItem', 'PutItem', 'Query', 'Query'], sequential: 4, read: 3 });
    const second = await costOf(first.next);
    expect(second).toMatchObject({ calls: ['PutItem', 'PutItem', 'Query', 'Query'], sequential: 2, read: 2 });
  });

  it('grows with the charts that are linked, up to eight', async () => {
    const others = [];
    for (let n = 0; n < 6; n++) others.push(await create(server, patientBody()));
    await link(one, two);
    for (const other of others) await link(one, other);
    await observe(one, 1);

    const { calls, sequential } = await costOf(search(two));

    expect(calls.filter((name) => name === 'Query')).toHaveLength(8);
    expect(calls.filter((name) => name === 'GetItem')).toHaveLength(1);
    expect(sequential).toBe(4);
  });
});

describe('charts linked in any way', () => {
  const patients = 4;
  const cases = fc.record({
    links: fc.array(fc.tuple(fc.nat({ max: patients - 1 }), fc.nat({ max: patients - 1 })), { maxLength: 4 }),
    unlinked: fc.nat({ max: 5 }),
    records: fc.array(fc.uniqueArray(fc.nat({ max: patients - 1 }), { minLength: 1, maxLength: 3 }), {
      minLength: 3,
      maxLength: 14,
    }),
    asked: fc.uniqueArray(fc.nat({ max: patients - 1 }), { minLength: 1, maxLength: 3 }),
  });

  it('show each record of all their patients once, newest first', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ links, unlinked, records, asked }) => {
        const people: Patient[] = [];
        for (let n = 0; n < patients; n++) people.push(await create(server, patientBody()));
        const person = (number: number) => people[number] as Patient;
        const made: { id: string; of: number[] }[] = [];
        for (const [n, of] of records.entries()) {
          const { id } = await create<fhir4.Provenance>(
            server,
            {
              resourceType: 'Provenance',
              recorded: day(n),
              agent: [{ who: { display: 'somebody' } }],
              target: of.map((number) => ({ reference: referenceTo(person(number)) })),
            },
            system,
          );
          made.unshift({ id, of });
        }
        const distinct = [...new Set(links.filter(([a, b]) => a !== b).map((pair) => pair.toSorted().join()))].map(
          (pair) => pair.split(',').map(Number) as [number, number],
        );
        for (const [a, b] of distinct) await link(person(a), person(b));
        const gone = distinct[unlinked];
        if (gone) await unlink(person(gone[0]), person(gone[1]));
        const kept = distinct.filter((pair) => pair !== gone);
        const groupOf = (numbers: readonly number[]) => {
          const group = new Set(numbers);
          for (let n = 0; n < patients; n++) {
            for (const [a, b] of kept) if (group.has(a) || group.has(b)) group.add(a).add(b);
          }
          return group;
        };

        for (const numbers of [[0], [1], asked]) {
          const group = groupOf(numbers);
          const expected = made.filter(({ of }) => of.some((number) => group.has(number))).map(({ id }) => id);
          for (const size of [1, 3, 50]) {
            const query = `Provenance?patient=${numbers.map((number) => person(number).id).join()}&_count=${size}`;
            const ids = (await allPages(server, query, system)).flatMap(resourcesIn).map(({ id }) => String(id));
            // Charts that are not linked come one after the other, in the order in which they are named.
            if (numbers.length === 1) expect(ids).toEqual(expected);
            else expect(ids.toSorted()).toEqual(expected.toSorted());
          }
        }
      }),
      { numRuns: 8 },
    );
  });
});
