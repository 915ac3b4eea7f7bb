import { beforeAll, describe, expect, it } from 'vitest';
import { withinAnswer } from '../../shared/interactions/bundles/within-answer.ts';
import { type FhirServer, fhirServer, type TestResponse } from '../support/fhir-server.ts';
import { create, entriesOf, expressionsIn, issuesOf, patientBody } from '../support/records.ts';

const patientProfile = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient';

/** A patient who lacks only the identifier that US Core asks for. */
const claiming = (claim: string, elements: Partial<fhir4.Patient> = {}) =>
  patientBody({ meta: { profile: [claim] }, ...elements });
const bound = claiming(`${patientProfile}|6.1.0`);
const loose = claiming(patientProfile);

const identified = { identifier: [{ system: 'http://concord.test/number', value: '1' }] };

const warningsIn = ({ headers }: TestResponse): fhir4.OperationOutcome =>
  JSON.parse(headers['x-fhir-request-validation'] ?? '{}') as fhir4.OperationOutcome;

const bundle = (type: 'batch' | 'transaction', ...resources: fhir4.Patient[]): fhir4.Bundle => ({
  resourceType: 'Bundle',
  type,
  entry: resources.map((resource) => ({ resource, request: { method: 'POST', url: 'Patient' } })),
});

let server: FhirServer;
beforeAll(async () => {
  server = await fhirServer();
});

describe('a record that does not meet a profile that it claims with its version', () => {
  it('is not created', async () => {
    const { status, body } = await server.post('Patient', bound);

    expect(status).toBe(400);
    expect(expressionsIn(body)).toEqual(['Patient.identifier']);
    expect(issuesOf(body)).toMatchObject([{ code: 'required', reason: 'profile-not-met' }]);
  });

  it('is no next version, nor the first under an id of the client’s', async () => {
    const { id } = await create(server, patientBody());

    expect((await server.put(`Patient/${id}`, { ...bound, id })).status).toBe(400);
    expect((await server.put('Patient/own-choice', { ...bound, id: 'own-choice' })).status).toBe(400);
    expect((await server.get(`Patient/${id}`)).body.meta?.versionId).toBe('1');
    expect((await server.get('Patient/own-choice')).status).toBe(404);
  });

  it('is not what a patch makes of one that does', async () => {
    const { id } = await create(server, { ...bound, ...identified });
    const patch = [{ op: 'remove', path: '/identifier' }];
    const headers = { 'content-type': 'application/json-patch+json' };

    const { status, body } = await server.request('PATCH', `Patient/${id}`, { body: patch, headers });

    expect(status).toBe(400);
    expect(expressionsIn(body)).toEqual(['Patient.identifier']);
  });

  it('stops a transaction, which names the entry', async () => {
    const { status, body } = await server.post('', bundle('transaction', patientBody(), bound));

    expect(status).toBe(400);
    expect(expressionsIn(body)).toEqual(['Bundle.entry[1].resource.identifier']);
  });

  it('stops no other entry of a batch', async () => {
    const { body } = await server.post('', bundle('batch', bound, patientBody()));

    expect(entriesOf(body).map(({ response }) => response?.status)).toEqual(['400', '201 Created']);
  });

  it('is accepted once it meets it', async () => {
    const { status, headers } = await server.post('Patient', { ...bound, ...identified });

    expect(status).toBe(201);
    expect(headers).not.toHaveProperty('x-fhir-request-validation');
  });
});

