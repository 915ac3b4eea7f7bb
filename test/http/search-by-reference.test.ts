import fc from 'fast-check';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { postEntry, statusesOf, transactionOf, urn, writtenIn } from '../support/bundles.ts';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import {
  allPages,
  create,
  elsewhere,
  encounterBody,
  entriesOf,
  issuesOf,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
  system,
} from '../support/records.ts';

// Any reference to a record of a patient leads to that patient's chart: what refers to it from elsewhere is mentioned there.

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let other: Stored<fhir4.Patient>;
let encounter: Stored<fhir4.Encounter>;
beforeAll(async () => {
  server = await fhirServer();
});
beforeEach(async () => {
  patient = await create(server, patientBody());
  other = await create(server, patientBody());
  encounter = await create(server, encounterBody(referenceTo(patient)));
});

const observe = (of: Stored<fhir4.Patient>, elements: Partial<fhir4.Observation> = {}) =>
  create(server, observationBody(referenceTo(of), { encounter: { reference: referenceTo(encounter) }, ...elements }));
const found = async (query: string): Promise<string[]> =>
  (await allPages(server, query, system))
    .flatMap(resourcesIn)
    .filter(({ resourceType }) => resourceType !== 'OperationOutcome')
    .map(referenceTo);
const spent = () => ({
  calls: [...server.calls.names].sort(),
  sequential: server.calls.sequential(),
  read: server.calls.readUnits,
});

describe('a search by reference to a record of a patient', () => {
  it('reads that patient’s chart alone, newest first', async () => {
    const records = [];
    for (const date of ['2021-01-02', '2021-01-01', '2021-01-03'])
      records.push(await observe(patient, { effectiveDateTime: date }));
    await create(server, observationBody(referenceTo(patient)));
    const [second, first, third] = records.map(referenceTo);
    server.calls.reset();

    const { body } = await server.get(`Observation?encounter=${referenceTo(encounter)}`);

    expect(spent()).toEqual({ calls: ['PutItem', 'Query'], sequential: 1, read: 1 });
    expect(resourcesIn(body).map(referenceTo)).toEqual([third, second, first]);
    expect(entriesOf(body)).toHaveLength(3); // and no warning that all charts were read
    for (const same of [
      encounter.id,
      `https://concord.test/fhir/${referenceTo(encounter)}`,
      `${referenceTo(encounter)}&code=8867-4&date=ge2021`,
    ]) {
      server.calls.reset();
      expect(await found(`Observation?encounter=${same}`)).toEqual([third, second, first]);
      expect(spent().calls).toEqual(['PutItem', 'Query']);
    }
  });

  it('finds what belongs to other patients, to nobody, and what never belongs to one', async () => {
    const theirs = await observe(other, { effectiveDateTime: '2021-01-02' });
    const own = await observe(patient, { effectiveDateTime: '2021-01-01' });
    const message = await create(server, {
      resourceType: 'Communication',
      status: 'completed',
      encounter: { reference: referenceTo(encounter) },
    });
    const group = await create(server, {
      resourceType: 'Group',
      type: 'person',
      actual: true,
      member: [patient, other].map((member) => ({ entity: { reference: referenceTo(member) } })),
    });
    server.calls.reset();

    expect(await found(`Observation?encounter=${referenceTo(encounter)}`)).toEqual([theirs, own].map(referenceTo));
    // The second trace is the log's of the other patient, whose record is shown.
    expect(spent()).toEqual({ calls: ['BatchGetItem', 'PutItem', 'PutItem', 'Query'], sequential: 3, read: 2 });
    expect(await found(`Communication?encounter=${referenceTo(encounter)}`)).toEqual([referenceTo(message)]);
    for (const member of [patient, other]) {
      expect(await found(`Group?member=${referenceTo(member)}`)).toEqual([referenceTo(group)]);
    }
  });

  it('follows a record that changes its reference, its date, or is deleted', async () => {
    const record = await observe(other, { effectiveDateTime: '2021-01-01' });
    const another = await create(server, encounterBody(referenceTo(patient)));
    const query = (to: Stored<fhir4.Encounter>) => found(`Observation?encounter=${referenceTo(to)}&_count=1`);

    await server.put(pathOf(record), { ...record, effectiveDateTime: '2022-01-01' });
    await observe(patient, { effectiveDateTime: '2021-06-01' });
    expect((await query(encounter))[0]).toBe(referenceTo(record));
    expect(await query(encounter)).toHaveLength(2);

    await server.put(pathOf(record), { ...record, encounter: { reference: referenceTo(another) } });
    expect(await query(encounter)).toHaveLength(1);
    expect(await query(another)).toEqual([referenceTo(record)]);

    const { encounter: _encounter, ...without } = record;
    await server.put(pathOf(record), without);
    expect(await query(another)).toEqual([]);

    await server.put(pathOf(record), record);
    expect(await query(encounter)).toHaveLength(2);
    await server.delete(pathOf(record));
    expect(await query(encounter)).toHaveLength(1);
  });

  it('finds each record once that refers to several that the search names, whatever the page’s size', async () => {
    const [mine, theirs] = [await observe(patient), await observe(other)];
    const targets = [mine, theirs].map((target) => ({ reference: referenceTo(target) }));
    const provenance = (target: fhir4.Reference[]) =>
      create(
        server,
        { resourceType: 'Provenance', recorded: '2021-01-01T00:00:00Z', agent: [{ who: { display: 'x' } }], target },
        system,
      );
    const records = [
      await provenance(targets),
      await provenance(targets.toReversed()),
      await provenance(targets.slice(1)),
    ];

    expect((await server.get(`Provenance?target=${referenceTo(mine)}`, { as: system })).text).not.toContain('No index');
    for (const size of [1, 2, 50]) {
      const both = await found(`Provenance?target=${referenceTo(mine)},${referenceTo(theirs)}&_count=${size}`);
      expect(both.sort()).toEqual(records.map(referenceTo).sort());
    }
  });

  it('leads from ids that clients chose, for one call more the first time', async () => {
    const chosen = `visit-${patient.id.slice(0, 8)}`;
    await server.put(`Encounter/${chosen}`, { ...encounterBody(referenceTo(patient)), id: chosen });
    const record = await create(
      server,
      observationBody(referenceTo(other), { encounter: { reference: `Encounter/${chosen}` } }),
    );

    server.calls.reset();
    expect(await found(`Observation?encounter=Encounter/${chosen}`)).toEqual([referenceTo(record)]);
    expect(spent().calls).toEqual(['BatchGetItem', 'PutItem', 'PutItem', 'Query']);
    expect(await found('Observation?encounter=Encounter/nobody-chose-this')).toEqual([]);
  });

  it('shows nothing to another organisation, and warns of no walk', async () => {
    await observe(patient);

    const { body } = await server.get(`Observation?encounter=${referenceTo(encounter)}`, { as: elsewhere });

    expect(body).toMatchObject({ total: 0 });
    expect(entriesOf(body)).toEqual([]);
  });

  it('walks where what is meant stands in no chart, or may', async () => {
    const warned = async (query: string) => JSON.stringify((await server.get(query)).body).includes('No index serves');

    expect(await warned('Observation?performer=Organization/northside')).toBe(true);
    expect(await warned('Observation?encounter:missing=true')).toBe(true);
    expect(await warned('CarePlan?instantiates-canonical=PlanDefinition/1')).toBe(true);
    expect(await warned('Observation?subject=chosen-by-a-client')).toBe(true); // a group's, a device's or a place's as well
    expect(await warned(`Observation?subject=${patient.id}`)).toBe(false); // an id of ours tells whose
    expect(await warned(`Observation?encounter=${referenceTo(encounter)}`)).toBe(false);
  });
});

