import fc from 'fast-check';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { putEntry, statusesOf, transactionOf } from '../support/bundles.ts';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import {
  allPages,
  create,
  matchesIn,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
  system,
} from '../support/records.ts';

// A record keeps its id and its row when its date changes; where charts show it follows the date.

const day = (number: number): string => new Date(Date.UTC(2020, 0, 1) + number * 86_400_000).toISOString();

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
beforeAll(async () => {
  server = await fhirServer();
});
beforeEach(async () => {
  patient = await create(server, patientBody());
});

const observe = (date: string | undefined) =>
  create(
    server,
    observationBody(referenceTo(patient), {
      category: [{ coding: [{ code: 'vital-signs' }] }], // nobody has to read it again
      ...(date === undefined ? {} : { effectiveDateTime: date }),
    }),
  );
const redate = async (record: Stored<fhir4.Observation>, date: string | undefined) => {
  const { effectiveDateTime: _date, ...rest } = record;
  const response = await server.put(pathOf(record), date === undefined ? rest : { ...rest, effectiveDateTime: date });
  expect(response.status, response.text).toBe(200);
};
const newestFirst = async (query = '') =>
  (await allPages(server, `Observation?patient=${patient.id}${query}`))
    .flatMap(resourcesIn)
    .map(({ id }) => String(id));

describe('a record whose date has changed', () => {
  it('is shown once, where its date says: later, earlier, back again, and not at all once it is deleted', async () => {
    const [first, second, third] = [await observe(day(1)), await observe(day(2)), await observe(day(3))];
    const shown = () => Promise.all(['', '&_count=1', '&_count=2'].map(newestFirst));
    const everywhere = (...records: { id: string }[]) => Array(3).fill(records.map(({ id }) => id));

    await redate(first, day(4));
    expect(await shown()).toEqual(everywhere(first, third, second));

    await redate(first, day(2.5));
    expect(await shown()).toEqual(everywhere(third, first, second));

    await redate(first, day(1));
    expect(await shown()).toEqual(everywhere(third, second, first));

    await redate(third, day(0));
    await server.delete(pathOf(third));
    expect(await shown()).toEqual(everywhere(second, first));
  });

  it('keeps its id, its versions and what refers to it', async () => {
    const record = await observe(day(1));

    await redate(record, day(9));

    expect((await server.get(pathOf(record))).body).toMatchObject({ effectiveDateTime: day(9) });
    expect((await server.get(`${pathOf(record)}/_history/1`)).body).toMatchObject({ effectiveDateTime: day(1) });
    expect(resourcesIn((await server.get(`${pathOf(record)}/_history`)).body)).toHaveLength(2);
    expect(resourcesIn((await server.get(`Observation?_id=${record.id}`)).body)).toHaveLength(1);
  });

  it('gets a place by a date that it did not have, and returns to the place of its creation without one', async () => {
    server.setTime(Date.UTC(2024, 0, 1));
    const { effectiveDateTime: _date, ...undated } = observationBody(referenceTo(patient));
    const record = await create(server, undated);
    server.setTime(undefined);
    const [before, behind] = [await observe('2023-06-01'), await observe('2024-06-01')];

    expect(await newestFirst()).toEqual([behind.id, record.id, before.id]);
    await redate(record, '2022-01-01');
    expect(await newestFirst()).toEqual([behind.id, before.id, record.id]);
    await redate(record, undefined);
    expect(await newestFirst()).toEqual([behind.id, record.id, before.id]);
  });

  it('can be deleted and written again, with another date', async () => {
    const [record, other] = [await observe(day(1)), await observe(day(5))];
    await redate(record, day(9));
    await server.delete(pathOf(record));

    expect((await server.put(pathOf(record), { ...record, effectiveDateTime: day(7) })).status).toBe(201);

    expect(await newestFirst()).toEqual([record.id, other.id]);
  });

  it('is found by a walk through all charts, once', async () => {
    const code = { coding: [{ system: 'http://loinc.org', code: 'moved-walk' }] };
    const record = await create(server, observationBody(referenceTo(patient), { code }));
    await redate(record, day(9));

    const pages = await allPages(server, 'Observation?code=moved-walk&_count=1');

    const found = pages.flatMap(resourcesIn).filter(({ resourceType }) => resourceType === 'Observation');
    expect(found.map(({ id }) => id)).toEqual([record.id]);
  });

  it('moves in one transaction with others, whatever its size', async () => {
    for (const size of [5, 60]) {
      patient = await create(server, patientBody());
      const records = [];
      for (let n = 0; n < size; n++) records.push(await observe(day(n)));
      const entries = records.map((record, n) => putEntry({ ...record, effectiveDateTime: day(1_000 - n) }));

      const { body } = await server.post('', transactionOf(...entries));

      expect(new Set(statusesOf(body))).toEqual(new Set(['200']));
      expect(await newestFirst('&_count=7')).toEqual(records.map(({ id }) => id));
    }
  });
});