describe('a record that does not meet a profile that it claims without a version', () => {
  it('is created with a warning beside the resource', async () => {
    const response = await server.post('Patient', loose);

    expect(response.status).toBe(201);
    expect(response.body).toMatchObject({ resourceType: 'Patient', meta: { profile: [patientProfile] } });
    expect(warningsIn(response)).toMatchObject({
      resourceType: 'OperationOutcome',
      issue: [{ severity: 'warning', code: 'required', expression: ['Patient.identifier'] }],
    });
  });

  it('is updated with a warning, also where no resource is wanted', async () => {
    const { id } = await create(server, patientBody());

    const response = await server.put(`Patient/${id}`, { ...loose, id }, { headers: { prefer: 'return=minimal' } });

    expect(response.status).toBe(200);
    expect(response.text).toBe('');
    expect(warningsIn(response).issue).toHaveLength(1);
  });

  it('has its warnings in the outcome, where that is wanted', async () => {
    const { headers, body } = await server.post('Patient', loose, { headers: { prefer: 'return=OperationOutcome' } });

    expect(issuesOf(body)).toMatchObject([
      { code: 'informational', text: 'Created' },
      { code: 'required', expression: 'Patient.identifier' },
    ]);
    expect(headers).not.toHaveProperty('x-fhir-request-validation');
  });

  it.each(['transaction', 'batch'] as const)('has its warnings in the outcome of its entry of a %s', async (type) => {
    const { status, body } = await server.post('', bundle(type, loose, patientBody()));

    expect(status).toBe(200);
    const [first, second] = entriesOf(body);
    expect(first).toMatchObject({
      response: {
        status: '201 Created',
        outcome: { issue: [{ severity: 'warning', expression: ['Patient.identifier'] }] },
      },
    });
    expect(second?.response).not.toHaveProperty('outcome');
  });

  it('is refused in strict handling', async () => {
    const headers = { prefer: 'handling=strict' };

    const one = await server.post('Patient', loose, { headers });
    const all = await server.post('', bundle('transaction', loose), { headers });

    expect([one.status, all.status]).toEqual([400, 400]);
    expect(expressionsIn(one.body)).toEqual(['Patient.identifier']);
  });
});

describe('a claim of what is not known', () => {
  it.each(['http://concord.test/profile', `${patientProfile}|3.1.1`])(
    '%s is warned of, whatever is preferred',
    async (claim) => {
      const response = await server.post('Patient', claiming(claim), { headers: { prefer: 'handling=strict' } });

      expect(response.status).toBe(201);
      expect(warningsIn(response)).toMatchObject({
        issue: [{ severity: 'warning', code: 'not-supported', expression: ['Patient.meta.profile[0]'] }],
      });
    },
  );
});

describe('warnings beside a resource', () => {
  it('are ten at most, and the rest is counted', async () => {
    const identifier = Array.from({ length: 12 }, () => ({ use: 'old' as const }));
    const language = { coding: [{ system: 'urn:ietf:bcp:47', code: 'en' }] };

    const response = await server.post(
      'Patient',
      claiming(patientProfile, { identifier, communication: [{ language }] }),
    );

    const { issue } = warningsIn(response);
    expect(issue.map(({ severity }) => severity)).toEqual([...Array<string>(10).fill('warning'), 'information']);
    expect(issue.at(-1)?.details?.text).toMatch(/^15 more notices/);
    expect(response.headers['x-fhir-request-validation']?.length).toBeLessThan(8_000);
    expect(response.headers['x-fhir-request-validation']).toMatch(/^[ -~]+$/);
  });

  it('are left out of a bundle’s answer that they would make too large, and what was written stays told', () => {
    const outcome: fhir4.OperationOutcome = {
      resourceType: 'OperationOutcome',
      issue: [{ severity: 'warning', code: 'value', diagnostics: 'w'.repeat(2_000_000) }],
    };
    const written = (id: number): fhir4.BundleEntry => ({
      response: { status: '201 Created', location: `Patient/${id}/_history/1`, outcome },
    });
    const refused: fhir4.BundleEntry = { response: { status: '400', outcome } };

    const entries = withinAnswer([written(1), written(2), written(3), refused], 'request-1');

    expect(entries.map(({ response }) => [response?.status, response?.outcome !== undefined])).toEqual([
      ['201 Created', true],
      ['201 Created', true],
      ['201 Created', false],
      ['400', true],
    ]);
    expect(entries[2]?.response?.location).toBe('Patient/3/_history/1');
  });
});
