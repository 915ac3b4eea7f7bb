import { MedplumClient, OperationOutcomeError } from '@medplum/core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Concord } from '../../infra/local/concord.ts';
import { sharedConcord } from '../support/concord.ts';
import { identifierSystem, numberedPatient, observationBody, patientBody } from '../support/records.ts';

// A client with ways of its own: it sends X-Medplum, prefers FHIR but accepts anything, writes its searches anew from page to page.

type Saved = fhir4.Patient & { id: string; meta: { versionId: string } };

let concord: Concord;
let client: MedplumClient;
let stranger: MedplumClient;
let patient: Saved;
const observations: string[] = [];

/** The client brings types of FHIR of its own; what it answers is asserted below. */
const sent = (resource: object) => resource as never;
const answered = async <T>(answer: PromiseLike<unknown>): Promise<T> => (await answer) as T;

const clientOf = async (
  user: string,
  options: { readonly autoBatchTime?: number; readonly fetch?: typeof fetch } = {},
) =>
  new MedplumClient({
    baseUrl: concord.url,
    fhirUrlPath: '.',
    accessToken: await concord.token(user),
    cacheTime: 0,
    fetch,
    ...options,
  });

beforeAll(async () => {
  concord = await sharedConcord();
  client = await clientOf('physician@northside.example');
  stranger = await clientOf('physician@lakeside.example');
  patient = await answered<Saved>(client.createResource(sent(patientBody({ name: [{ family: 'Medplumclient' }] }))));
  for (let day = 1; day <= 7; day++) {
    const body = observationBody(`Patient/${patient.id}`, { effectiveDateTime: `2024-05-0${day}` });
    observations.unshift((await answered<{ id: string }>(client.createResource(sent(body)))).id);
  }
});

const outcomeOf = (request: PromiseLike<unknown>): Promise<fhir4.OperationOutcome> =>
  Promise.resolve(request).then(
    () => {
      throw new Error('This should have been refused');
    },
    (error: unknown) => {
      if (!(error instanceof OperationOutcomeError)) throw error;
      return error.outcome as fhir4.OperationOutcome;
    },
  );

const idsOf = (resources: readonly { id?: string | undefined }[]) => resources.map(({ id }) => id);

