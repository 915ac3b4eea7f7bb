import { beforeAll, describe, expect, it } from 'vitest';
import { type FhirServer, fhirServer, type TestBody, type TestResponse } from '../support/fhir-server.ts';
import { create, entriesOf, patientBody, referenceTo, type Stored } from '../support/records.ts';

// con-3 is a rule of R4 that warns; dom-6, that a record should have a narrative, is a best practice, which $validate tells alone.

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
beforeAll(async () => {
  server = await fhirServer();
  patient = await create(server, patientBody());
});

/** A problem of which nobody says whether it is active. */
const problem = (elements: Partial<fhir4.Condition> = {}): fhir4.Condition => ({
  resourceType: 'Condition',
  subject: { reference: referenceTo(patient) },
  category: [
    {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-category', code: 'problem-list-item' }],
    },
  ],
  ...elements,
});

const inHeader = ({ headers }: TestResponse) => headers['x-fhir-request-validation'];
const warningsIn = (outcome: unknown) =>
  ((outcome as fhir4.OperationOutcome).issue ?? [])
    .filter(({ severity }) => severity === 'warning')
    .map(({ details, expression }) => [details?.text?.split(':')[0], expression?.[0]]);
const con3 = ['con-3', 'Condition'];

describe('a rule of R4 that only warns', () => {
  it('is told beside what is created, updated and patched', async () => {
    const created = await server.post('Condition', problem());
    const path = `Condition/${created.body.id}`;
    const updated = await server.put(path, problem({ id: created.body.id }));
    const patched = await server.request('PATCH', path, {
      body: [{ op: 'add', path: '/recordedDate', value: '2024-05-06' }],
      headers: { 'content-type': 'application/json-patch+json' },
    });

    for (const answer of [created, updated, patched])
      expect(warningsIn(JSON.parse(inHeader(answer) ?? '{}')), answer.text).toEqual([con3]);
    expect([created.status, updated.status, patched.status]).toEqual([201, 200, 200]);
  });

  it.each(['batch', 'transaction'])('is told in the outcome of its entry of a %s', async (type) => {
    const entry = [{ resource: problem(), request: { method: 'POST', url: 'Condition' } }];

    const { body } = await server.post('', { resourceType: 'Bundle', type, entry });

    const [{ response } = {} as TestBody] = entriesOf(body);
    expect(warningsIn(response?.outcome)).toEqual([con3]);
  });

  it('is told in the outcome, where that is wanted', async () => {
    const headers = { prefer: 'return=OperationOutcome' };

    const answer = await server.post('Condition', problem(), { headers });

    expect(warningsIn(answer.body)).toEqual([con3]);
    expect(inHeader(answer)).toBeUndefined();
  });

  it('is not there where the record keeps it, nor is the best practice told beside it', async () => {
    const clinicalStatus = {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }],
    };

    const answer = await server.post('Condition', problem({ clinicalStatus }));

    expect([answer.status, inHeader(answer)]).toEqual([201, undefined]);
    const asked = await server.post('Condition', problem({ clinicalStatus }), {
      headers: { prefer: 'return=OperationOutcome' },
    });
    expect(warningsIn(asked.body)).toEqual([]);
  });
});
