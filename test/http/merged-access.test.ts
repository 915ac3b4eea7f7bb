import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, physician, type TestBody } from '../support/fhir-server.ts';
import {
  allPages,
  create,
  issuesOf,
  matchesIn,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  type Stored,
} from '../support/records.ts';

// What a merge of two records of one person opens, and what it does not. It may be wrong: what it opens is shut again by its undoing, and what somebody has closed stays closed.

let server: FhirServer;
let kept: Stored<fhir4.Patient>;
let other: Stored<fhir4.Patient>;
let mine: Stored<fhir4.Observation>;
let theirs: Stored<fhir4.Observation>;

beforeAll(async () => {
  server = await fhirServer();
});
beforeEach(async () => {
  [kept, other] = [await create(server, patientBody()), await create(server, patientBody())];
  [mine, theirs] = [
    await create(server, observationBody(referenceTo(kept))),
    await create(server, observationBody(referenceTo(other))),
  ];
});

const patientOf = ({ id }: { id: string }): TestCaller => ({ role: 'patient', patient: id, scope: 'patient/*.cruds' });
const ask = (operation: '$merge' | '$unmerge') =>
  server.post(`${pathOf(kept)}/${operation}`, {
    resourceType: 'Parameters',
    parameter: [{ name: 'source', valueReference: { reference: referenceTo(other) } }],
  });
const merge = () => ask('$merge');
const found = async (path: string, as: TestCaller): Promise<string[]> =>
  (await allPages(server, path, as)).flatMap(matchesIn).map(referenceTo).sort();
const statuses = (paths: readonly string[], as: TestCaller) =>
  Promise.all(paths.map(async (path) => (await server.get(path, { as })).status));
/** Each door that names a record. */
const doorsOf = (record: Parameters<typeof pathOf>[0]) =>
  ['', '/_history', '/_history/1', '/$meta'].map((door) => `${pathOf(record)}${door}`);
const all = (status: number) => doorsOf(mine).map(() => status);

describe('a patient whose records are merged', () => {
  it('reads both charts by every door, whichever the token names, until that is undone', async () => {
    const both = [mine, theirs].map(referenceTo).sort();
    const doors = async (as: TestCaller, foreign: Stored<fhir4.Patient>, record: Stored<fhir4.Observation>) => ({
      read: [...(await statuses(doorsOf(record), as)), ...(await statuses(doorsOf(foreign), as))],
      found: await found('Observation', as),
      byPatient: await found(`Observation?patient=${foreign.id}`, as),
      everything: (await found(`${pathOf(foreign)}/$everything`, as)).filter((name) => name.startsWith('Observation')),
      own: (await found('Patient/$everything', as)).filter((name) => name.startsWith('Observation')),
    });
    await merge();
    for (const [as, foreign, record] of [
      [patientOf(kept), other, theirs],
      [patientOf(other), kept, mine],
    ] as const) {
      expect(await doors(as, foreign, record)).toEqual({
        read: [...all(200), ...all(200)],
        found: both,
        byPatient: both,
        everything: both,
        own: both,
      });
    }

    await ask('$unmerge');

    const shut = {
      read: [...all(404), ...all(404)],
      byPatient: [],
      found: [referenceTo(mine)],
      own: [referenceTo(mine)],
    };
    const as = patientOf(kept);
    expect([...(await statuses(doorsOf(theirs), as)), ...(await statuses(doorsOf(other), as))]).toEqual(shut.read);
    expect(await found(`Observation?patient=${other.id}`, as)).toEqual(shut.byPatient);
    expect(await found('Observation', as)).toEqual(shut.found);
    expect((await server.get(`${pathOf(other)}/$everything`, { as })).status).toBe(404);
  });

  it('writes in the chart that the token names alone', async () => {
    await merge();
    const as = patientOf(kept);
    const consent = (subject: Stored<fhir4.Patient>): fhir4.Consent => ({
      resourceType: 'Consent',
      status: 'active',
      scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
      category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
      patient: { reference: referenceTo(subject) },
      performer: [{ reference: referenceTo(kept) }],
      policyRule: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTOUT' }] },
    });
    const given = await create(server, consent(other));

    const created = await server.post('Consent', consent(other), { as });
    const ended = await server.put(pathOf(given), { ...given, status: 'inactive' } as unknown as TestBody, { as });

    expect([created.status, ended.status, issuesOf(ended.body)[0]?.reason]).toEqual([400, 403, 'forbidden-custodian']);
    expect((await server.post('Consent', consent(kept), { as })).status).toBe(201);
  });

  it('is not shown what is withheld in the other chart', async () => {
    await merge();
    await server.post(`${pathOf(theirs)}/$withhold`, {
      resourceType: 'Parameters',
      parameter: [
        { name: 'ground', valueCode: 'danger' },
        { name: 'reason', valueString: 'Confided plans that the finding would set off' },
        { name: 'reviewer', valueReference: { display: 'The medical director' } },
      ],
    });
    const as = patientOf(kept);

    expect((await server.get(pathOf(theirs), { as })).status).toBe(403);
    expect(await found('Observation', as)).toEqual([referenceTo(mine)]);
  });

  it('sees in the log of each chart who looked, and the other one is told that the patient did', async () => {
    await merge();
    const as = patientOf(kept);
    await server.get(pathOf(theirs), { as });

    const log = (await server.get(`AuditEvent?patient=${other.id}`, { as })).text;
    expect(log).toContain(`Patient/${kept.id}`);
    expect(log).toContain(`${referenceTo(theirs)}`);
    expect((await server.get(`${pathOf(other)}/$disclosures`, { as })).status).toBe(200);
    await ask('$unmerge');
    expect(await found(`AuditEvent?patient=${other.id}`, as)).toEqual([]);
    expect((await server.get(`${pathOf(other)}/$disclosures`, { as })).status).toBe(404);
  });

  it('is known by a merge alone: a link that a client wrote opens nothing', async () => {
    const link = [{ other: { reference: referenceTo(other) }, type: 'replaces' as const }];
    await server.put(pathOf(kept), { ...kept, link } as unknown as TestBody);

    expect(await statuses(doorsOf(theirs), patientOf(kept))).toEqual(all(404));
  });

  it('costs who was never merged nothing: one call and the trace for the own record, one for a search', async () => {
    const as = patientOf(kept);
    server.calls.reset();
    await server.get(pathOf(mine), { as });
    const read = [...server.calls.names].sort();
    server.calls.reset();
    await server.get('Observation', { as });

    expect(read).toEqual(['GetItem', 'PutItem']);
    expect([...server.calls.names].sort()).toEqual(['PutItem', 'Query']);
  });
});