describe('MedplumClient', () => {
  it('goes through the pages of a search, with a page size of its own or without', async () => {
    for (const [query, lengths] of [
      [{ patient: patient.id, _count: '3' }, [3, 3, 1]],
      [{ patient: patient.id }, [7]],
    ] as const) {
      const pages: fhir4.Resource[][] = [];
      for await (const page of client.searchResourcePages('Observation', { ...query }))
        pages.push(page as fhir4.Resource[]);

      expect(pages.map(({ length }) => length)).toEqual(lengths);
      expect(idsOf(pages.flat())).toEqual(observations);
    }
  });

  it('goes through pages that the server ended before they were full, though it asks for 1,000 each time', async () => {
    const made = await answered<Saved>(client.createResource(sent(patientBody())));
    // A page ends at 4.5 MB, so of three of these only two are on one.
    const note = [{ text: 'x'.repeat(900_000) }, { text: 'x'.repeat(900_000) }];
    for (let number = 0; number < 3; number++)
      await client.createResource(sent(observationBody(`Patient/${made.id}`, { note })));

    const lengths: number[] = [];
    for await (const page of client.searchResourcePages('Observation', { patient: made.id })) lengths.push(page.length);

    expect(lengths).toEqual([2, 1]);
  });

  it('searches for bundles, resources and one resource', async () => {
    const query = `patient=${patient.id}&_sort=date`;
    const oldestFirst = observations.toReversed();

    const bundle = await answered<fhir4.Bundle>(client.search('Observation', query));
    const resources = await answered<{ id: string }[]>(client.searchResources('Observation', query));
    const one = await answered<{ id: string }>(client.searchOne('Observation', query));
    const none = await answered<undefined>(client.searchOne('Observation', `${query}&status=cancelled`));

    expect(bundle.type).toBe('searchset');
    expect(bundle.total).toBe(7);
    expect(idsOf((bundle.entry ?? []).map(({ resource }) => resource as { id: string }))).toEqual(oldestFirst);
    expect(idsOf(resources)).toEqual(oldestFirst);
    expect(one.id).toBe(oldestFirst[0]);
    expect(none).toBeUndefined();
  });

  it('finds by chains and by what refers to it, and gets what is included', async () => {
    const query = { 'subject:Patient.family': 'Medplumclient', patient: patient.id, _include: 'Observation:subject' };
    const referredTo = `family=Medplumclient&_has:Observation:patient:code=http://loinc.org|8867-4`;

    const chained = await answered<{ id: string }[]>(client.searchResources('Observation', query));
    const one = await answered<Saved>(client.searchOne('Patient', referredTo));
    const reverse = await answered<fhir4.Bundle>(
      client.search('Patient', `${referredTo}&_revinclude=Observation:patient`),
    );

    expect(idsOf(chained)).toEqual([...observations, patient.id]);
    expect(one).toEqual(patient);
    expect(reverse.entry?.map(({ search }) => search?.mode)).toEqual(['match', ...observations.map(() => 'include')]);
  });

  it('searches by POST', async () => {
    const url = client.fhirUrl('Observation', '_search');
    const form = `patient=${patient.id}&_count=2`;

    const bundle = await answered<fhir4.Bundle>(client.post(url, form, 'application/x-www-form-urlencoded'));

    expect(idsOf((bundle.entry ?? []).map(({ resource }) => resource as { id: string }))).toEqual(
      observations.slice(0, 2),
    );
  });

  it('creates, reads, updates with If-Match, deletes, reads versions and history', async () => {
    const created = await answered<Saved>(client.createResource(sent(patientBody())));
    const { id } = created;
    const ifMatch = { headers: { 'If-Match': 'W/"1"' } };

    const read = await answered<Saved>(client.readResource('Patient', id));
    const updated = await answered<Saved>(client.updateResource(sent({ ...created, gender: 'male' }), ifMatch));
    const conflict = await outcomeOf(client.updateResource(sent({ ...created, gender: 'other' }), ifMatch));
    await client.deleteResource('Patient', id);
    const gone = await outcomeOf(client.readResource('Patient', id));
    const version = await answered<Saved>(client.readVersion('Patient', id, '1'));
    const history = await answered<fhir4.Bundle>(client.readHistory('Patient', id));

    expect(read).toEqual(created);
    expect(updated).toMatchObject({ gender: 'male', meta: { versionId: '2' } });
    expect(conflict.issue[0]).toMatchObject({ severity: 'error', code: 'conflict' });
    expect(gone.issue[0]).toMatchObject({ severity: 'error', code: 'deleted' });
    expect(version).toEqual(created);
    expect(history.entry?.map(({ request }) => request?.method)).toEqual(['DELETE', 'PUT', 'POST']);
  });

  it('creates a resource if there is none', async () => {
    const body = sent(numberedPatient('medplum-once'));
    const condition = `identifier=${identifierSystem}|medplum-once`;

    const first = await answered<Saved>(client.createResourceIfNoneExist(body, condition));
    const again = await answered<Saved>(client.createResourceIfNoneExist(body, condition));

    expect(again).toEqual(first);
  });

  it('updates what a condition finds, and creates it where there is none', async () => {
    const condition = `identifier=${identifierSystem}|medplum-upsert`;
    const upsert = (gender: string) =>
      answered<Saved>(client.upsertResource(sent({ ...numberedPatient('medplum-upsert'), gender }), condition));

    const created = await upsert('female');
    const updated = await upsert('male');

    expect(created.meta.versionId).toBe('1');
    expect(updated).toMatchObject({ id: created.id, gender: 'male', meta: { versionId: '2' } });
  });

  it('collects what it reads at one moment into a batch, of which one part may fail', async () => {
    const sentTo: string[] = [];
    const counted: typeof fetch = (url, init) => {
      sentTo.push(`${init?.method} ${url instanceof Request ? url.url : url.toString()}`);
      return fetch(url, init);
    };
    const batching = await clientOf('physician@northside.example', { autoBatchTime: 10, fetch: counted });

    const [read, found, missing] = await Promise.all([
      answered<Saved>(batching.readResource('Patient', patient.id)),
      answered<fhir4.Bundle>(batching.search('Observation', `patient=${patient.id}&_count=2`)),
      outcomeOf(batching.readResource('Patient', 'nobody')),
    ]);

    expect(sentTo).toEqual([`POST ${concord.url}/`]);
    expect(read).toEqual(patient);
    expect(found.entry).toHaveLength(2);
    expect(missing.issue[0]?.code).toBe('not-found');
  });

  it('executes bundles', async () => {
    const fullUrl = 'urn:uuid:5b7c1b4e-4a55-4a5c-9a83-0c8d5b1f6f12';
    const entry = [
      { fullUrl, resource: patientBody(), request: { method: 'POST', url: 'Patient' } },
      { resource: observationBody(fullUrl), request: { method: 'POST', url: 'Observation' } },
    ];

    const answer = await answered<fhir4.Bundle>(
      client.executeBatch(sent({ resourceType: 'Bundle', type: 'transaction', entry })),
    );

    expect(answer.entry?.map(({ response }) => response?.status)).toEqual(['201 Created', '201 Created']);
  });

  it('patches, on the version that it has', async () => {
    const { id } = await answered<Saved>(client.createResource(sent(patientBody())));
    const patch = [
      { op: 'test' as const, path: '/meta/versionId', value: '1' },
      { op: 'replace' as const, path: '/gender', value: 'other' },
    ];

    const patched = await answered<Saved>(client.patchResource('Patient', id, patch));
    const late = await outcomeOf(client.patchResource('Patient', id, patch));

    expect(patched).toMatchObject({ gender: 'other', meta: { versionId: '2' } });
    expect(late.issue[0]).toMatchObject({ severity: 'error', expression: ['[0].value'] });
  });

  it('uploads a Binary under its security context, and downloads it', async () => {
    const data = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0, 255]);
    const securityContext = { reference: `Patient/${patient.id}` };

    const binary = await answered<fhir4.Binary & { id: string }>(
      client.createBinary({ data, contentType: 'image/png', filename: 'scan.png', securityContext }),
    );
    const content = await client.download(client.fhirUrl('Binary', binary.id));
    const resource = await answered<fhir4.Binary>(client.readResource('Binary', binary.id));
    const hidden = await outcomeOf(stranger.readResource('Binary', binary.id));

    expect(binary).toMatchObject({ contentType: 'image/png', securityContext });
    expect(content.type).toBe('image/png');
    expect(new Uint8Array(await content.arrayBuffer())).toEqual(data);
    expect(Buffer.from(resource.data ?? '', 'base64').equals(data)).toBe(true);
    expect(hidden.issue[0]).toMatchObject({ code: 'not-found' });
  });

  it('has the outcome of a refusal in its error, which names what was wrong', async () => {
    const badSearch = await outcomeOf(client.search('Patient', 'birthdate=soon'));
    const badBody = await outcomeOf(client.createResource(sent({ resourceType: 'Patient', gender: 'unheard-of' })));
    const missing = await outcomeOf(stranger.readResource('Patient', patient.id));

    expect(badSearch.issue[0]).toMatchObject({ severity: 'error', expression: ['birthdate'] });
    expect(badBody.issue[0]).toMatchObject({ severity: 'error', expression: ['Patient.gender'] });
    expect(missing.issue[0]).toMatchObject({ severity: 'error', code: 'not-found' });
    expect(
      idsOf(await answered<{ id: string }[]>(stranger.searchResources('Patient', 'family=Medplumclient'))),
    ).toEqual([]);
  });

  it('reads the whole chart of a patient', async () => {
    const bundle = await answered<fhir4.Bundle>(client.readPatientEverything(patient.id));

    expect(bundle.entry?.map(({ resource }) => resource?.id).sort()).toEqual([patient.id, ...observations].sort());
  });
});