describe('a mention', () => {
  it('shows its record in no other search of the chart, nor in $everything, nor in a count', async () => {
    const theirs = await observe(other);
    const own = await observe(patient);

    expect(await found(`Observation?patient=${patient.id}`)).toEqual([referenceTo(own)]);
    expect((await server.get(`Observation?patient=${patient.id}&_summary=count`)).body.total).toBe(1);
    expect((await server.get(`Observation?patient=${other.id}&_summary=count`)).body.total).toBe(1);
    expect(await found(`${pathOf(patient)}/$everything`)).not.toContain(referenceTo(theirs));
    const walked = (await found('Observation?_count=7')).filter((name) => name === referenceTo(theirs));
    expect(walked).toHaveLength(1);
  });

  it('keeps what it refers to from being deleted, and goes with it', async () => {
    const theirs = await observe(other);

    const refused = await server.delete(pathOf(encounter));
    expect(refused.status).toBe(409);
    expect(issuesOf(refused.body)[0]).toMatchObject({ reason: 'referenced' });

    await server.delete(pathOf(theirs));
    expect((await server.delete(pathOf(encounter))).status).toBe(204);
  });

  it('costs a row in the transaction, once, and nothing while the record keeps its reference', async () => {
    const written = async (of: Stored<fhir4.Patient>) => {
      server.calls.reset();
      const record = await observe(of);
      const created = { calls: server.calls.names.length, written: server.calls.writeUnits };
      server.calls.reset();
      await server.put(pathOf(record), record);
      return { created, updated: { calls: server.calls.names.length, written: server.calls.writeUnits } };
    };

    const [inside, outside] = [await written(patient), await written(other)];

    expect(outside.created).toEqual({ calls: 1, written: inside.created.written + 2 });
    expect(outside.updated).toEqual(inside.updated);
  });

  it('is written with a bundle that brings both charts, however large', async () => {
    for (const size of [3, 60]) {
      const [one, two, visit] = [urn(), urn(), urn()];
      const observations = Array.from({ length: size }, () =>
        postEntry(observationBody(two, { encounter: { reference: visit } })),
      );

      const { body } = await server.post(
        '',
        transactionOf(
          ...observations,
          postEntry(patientBody(), one),
          postEntry(patientBody(), two),
          postEntry(encounterBody(one), visit),
        ),
      );

      expect(new Set(statusesOf(body))).toEqual(new Set(['201']));
      const written = writtenIn(body);
      const mentioned = await found(`Observation?encounter=${written.at(-1)}&_count=25`);
      expect(mentioned.sort()).toEqual(written.slice(0, size).sort());
    }
  });
});