describe('what changing a date costs', () => {
  const spent = () => ({
    calls: [...server.calls.names].sort(),
    sequential: server.calls.sequential(),
    read: server.calls.readUnits,
    written: server.calls.writeUnits,
  });

  it('is a pointer in the transaction: no call more than any update, and two units a row', async () => {
    const record = await observe(day(1));
    await redate(record, day(1));
    server.calls.reset();
    await redate(record, day(1));
    const unmoved = spent();

    server.calls.reset();
    await redate(record, day(2));
    const away = spent();
    server.calls.reset();
    await redate(record, day(3));
    const onwards = spent();
    server.calls.reset();
    await redate(record, day(1));
    const back = spent();

    expect(unmoved).toMatchObject({ calls: ['GetItem', 'TransactWriteItems'], sequential: 2 });
    expect(away).toEqual({ ...unmoved, written: unmoved.written + 2 });
    expect(onwards).toEqual({ ...unmoved, written: unmoved.written + 4 });
    expect(back).toEqual({ ...unmoved, written: unmoved.written + 2 });
  });

  it('is no call in a search that reads the record’s own row too, and one where it reads the pointer alone', async () => {
    const record = await observe(day(1));
    for (let n = 2; n < 10; n++) await observe(day(n));
    await redate(record, day(99));
    const search = async (query: string) => {
      server.calls.reset();
      await server.get(`Observation?patient=${patient.id}${query}`);
      return spent();
    };

    expect(await search('')).toEqual({ calls: ['PutItem', 'Query'], sequential: 1, read: 1, written: 1 });
    expect(await search('&_count=2')).toEqual({
      calls: ['BatchGetItem', 'PutItem', 'Query'],
      sequential: 2,
      read: 2,
      written: 1,
    });
  });

  it('is nothing to a record that stays', async () => {
    const record = await observe(day(1));
    server.calls.reset();
    await server.get(`Observation?patient=${patient.id}&_count=1`);
    await server.get(pathOf(record));

    expect(spent()).toMatchObject({ calls: ['GetItem', 'PutItem', 'PutItem', 'Query'], read: 2 });
  });
});

// Provenance is the simplest record that belongs to several patients.
type Patients = 'A' | 'B' | 'AB' | 'BA';
interface Expected {
  readonly resource: Stored<fhir4.Provenance>;
  readonly at: number;
  readonly of: Patients;
}

const days = fc.nat({ max: 60 });
const which = fc.nat({ max: 1_000 });
const steps = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('create' as const),
        day: days,
        of: fc.constantFrom<Patients>('A', 'B', 'AB', 'BA'),
      }),
    },
    { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('move' as const), which, day: days }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('both' as const, 'one' as const), which, day: days }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), which, day: days }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('move together' as const),
        days: fc.array(days, { minLength: 1, maxLength: 4 }),
      }),
    },
  ),
  { minLength: 5, maxLength: 30 },
);

describe('charts of two patients', () => {
  it('show each of their records once and newest first, in pages of any size, whatever was done to them', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (done) => {
        const [A, B] = [await create(server, patientBody()), await create(server, patientBody())];
        const records: Expected[] = [];
        let sequence = 0;
        /** Dates differ in their milliseconds, so that there is one right order. */
        const dateOf = (number: number) => Date.UTC(2020, 0, 1) + number * 86_400_000 + sequence++;
        const body = (at: number, of: Patients): fhir4.Provenance => ({
          resourceType: 'Provenance',
          target: [...of].map((name) => ({ reference: referenceTo(name === 'A' ? A : B) })),
          recorded: new Date(at).toISOString(),
          agent: [{ who: { display: 'somebody' } }],
        });
        const replace = async (index: number, at: number, of: Patients) => {
          const record = records[index];
          if (!record) return;
          const resource = { ...body(at, of), id: record.resource.id };
          expect((await server.put(pathOf(resource), resource, { as: system })).status).toBe(200);
          records[index] = { ...record, at, of };
        };
        for (const step of done) {
          if (step.do === 'create') {
            const at = dateOf(step.day);
            records.push({ resource: await create(server, body(at, step.of), system), at, of: step.of });
          } else if (step.do === 'move together') {
            const moves = step.days.slice(0, records.length).map((number, index) => ({ index, at: dateOf(number) }));
            const entries = moves.map(({ index, at }) => {
              const { resource, of } = records[index] as Expected;
              return putEntry({ ...body(at, of), id: resource.id });
            });
            if (entries.length > 0) await server.post('', transactionOf(...entries), { as: system });
            for (const { index, at } of moves) records[index] = { ...(records[index] as Expected), at };
          } else if (records.length > 0) {
            const index = step.which % records.length;
            const { resource, of } = records[index] as Expected;
            const home = of.slice(0, 1) as 'A' | 'B';
            if (step.do === 'move') await replace(index, dateOf(step.day), of);
            else if (step.do === 'one') await replace(index, dateOf(step.day), home);
            else if (step.do === 'both') await replace(index, dateOf(step.day), home === 'A' ? 'AB' : 'BA');
            else {
              expect((await server.delete(pathOf(resource), { as: system })).status).toBe(204);
              records.splice(index, 1);
            }
          }
        }
        for (const [name, { id }] of [
          ['A', A],
          ['B', B],
        ] as const) {
          const own = records.filter(({ of }) => of.includes(name)).sort((a, b) => b.at - a.at);
          const expected = own.map(({ resource }) => resource.id);
          for (const size of [1, 3, 100]) {
            const pages = await allPages(server, `Provenance?patient=${id}&_count=${size}`, system);
            expect(pages.flatMap(resourcesIn).map((record) => record.id)).toEqual(expected);
            expect(pages.slice(0, -1).map((page) => resourcesIn(page).length)).toEqual(pages.slice(1).map(() => size));
            const everything = await allPages(server, `Patient/${id}/$everything?_count=${size}`, system);
            expect(
              everything
                .flatMap(matchesIn)
                .map((record) => String(record.id))
                .sort(),
            ).toEqual([id, ...expected].sort());
          }
          const counted = await server.get(`Provenance?patient=${id}&_summary=count`, { as: system });
          expect(counted.body.total).toBe(expected.length);
        }
        const both = await allPages(server, `Provenance?patient=${B.id},${A.id}&_count=4`, system);
        expect(
          both
            .flatMap(resourcesIn)
            .map((record) => String(record.id))
            .sort(),
        ).toEqual(records.map(({ resource }) => resource.id).sort());
      }),
      { numRuns: 8 },
    );
  });
});
