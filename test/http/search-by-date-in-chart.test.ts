import { PutCommand } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { recordTypes } from '../../shared/record-types/index.ts';
import { observation } from '../../shared/record-types/observation.ts';
import { chartPage } from '../../shared/store/chart-page.ts';
import { timeKey } from '../../shared/store/index-rows.ts';
import { lastingKey, linkSignKey } from '../../shared/store/keys.ts';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import { writeObservations } from '../support/large-chart.ts';
import {
  create,
  nextLinkOf,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
} from '../support/records.ts';
import { rowAt } from '../support/test-store.ts';

// In a chart, a search between two times reads what begins there, and nothing is lost by that.

let server: FhirServer;
beforeAll(async () => {
  server = await fhirServer();
});

type Effective = Partial<
  Pick<fhir4.Observation, 'effectiveDateTime' | 'effectivePeriod' | 'effectiveInstant' | 'effectiveTiming'>
>;
const bodyWith = (subject: string, effective: Effective): fhir4.Observation => {
  const { effectiveDateTime: _none, ...body } = observationBody(subject);
  return { ...body, ...effective };
};

const newPatient = async () => create(server, patientBody());
const placeOf = ({ id }: Stored<fhir4.Observation>) => server.store.ids.decode(id)?.place ?? '';
const found = async (query: string): Promise<string[]> => {
  const { status, body } = await server.get(query);
  expect(status, JSON.stringify(body)).toBe(200);
  return resourcesIn(body).map(referenceTo).sort();
};

describe('what lasts longer than its place tells', () => {
  const regular: readonly [string, Effective][] = [
    ['an instant', { effectiveInstant: '2024-05-06T07:08:09.123+02:00' }],
    ['a day', { effectiveDateTime: '2024-05-06' }],
    ['a month', { effectiveDateTime: '2024-05' }],
    ['a period of a week', { effectivePeriod: { start: '2024-05-01', end: '2024-05-07' } }],
    ['no date', {}],
  ];
  const lasting: readonly [string, Effective][] = [
    ['a year', { effectiveDateTime: '2024' }],
    ['a period of two months', { effectivePeriod: { start: '2024-05-01', end: '2024-06-30' } }],
    ['a period without an end', { effectivePeriod: { start: '2024-05-01' } }],
    ['a period without a start', { effectivePeriod: { end: '2024-05-01' } }],
    ['times of a schedule', { effectiveTiming: { event: ['2024-05-01T10:00:00Z', '2024-05-02T10:00:00Z'] } }],
    ['a schedule without limits', { effectiveTiming: { code: { text: 'daily' } } }],
  ];
  const signOf = async (effective: Effective) => {
    const record = await create(server, bodyWith(referenceTo(await newPatient()), effective));
    const [chart = ''] = record.id.split('.');
    return rowAt(server.store, lastingKey({ type: 'Observation', chart, place: placeOf(record) }, chart));
  };

  it.each(regular)('is not %s', async (_, effective) => {
    expect(await signOf(effective)).toBeUndefined();
  });

  it.each(lasting)('is %s', async (_, effective) => {
    expect(await signOf(effective)).toBeDefined();
  });

  it('has a row of its own while it does, and none once it does not or is deleted', async () => {
    const patient = referenceTo(await newPatient());
    const record = await create(server, bodyWith(patient, { effectivePeriod: { start: '2020-01-01' } }));
    const [chart = ''] = record.id.split('.');
    const row = (shown: string) =>
      rowAt(server.store, lastingKey({ type: 'Observation', chart, place: placeOf(record), shown }, chart));
    const put = (effective: Effective) =>
      server.put(pathOf(record), { ...bodyWith(patient, effective), id: record.id });
    const moved = server.store.ids.movedPlace(placeOf(record), Date.UTC(2021, 0, 1));

    await put({ effectivePeriod: { start: '2021-01-01' } });
    expect([await row(placeOf(record)), await row(moved)]).toEqual([undefined, expect.anything()]);
    await put({ effectivePeriod: { start: '2021-01-01', end: '2021-01-02' } });
    expect(await row(moved)).toBeUndefined();
    await put({ effectivePeriod: { start: '2021-01-01' } });
    await server.delete(pathOf(record));
    expect(await row(moved)).toBeUndefined();
  });

  it('is known by the date that orders the type', () => {
    const bounded = recordTypes.filter(({ boundedBy }) => boundedBy !== undefined);

    expect(bounded.map(({ name }) => name)).toContain(observation.name);
    expect(bounded.map(({ boundedBy }) => boundedBy)).toEqual(bounded.map(({ date }) => date));
  });
});