describe('who acts for a patient', () => {
  let child: Stored<fhir4.Patient>;
  let second: Stored<fhir4.Patient>;
  let parent: TestCaller;
  const parameters = (parameter: fhir4.ParametersParameter[]): fhir4.Parameters => ({
    resourceType: 'Parameters',
    parameter,
  });
  const mergeBoth = async (operation = '$merge') => {
    const source = parameters([{ name: 'source', valueReference: { reference: referenceTo(second) } }]);
    expect((await server.post(`${pathOf(child)}/${operation}`, source, { as: physician })).status).toBe(200);
  };
  beforeEach(async () => {
    const born = patientBody({ birthDate: `${new Date().getUTCFullYear() - 14}-01-02` });
    [child, second] = [await create(server, born), await create(server, born)];
    const relative = await create(server, {
      resourceType: 'RelatedPerson',
      patient: { reference: referenceTo(child) },
    } as fhir4.RelatedPerson);
    const granted = parameters([
      { name: 'proxy', valueReference: { reference: referenceTo(relative) } },
      { name: 'basis', valueCode: 'parent' },
      { name: 'evidence', valueString: 'Birth certificate, seen by the front desk' },
    ]);
    await server.post(`${pathOf(child)}/$grant-proxy`, granted, { as: { role: 'frontdesk' } });
    parent = { role: 'patient', patient: child.id, claims: { fhirUser: referenceTo(relative) } };
    expect((await server.get(pathOf(child), { as: parent })).status).toBe(200);
  });

  it('does so in the chart of the grant alone, also once that is merged', async () => {
    const hidden = await create(server, observationBody(referenceTo(second)));
    await mergeBoth();

    expect((await server.get(pathOf(child), { as: parent })).status).toBe(200);
    expect(await statuses(doorsOf(hidden), parent)).toEqual(all(404));
    expect(await found('Observation', parent)).toEqual([]);
  });

  it('does so no more where the other chart says that the patient decides alone, until that merge is undone', async () => {
    const evidence = parameters([{ name: 'evidence', valueString: 'Order of the family court, seen' }]);
    await server.post(`${pathOf(second)}/$emancipate`, evidence, { as: { role: 'frontdesk' } });
    const seen = async () => (await server.get(pathOf(child), { as: parent })).status;
    expect(await seen()).toBe(200);

    await mergeBoth();
    expect(await seen()).toBe(403);
    await mergeBoth('$unmerge');
    expect(await seen()).toBe(200);
  });

  it('does not see what refers to what is the patient’s own in the other chart', async () => {
    const confidential = { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'ADOL' };
    const own = await create(server, observationBody(referenceTo(second), { meta: { security: [confidential] } }));
    const derived = await create(
      server,
      observationBody(referenceTo(child), { derivedFrom: [{ reference: referenceTo(own) }] }),
    );
    expect((await server.get(pathOf(derived), { as: parent })).status).toBe(200);

    await mergeBoth();

    expect(await statuses(doorsOf(derived), parent)).toEqual(all(404));
  });
});
