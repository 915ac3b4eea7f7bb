import { PutCommand } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { recordTypes } from '../../shared/record-types/index.ts';
import { observation } from '../../shared/record-types/observation.ts';
import { chartPage } from '../../shared/store/chart-page.ts';
import { timeKey } from '../../shared/store/ids.ts';
import { lastingKey, lastOf, linkSignKey } from '../../shared/store/keys.ts';
import { lastingRow } from '../../shared/store/rows.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import { type ChartWorld, chartWorld } from '../bench/search-worlds.ts';
import { postEntry, transactionOf } from '../support/bundles.ts';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import { writeObservations } from '../support/large-chart.ts';
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
    ['a period of a day', { effectivePeriod: { start: '2024-05-01', end: '2024-05-01' } }],
    ['no date', {}],
  ];
  const lasting: readonly [string, Effective][] = [
    ['a year', { effectiveDateTime: '2024' }],
    ['a month', { effectiveDateTime: '2024-05' }],
    ['a period of two days', { effectivePeriod: { start: '2024-05-01', end: '2024-05-02' } }],
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
    await put({ effectivePeriod: { start: '2021-01-01', end: '2021-01-01' } });
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
  });

  it('shows what lasts first, then what has begun in it, newest first, in pages of any size', async () => {
    const patient = referenceTo(await newPatient());
    const on = async (effectiveDateTime: string) =>
      referenceTo(await create(server, observationBody(patient, { effectiveDateTime })));
    const lasting = async (start: string, end: string) =>
      referenceTo(await create(server, bodyWith(patient, { effectivePeriod: { start, end } })));
    const made = [];
    for (const month of ['01', '02', '03', '04', '05']) made.push(await on(`2022-${month}-10`));
    const old = [await lasting('2021-01-01', '2022-02-28'), await lasting('2021-02-01', '2022-12-31')];
    await lasting('2020-01-01', '2021-12-31');
    await lasting('2022-06-01', '2022-09-01');
    const within = await lasting('2022-03-20', '2022-05-31');

    for (const range of ['date=ge2022-02-01&date=lt2022-05-01', 'date=ge2022-02-01&date=le2022-05-09']) {
      for (const count of [1, 2, 50]) {
        const query = `Observation?patient=${patient}&${range}&_count=${count}`;
        const shown = (await allPages(server, query)).flatMap((page) => resourcesIn(page).map(referenceTo));
        expect(shown).toEqual([old[1], old[0], made[3], within, made[2], made[1]]);
      }
    }
  });

  it('shows what has moved to before the range and lasts into it on one page alone', async () => {
    const patient = await newPatient();
    const moved = await create(server, bodyWith(referenceTo(patient), { effectiveDateTime: '2024-05-20' }));
    const other = await create(server, bodyWith(referenceTo(patient), { effectiveDateTime: '2024-05-25' }));
    const body = bodyWith(referenceTo(patient), { effectivePeriod: { start: '2024-05-02', end: '2024-05-22' } });
    expect((await server.put(pathOf(moved), { ...body, id: moved.id })).status).toBe(200);

    for (const range of ['date=ge2024-05-15', 'date=ge2024-05-15&date=le2024-05-31']) {
      const pages = await allPages(server, `Observation?patient=${patient.id}&${range}&_count=1`);
      expect(pages.flatMap(resourcesIn).map(referenceTo).sort(), range).toEqual([moved, other].map(referenceTo).sort());
    }
  });

  it('finds what lasts by the end that its latest version has', async () => {
    const patient = referenceTo(await newPatient());
    const until = (end?: string): Effective => ({
      effectivePeriod: { start: '2020-01-01', ...(end === undefined ? {} : { end }) },
    });
    const { id } = await create(server, bodyWith(patient, until('2020-12-31')));
    const query = `Observation?patient=${patient}&date=ge2022-01-01&date=lt2022-02-01`;
    expect(await found(query)).toEqual([]);

    for (const [end, names] of [
      ['2022-01-01', [`Observation/${id}`]],
      ['2020-12-31', []],
      [undefined, [`Observation/${id}`]],
    ] as const) {
      await server.put(`Observation/${id}`, { ...bodyWith(patient, until(end)), id });
      expect(await found(query)).toEqual(names);
    }
  });

  it('pages through more than a hundred that last, and comes by the sign of a link behind them', async () => {
    const patient = await newPatient();
    const year = { effectiveDateTime: '2019' };
    const entries = Array.from({ length: 130 }, () => postEntry(bodyWith(referenceTo(patient), year)));
    expect((await server.post('', transactionOf(...entries))).status).toBe(200);
    const { client, tableName: TableName } = server.store;
    await client.send(new PutCommand({ TableName, Item: linkSignKey(patient.id, 'Observation') }));

    const query = `Observation?patient=${patient.id}&date=ge2019-06-01&date=lt2019-07-01`;
    for (const count of [1, 60, 200]) {
      const names = (await allPages(server, `${query}&_count=${count}`)).flatMap((page) =>
        resourcesIn(page).map(referenceTo),
      );
      expect(new Set(names).size).toBe(130);
      expect(names).toHaveLength(130);
    }
    const between = [`Observation#${timeKey(Date.UTC(2019, 5, 1))}`, `Observation#${timeKey(Date.UTC(2020, 0, 1))}~`];
    const page = await chartPage(server.store, patient.id, 'Observation', {
      between: [between[0] ?? '', between[1] ?? ''],
      limit: 1,
    });
    expect([page.signed, page.items.length]).toEqual([true, 100]);
  });

  it('reads the signs of what lasts to their end at once, however few records are wanted', async () => {
    const { id: chart } = await newPatient();
    const times = { begins: timeKey(Date.UTC(2019, 0, 1)), ends: timeKey(Date.UTC(2019, 11, 31)) };
    const signs = Array.from({ length: 450 }, () => {
      const place = server.store.ids.newPlace(Date.UTC(2019, 0, 1));
      return { ...lastingRow({ type: 'Observation', chart, place }, chart, times, false) };
    });
    await writeRows(server.store, [...signs, { ...linkSignKey(chart, 'Observation') }]);
    server.calls.reset();

    const between = [`Observation#${timeKey(Date.UTC(2019, 5, 1))}`, lastOf('Observation', 'records')] as const;
    const { signed } = await chartPage(server.store, chart, 'Observation', { between, limit: 1 });

    expect(signed).toBe(true);
    expect(server.calls.names).toEqual(['Query', 'Query', 'BatchGetItem']);
  });

  describe('in a large chart', () => {
    let world: ChartWorld;
    beforeAll(async () => {
      world = await chartWorld(3_000, 60); // one an hour, 125 days from 2000-01-01 on
    });
    const cost = async (query: string, path = `Observation?patient=${world.chart}`) => {
      const { calls } = world.server;
      calls.reset();
      const { body } = await world.server.get(`${path}${path.includes('?') ? '&' : '?'}${query}`);
      const { names, readUnits } = calls;
      return { entries: resourcesIn(body).length, reads: names.filter((name) => name !== 'PutItem'), readUnits };
    };
    const since = 'date=ge2000-04-20';
    const weekend = 'date=ge2000-04-29&date=lt2000-05-01';
    const oldest = 'date=ge2000-01-01&date=lt2000-01-03';

    it('reads what has begun since in one Query, and no more rows than a page of it needs', async () => {
      const { readUnits: ofAll, ...all } = await cost(`${since}&_count=1000`);
      expect(all).toEqual({ entries: 15 * 24, reads: ['Query'] });
      const { readUnits: ofOne, ...one } = await cost(`${since}&_count=1&_sort=-date`);
      expect(one).toEqual({ entries: 1, reads: ['Query'] });
      expect(ofAll).toBeLessThanOrEqual(25);
      expect(ofOne).toBeLessThanOrEqual(14);
    });

    it('reads a range among the newest 500 in one Query, with all that is behind it', async () => {
      const { readUnits, ...rest } = await cost(weekend);
      expect(rest).toEqual({ entries: 48, reads: ['Query'] });
      expect(readUnits).toBeLessThanOrEqual(30);
    });

    it.each([
      ['since a date', since],
      ['in a range', weekend],
    ])('reads no more of a compartment: %s', async (_, query) => {
      const few = `${query}&_count=1000`;
      expect(await cost(few, `Patient/${world.chart}/Observation`)).toEqual(await cost(few));
    });

    it('goes to an older range with a second Query', async () => {
      const { readUnits, ...rest } = await cost(oldest);
      expect(rest).toEqual({ entries: 48, reads: ['Query', 'Query'] });
      expect(readUnits).toBeLessThanOrEqual(34);
    });

    it('reads with one call more what lasts until then, and nothing else', async () => {
      const patient = `Patient/${world.chart}`;
      await create(world.server, bodyWith(patient, { effectivePeriod: { start: '1999-01-01' } }));
      await create(world.server, bodyWith(patient, { effectivePeriod: { start: '1998-01-01', end: '1999-01-01' } }));
      const { readUnits, ...rest } = await cost(oldest);
      expect(rest).toEqual({ entries: 49, reads: ['Query', 'Query', 'BatchGetItem'] });
      expect(readUnits).toBeLessThanOrEqual(35);
    });
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

  const pageBetween = (chart: string) =>
    chartPage(server.store, chart, 'Observation', {
      between: [`Observation#${timeKey(Date.UTC(2022, 0, 1))}`, `Observation#${timeKey(Date.UTC(2023, 0, 1))}~`],
    });
});

describe('a search between two times in the compartment of a patient', () => {
  const june = 'date=ge2022-06-01&date=lt2022-07-01';

  it('finds what the patient has done for others and for nobody, whenever that lasts until then', async () => {
    const [patient, other] = [await newPatient(), await newPatient()];
    const device = await create(server, { resourceType: 'Device', status: 'active' } as fhir4.Device);
    const performer = [{ reference: referenceTo(patient) }];
    const effectives: readonly Effective[] = [
      { effectiveDateTime: '2022-06-10' },
      { effectiveDateTime: '2022-05-10' },
      { effectivePeriod: { start: '2021-01-01' } },
      { effectivePeriod: { start: '2021-01-01', end: '2021-12-31' } },
      {},
    ];
    const names: string[] = [];
    for (const subject of [referenceTo(patient), referenceTo(other), referenceTo(device)]) {
      for (const [index, effective] of effectives.entries()) {
        const name = referenceTo(await create(server, { ...bodyWith(subject, effective), performer }));
        if (index % 2 === 0 && index < 4) names.push(name);
      }
    }

    expect(await found(`${pathOf(patient)}/Observation?${june}`)).toEqual(names.sort());
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
  });

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