describe('a search between two times', () => {
  const day = fc.integer({ min: -500, max: 500 });
  const around = Date.UTC(2024, 5, 1);
  const zone = fc.constantFrom('Z', '+14:00', '-11:30');
  const offset = (text: string) => (text === 'Z' ? 0 : Number(text.slice(0, 3)) + (text.endsWith('30') ? -0.5 : 0));
  /** Of any precision: a year, a month, a day, a minute is none in FHIR, a second, a millisecond. */
  const dateTime = fc.tuple(day, zone, fc.constantFrom(4, 7, 10, 19, 23)).map(([days, of, length]) => {
    const local = new Date(around + days * 86_400_000 + (days % 24) * 3_600_000 + offset(of) * 3_600_000);
    const text = local.toISOString().slice(0, length);
    return length > 10 ? `${text}${of}` : text;
  });
  const start = (text: string) => Date.parse(text.length === 4 ? `${text}-01` : text);
  const effective: fc.Arbitrary<Effective> = fc.oneof(
    dateTime.map((effectiveDateTime) => ({ effectiveDateTime })),
    fc.tuple(dateTime, dateTime, fc.constantFrom('start', 'end', 'both')).map(([one, other, which]) => {
      const [from, to] = start(one) <= start(other) ? [one, other] : [other, one];
      return {
        effectivePeriod: { ...(which === 'end' ? {} : { start: from }), ...(which === 'start' ? {} : { end: to }) },
      };
    }),
    fc.array(dateTime, { minLength: 1, maxLength: 2 }).map((event) => ({ effectiveTiming: { event } })),
    dateTime.map((from) => ({ effectiveTiming: { repeat: { boundsPeriod: { start: from } } } })),
    fc.constant({}),
  );
  const usual: fc.Arbitrary<Effective> = dateTime.map((text) => ({
    effectiveDateTime: text.length === 4 ? `${text}-02` : text,
  }));
  const prefix = fc.constantFrom('', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap');
  const value = fc.tuple(prefix, dateTime).map(([before, text]) => `${before}${encodeURIComponent(text)}`);
  const criterion = fc.array(value, { minLength: 1, maxLength: 2 }).map((values) => `date=${values.join(',')}`);
  const query = fc.array(criterion, { minLength: 1, maxLength: 3 }).map((criteria) => criteria.join('&'));

  it.each([
    ['of instants, days and months, some of them moved', usual],
    ['of any kind, some of them moved', effective],
  ])(
    'finds what a look at every record finds: %s',
    async (_, kind) => {
      const patient = referenceTo(await newPatient());
      const drawn = fc.sample(kind, { numRuns: 60, seed: 5 });
      const ids: string[] = [];
      for (const [index, each] of drawn.entries()) {
        const { id } = await create(server, bodyWith(patient, each));
        ids.push(id);
        const later = drawn[(index * 7) % drawn.length] ?? {};
        const { status } =
          index % 3 === 0
            ? await server.put(`Observation/${id}`, { ...bodyWith(patient, later), id })
            : { status: 200 };
        expect(status).toBe(200);
      }

      await fc.assert(
        fc.asyncProperty(query, async (criteria) => {
          const looked = await found(`Observation?_id=${ids.join(',')}&${criteria}&_count=1000`);
          const between = await found(`Observation?patient=${patient}&${criteria}&_count=1000`);

          expect(between).toEqual(looked);
        }),
        { numRuns: 60, seed: 9 },
      );
    },
    60_000,
  );

  it('finds what a look at the record finds, whatever its kind, if it is alone in its chart', async () => {
    await fc.assert(
      fc.asyncProperty(effective, fc.option(effective), query, async (made, later, criteria) => {
        const patient = referenceTo(await newPatient());
        const { id } = await create(server, bodyWith(patient, made));
        if (later) await server.put(`Observation/${id}`, { ...bodyWith(patient, later), id });

        const looked = await found(`Observation?_id=${id}&${criteria}`);
        const between = await found(`Observation?patient=${patient}&${criteria}`);

        expect(between).toEqual(looked);
      }),
      { numRuns: 150, seed: 3 },
    );
  }, 60_000);

  it('pages through it newest first, and goes on if something lasting comes in between', async () => {
    const patient = referenceTo(await newPatient());
    const on = (effectiveDateTime: string) => create(server, observationBody(patient, { effectiveDateTime }));
    const made = [];
    for (const month of ['01', '02', '03', '04', '05']) made.push(referenceTo(await on(`2022-${month}-10`)));
    const query = `Observation?patient=${patient}&date=ge2022-02-01&date=lt2022-05-01&_count=1`;

    const first = (await server.get(query)).body;
    const old = await create(
      server,
      bodyWith(patient, { effectivePeriod: { start: '2021-01-01', end: '2022-12-31' } }),
    );
    const shown = [...resourcesIn(first)];
    for (let url = nextLinkOf(first); url !== undefined; ) {
      const { body } = await server.get(url);
      shown.push(...resourcesIn(body));
      url = nextLinkOf(body);
    }

    expect(shown.map(referenceTo)).toEqual([made[3], made[2], made[1], referenceTo(old)]);
  });

  it('reads of a large chart what begins there, in one turn, and all of it only for what lasts', async () => {
    const patient = await newPatient();
    await writeObservations(server.store, patient.id, 3_000);
    const query = `Observation?patient=${patient.id}&date=ge2000-01-01&date=lt2000-01-01T00:10Z`;
    const cost = async () => {
      server.calls.reset();
      await server.get(query);
      return [server.calls.sequential(), server.calls.readUnits];
    };

    const [turns, units = 0] = await cost();
    expect(turns).toBe(1);
    expect(units).toBeLessThanOrEqual(4);

    await create(server, bodyWith(referenceTo(patient), { effectivePeriod: { start: '1999-01-01' } }));
    const [turnsOfAll, unitsOfAll = 0] = await cost();
    expect(turnsOfAll).toBe(2);
    expect(unitsOfAll).toBeGreaterThan(100);
  });

  it('sees that the chart is linked', async () => {
    const patient = await newPatient();
    await create(server, observationBody(referenceTo(patient), { effectiveDateTime: '2022-03-10' }));
    const { client, tableName: TableName } = server.store;
    const { items, signed } = await pageBetween(patient.id);
    expect([items.length, signed]).toEqual([1, false]);

    await client.send(new PutCommand({ TableName, Item: linkSignKey(patient.id, 'Observation') }));

    expect(await pageBetween(patient.id)).toMatchObject({ signed: true });
  });

  it('has nothing left behind a page that was not bounded and ended before it', async () => {
    const patient = await newPatient();
    await create(server, observationBody(referenceTo(patient), { effectiveDateTime: '2022-03-10' }));
    server.calls.reset();

    const page = await pageBetween(patient.id, `Observation#${timeKey(server.store, Date.UTC(2021, 0, 1))}`);

    expect([page.items, page.next]).toEqual([[], undefined]);
    expect(server.calls.names).toEqual(['Query']); // for the signs
  });

  const pageBetween = (chart: string, after?: string) =>
    chartPage(server.store, chart, 'Observation', {
      after,
      between: [
        `Observation#${timeKey(server.store, Date.UTC(2022, 0, 1))}`,
        `Observation#${timeKey(server.store, Date.UTC(2023, 0, 1))}~`,
      ],
    });
});

describe('the newest ones first', () => {
  const day = (number: number) => `2022-03-${String(number).padStart(2, '0')}`;
  const on = (patient: string, number: number, elements: Partial<fhir4.Observation> = {}) =>
    create(server, observationBody(patient, { effectiveDateTime: day(number), ...elements }));
  const datesOf = async (path: string) => {
    const dates: unknown[] = [];
    for (let url: string | undefined = path; url !== undefined; ) {
      const { status, body } = await server.get(url);
      expect(status, JSON.stringify(body)).toBe(200);
      dates.push(...resourcesIn(body).map(({ effectiveDateTime }) => effectiveDateTime));
      url = nextLinkOf(body);
    }
    return dates;
  };

  it('are read in the order of the chart, moved ones too, and no others', async () => {
    const patient = referenceTo(await newPatient());
    for (const number of [5, 2, 7, 3]) await on(patient, number);
    const { id } = await on(patient, 1);
    await server.put(`Observation/${id}`, { ...observationBody(patient, { effectiveDateTime: day(6) }), id });

    const query = `Observation?patient=${patient}&_sort=-date`;
    const sorted = [7, 6, 5, 3, 2].map(day);
    for (const count of [1, 2, 50]) expect(await datesOf(`${query}&_count=${count}`)).toEqual(sorted);
    expect(await datesOf(`Observation?patient=${patient}&_sort=date`)).toEqual(sorted.toReversed());
  });

  it('cost what they do without an order, in a chart too large to be sorted', async () => {
    const patient = await newPatient();
    await writeObservations(server.store, patient.id, 10_100);
    server.calls.reset();

    const { body } = await server.get(`Observation?patient=${patient.id}&_sort=-date`);

    expect(resourcesIn(body)).toHaveLength(50);
    expect(server.calls.sequential()).toBe(1);
    expect(server.calls.readUnits).toBeLessThanOrEqual(300);
  }, 60_000);

  it.each([
    ['one without a date, which comes last', {}],
    ['a period without a start', { effectivePeriod: { end: '2022-02-20' } }],
    ['a schedule', { effectiveTiming: { event: ['2022-02-20'] } }],
  ])('are sorted where there is %s', async (_, effective) => {
    const patient = referenceTo(await newPatient());
    await on(patient, 2);
    await create(server, bodyWith(patient, effective));
    await on(patient, 3);

    for (const count of [1, 50]) {
      expect(await datesOf(`Observation?patient=${patient}&_sort=-date&_count=${count}`)).toEqual([
        day(3),
        day(2),
        undefined,
      ]);
    }
  });

  it('go on in the order in which they have begun', async () => {
    const patient = referenceTo(await newPatient());
    for (const number of [2, 3, 4]) await on(patient, number);
    const first = (await server.get(`Observation?patient=${patient}&_sort=-date&_count=1`)).body;
    await create(server, bodyWith(patient, {}));

    const rest = await datesOf(nextLinkOf(first) ?? '');

    expect(rest.filter((date) => date !== undefined)).toEqual([day(3), day(2)]);
  });
});