describe('records that refer to one another across charts', () => {
  const slots = [0, 1, undefined] as const;
  const message = fc.record({
    subject: fc.constantFrom(...slots),
    encounter: fc.constantFrom(...slots),
    recipients: fc.subarray([0, 1]),
    partOf: fc.option(fc.nat({ max: 5 }), { nil: undefined }),
  });
  type Message = typeof message extends fc.Arbitrary<infer T> ? T : never;
  const steps = fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.record({ do: fc.constant('create' as const), message, which: fc.constant(0) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('update' as const), message, which: fc.nat({ max: 99 }) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), message, which: fc.nat({ max: 99 }) }) },
    ),
    { minLength: 4, maxLength: 20 },
  );

  it('are found by each reference of theirs, and by no other', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (done) => {
        const patients = [await create(server, patientBody()), await create(server, patientBody())].map(referenceTo);
        const encounters: string[] = [];
        for (const subject of patients) encounters.push(referenceTo(await create(server, encounterBody(subject))));
        const records = new Map<string, fhir4.Communication>();
        const bodyOf = ({ subject, encounter: visit, recipients, partOf }: Message, self = ''): fhir4.Communication => {
          const others = [...records.keys()].filter((name) => name !== self);
          const parent = partOf === undefined ? undefined : others[partOf];
          const refer = (name: string | undefined) => (name === undefined ? undefined : { reference: name });
          return {
            resourceType: 'Communication',
            status: 'preparation',
            ...(subject === undefined ? {} : { subject: { reference: String(patients[subject]) } }),
            ...(visit === undefined ? {} : { encounter: { reference: String(encounters[visit]) } }),
            ...(recipients.length === 0
              ? {}
              : { recipient: recipients.map((at) => ({ reference: String(patients[at]) })) }),
            ...(parent === undefined ? {} : { partOf: [refer(parent) as fhir4.Reference] }),
          };
        };
        for (const step of done) {
          const name = [...records.keys()][step.which % Math.max(records.size, 1)];
          if (step.do === 'create') {
            const record = await create(server, bodyOf(step.message), system);
            records.set(referenceTo(record), record);
          } else if (name !== undefined && step.do === 'delete') {
            const referred = [...records.values()].some(({ partOf = [] }) => partOf[0]?.reference === name);
            expect((await server.delete(name, { as: system })).status).toBe(referred ? 409 : 204);
            if (!referred) records.delete(name);
          } else if (name !== undefined) {
            const { subject: _subject, ...rest } = bodyOf(step.message, name);
            const { subject, id } = records.get(name) as fhir4.Communication;
            const body = { ...rest, ...(subject ? { subject } : {}), id: String(id) };
            const { status, text } = await server.put(name, body, { as: system });
            expect(status, text).toBe(200);
            records.set(name, body);
          }
        }
        const matching = (meets: (record: fhir4.Communication) => boolean) =>
          [...records]
            .filter(([, record]) => meets(record))
            .map(([name]) => name)
            .sort();
        const names = (references: readonly fhir4.Reference[] | undefined, name: string) =>
          (references ?? []).some(({ reference }) => reference === name);
        for (const name of encounters) {
          const expected = matching((record) => names(record.encounter && [record.encounter], name));
          expect((await found(`Communication?encounter=${name}&_count=2`)).sort()).toEqual(expected);
        }
        for (const name of patients) {
          const expected = matching(({ recipient }) => names(recipient, name));
          expect((await found(`Communication?recipient=${name}&_count=2`)).sort()).toEqual(expected);
          const own = matching(({ subject }) => names(subject && [subject], name));
          expect((await found(`Communication?patient=${name}&_count=2`)).sort()).toEqual(own);
        }
        for (const name of records.keys()) {
          const expected = matching(({ partOf }) => names(partOf, name));
          expect((await found(`Communication?part-of=${name}&_count=2`)).sort()).toEqual(expected);
        }
        const both = matching(({ encounter: visit }) => visit !== undefined);
        expect((await found(`Communication?encounter=${encounters.join()}&_count=2`)).sort()).toEqual(both);
      }),
      { numRuns: 5 },
    );
  });
});
