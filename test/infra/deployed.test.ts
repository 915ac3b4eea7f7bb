import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type AwsServices, startAwsServices } from '../../infra/local/aws-services.ts';
import { dummyCredentials } from '../../infra/local/dummy-credentials.ts';
import { openEventBus } from '../../infra/local/event-bus.ts';
import { openKeyService } from '../../infra/local/key-service.ts';
import { batchOf, getEntry, postEntry, putEntry, transactionOf } from '../support/bundles.ts';
import { accessToken, testConfig } from '../support/callers.ts';
import { type DeployedFunctions, deployedFunctions } from '../support/deployed-functions.ts';
import { type LocalBucket, localBucket, localTable } from '../support/dynamodb.ts';
import { passedTo, streamOf } from '../support/feed.ts';
import { proxyEvent } from '../support/fhir-server.ts';
import { insertEvent } from '../support/stream-events.ts';
import { filteredBy, subscriptionBody } from '../support/subscriptions.ts';

const script = path.resolve(import.meta.dirname, '../support/deployed/call-function.ts');

const busName = 'concord';

let folderOf: DeployedFunctions['folderOf'];
let environment: Record<string, string>;
let authorization: string;
let objectKeys: () => Promise<string[]>;
let tagObject: LocalBucket['tag'];
let streamed: Awaited<ReturnType<typeof streamOf>>;
let services: AwsServices;
afterAll(() => services.stop());
beforeAll(async () => {
  ({ folderOf } = await deployedFunctions());
  const { endpoint, tableName } = await localTable();
  streamed = await streamOf({ endpoint, tableName });
  const bucket = await localBucket();
  const { pools, jwks = '' } = await testConfig(tableName);
  const file = path.join(inject('folderOfRun'), 'events-of-deployed.jsonl');
  const keys = openKeyService({ digests: `${file}.digest-key`, secrets: `${file}.secrets-key` });
  services = await startAwsServices([
    openEventBus({ name: busName, region: dummyCredentials.AWS_REGION, file }).service,
    keys.service,
  ]);
  objectKeys = bucket.keys;
  tagObject = bucket.tag;
  environment = {
    ...dummyCredentials,
    AWS_ENDPOINT_URL_DYNAMODB: endpoint,
    AWS_ENDPOINT_URL_S3: bucket.endpoint,
    TABLE_NAME: tableName,
    BUCKET_NAME: bucket.bucket,
    DIGEST_BUCKET_NAME: 'concord-digests', // the table takes what it is given here
    STAFF_POOL_ID: pools.staff,
    PATIENT_POOL_ID: pools.patients,
    USER_POOL_JWKS: jwks,
    AWS_ENDPOINT_URL_EVENTBRIDGE: services.endpoint,
    AWS_ENDPOINT_URL_KMS: services.endpoint,
    SECRETS_KEY_ID: keys.secretsKeyId,
    EVENT_BUS_NAME: busName,
    WAKE_QUEUE_URL: 'https://sqs.invalid/concord-wakes', // nobody subscribes here
  };
  authorization = `Bearer ${await accessToken({ role: 'system' })}`;
});

const eventOf = (method: string, url: string, body?: unknown, headers: Record<string, string> = {}) =>
  proxyEvent(method, url, { authorization, 'content-type': 'application/fhir+json', ...headers }, body);

interface Answer extends APIGatewayProxyResult {
  /** Files of code beside the function's own that were compiled for it. */
  readonly compiled: readonly string[];
}

/** What a function answers in a process of its own, which knows nothing but what Lambda tells a function. */
const calledWith = async (entry: string, events: readonly object[]): Promise<unknown> => {
  const child = spawn(process.execPath, [script, path.join(folderOf(entry), 'index.js')], { env: environment });
  child.stdin.end(JSON.stringify(events));
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  const last = output.trimEnd().split('\n').at(-1) ?? '';
  if (child.exitCode !== 0) throw new Error(`${entry} ended with ${child.exitCode}: ${errors}`);
  return JSON.parse(last) as unknown;
};

/** Statuses and resources that a function of the API answers with. */
const answersOf = async (entry: string, ...events: readonly APIGatewayProxyEvent[]) => {
  const answers = (await calledWith(entry, events)) as Answer[];
  return answers.map(({ statusCode, body, compiled }) => ({
    statusCode,
    compiled,
    resource: (body === '' ? undefined : JSON.parse(body)) as fhir4.FhirResource | undefined,
  }));
};

const statuses = (answers: Awaited<ReturnType<typeof answersOf>>) => answers.map(({ statusCode }) => statusCode);

// What is left out of a bundle, or packed, must not be missed by a request.
describe('a function as it is deployed', () => {
  it('files changes, and shows the history of a type and of all', async () => {
    const patient: fhir4.Patient = { resourceType: 'Patient', id: 'eva', name: [{ family: 'Rivera' }] };
    await answersOf(
      'functions/records/patient.ts',
      eventOf('PUT', 'Patient/eva', patient),
      eventOf('DELETE', 'Patient/eva'),
    );
    const beat = { pk: 'F~0', sk: 'beat', to: Date.now() };

    const reports = await calledWith('functions/publish-changes.ts', [
      { Records: passedTo('publish-changes', [...(await streamed()), ...insertEvent([beat]).Records]) },
    ]);
    const answers = await answersOf(
      'functions/history.ts',
      eventOf('GET', 'Patient/_history'),
      eventOf('GET', '_history?_since=2026'),
    );

    expect(reports).toMatchObject([{ batchItemFailures: [] }]);
    for (const { statusCode, compiled, resource } of answers) {
      const { entry = [] } = resource as fhir4.Bundle;
      const methods = entry.filter(({ fullUrl }) => fullUrl?.endsWith('/eva')).map(({ request }) => request?.method);
      expect([statusCode, compiled, methods]).toEqual([200, [], ['DELETE', 'PUT']]);
    }
  });

  it.each(['retry-parked', 'reconcile-feed'])('runs %s, which finds nothing to do', async (name) => {
    expect(await calledWith(`functions/${name}.ts`, [{}])).toEqual([{ compiled: [] }]);
  });

  it('creates, reads, searches, updates and deletes', async () => {
    const patient: fhir4.Patient = { resourceType: 'Patient', id: 'ana', name: [{ family: 'Rivera' }] };

    const answers = await answersOf(
      'functions/records/patient.ts',
      eventOf('PUT', 'Patient/ana', patient),
      eventOf('GET', 'Patient/ana'),
      eventOf('GET', 'Patient?name=rivera'),
      eventOf('PUT', 'Patient/ana', { ...patient, gender: 'female' }, { 'if-match': 'W/"1"' }),
      eventOf('PUT', 'Patient/ana', { ...patient, gender: 'male' }, { 'if-match': 'W/"1"' }),
      eventOf('GET', 'Patient/ana/_history/1'),
      eventOf('GET', 'Patient/ana/_history'),
      eventOf('GET', 'Patient/ana/$everything'),
      eventOf('DELETE', 'Patient/ana'),
      eventOf('GET', 'Patient/ana'),
    );

    expect(statuses(answers)).toEqual([201, 200, 200, 200, 412, 200, 200, 200, 204, 410]);
    expect(answers[1]?.resource).toMatchObject(patient);
    expect(answers[2]?.resource).toMatchObject({ total: 1 });
    expect(answers[5]?.resource).toEqual(answers[1]?.resource);
  });

  it('takes a Subscription with its secrets, tells how it stands, and refuses what is not served', async () => {
    const body = subscriptionBody(filteredBy('code=8480-6'), { header: ['Authorization: secret'] });

    const answers = await answersOf(
      'functions/records/subscription.ts',
      eventOf('PUT', 'Subscription/hook', { ...body, id: 'hook' }),
      eventOf('POST', 'Subscription', { ...body, criteria: 'Observation?colour=red' }),
      eventOf('GET', 'Subscription/hook/$status'),
      eventOf('GET', 'Subscription/$status?status=requested'),
      eventOf('GET', 'Subscription/hook/$events'),
      eventOf('POST', 'Subscription/hook/$redrive', { resourceType: 'Parameters' }),
      eventOf('DELETE', 'Subscription/hook'),
    );

    expect(statuses(answers)).toEqual([201, 422, 200, 200, 200, 200, 204]);
    expect(answers[0]?.resource).toMatchObject({ channel: { header: ['Authorization: ***'] } });
    expect(answers[3]?.resource).toMatchObject({ total: 1 });
  });

  it('compiles nothing more for what every request needs', async () => {
    const patient: fhir4.Patient = { resourceType: 'Patient', id: 'una', name: [{ family: 'Rivera' }] };
    const observation = {
      resourceType: 'Observation',
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] },
      subject: { reference: 'Patient/una' },
      effectiveDateTime: '2024-05-01',
      valueQuantity: { value: 72, unit: 'beats/min', system: 'http://unitsofmeasure.org', code: '/min' },
    };

    const ofPatient = await answersOf(
      'functions/records/patient.ts',
      eventOf('PUT', 'Patient/una', patient),
      eventOf('POST', 'Patient', { ...patient, id: undefined }),
      eventOf('GET', 'Patient/una'),
      eventOf('PUT', 'Patient/una', { ...patient, gender: 'female' }),
      eventOf('GET', 'Patient/una/_history/1'),
      eventOf('GET', 'Patient?name=rivera&birthdate=lt2000&_sort=name&_count=5'),
      eventOf('GET', 'Patient/none'),
    );
    const ofObservation = await answersOf(
      'functions/records/observation.ts',
      eventOf('POST', 'Observation', observation),
      eventOf('GET', 'Observation?patient=una&code=http://loinc.org|8867-4&date=ge2024&_sort=-date'),
      eventOf('GET', 'Observation?patient=una&value-quantity=gt70'),
    );

    expect(statuses(ofPatient)).toEqual([201, 201, 200, 200, 200, 200, 404]);
    expect(statuses(ofObservation)).toEqual([201, 200, 200]);
    expect(ofObservation.slice(1).map(({ resource }) => resource)).toMatchObject([{ total: 1 }, { total: 1 }]);
    expect([...ofPatient, ...ofObservation].flatMap(({ compiled }) => compiled)).toEqual([]);
  });

  it('compiles what few requests need when the first of them comes, and once', async () => {
    const ucum = (value: number, code: string) => ({ value, system: 'http://unitsofmeasure.org', code });
    const observation = {
      resourceType: 'Observation',
      status: 'final',
      code: { text: 'Weight' },
      subject: { reference: 'Patient/ivo' },
      valueQuantity: ucum(70_000, 'g'),
    };
    const inPounds = 'value-quantity=gt150|http://unitsofmeasure.org|[lb_av]';

    const ofPatient = await answersOf(
      'functions/records/patient.ts',
      eventOf('PUT', 'Patient/ivo', { resourceType: 'Patient', id: 'ivo', name: [{ family: 'Moor' }] }),
      eventOf('GET', 'Patient?_id=ivo&_filter=name eq moor'),
      eventOf('GET', 'Patient?_filter=name is moor'),
      eventOf('GET', 'Patient/ivo/$everything'),
      eventOf('GET', 'Patient?_id=ivo&_explain=true'),
    );
    const ofObservation = await answersOf(
      'functions/records/observation.ts',
      eventOf('POST', 'Observation', observation),
      eventOf('GET', `Observation?patient=ivo&${inPounds}`),
      eventOf('GET', `Observation?patient=ivo&${inPounds}&_sort=value-quantity`),
      eventOf('GET', 'Observation?patient=ivo&subject:Patient.name=moor'),
      eventOf('GET', 'Observation?patient=ivo&subject:Patient.name=rivera'),
      eventOf('GET', 'Observation?patient=ivo&_include=Observation:subject'),
    );

    expect(ofPatient.map(({ statusCode, compiled }) => [statusCode, ...compiled])).toEqual([
      [201],
      [200, 'shared-search-parse-filter.lazy.js'],
      [400],
      [200, 'shared-interactions-everything-everything.lazy.js'],
      [200, 'shared-interactions-search-explanation.lazy.js'],
    ]);
    expect(ofPatient[1]?.resource).toMatchObject({ total: 1 });
    expect(ofPatient[2]?.resource).toMatchObject({ issue: [{ code: 'invalid', expression: ['_filter'] }] });
    expect(ofPatient[3]?.resource).toMatchObject({ total: 1 });
    expect(ofObservation.map(({ statusCode, compiled }) => [statusCode, ...compiled])).toEqual([
      [201],
      [200, 'shared-search-ucum-units.lazy.js'],
      [200],
      [200, 'shared-interactions-search-following.lazy.js'],
      [200],
      [200],
    ]);
    expect(ofObservation.slice(1).map(({ resource }) => (resource as fhir4.Bundle).total)).toEqual([1, 1, 1, 0, 1]);
    expect(ofObservation[5]?.resource).toMatchObject({
      entry: [{}, { resource: { id: 'ivo' }, search: { mode: 'include' } }],
    });
  });

  it('validates without writing, by the rules that lie beside it', async () => {
    const patient = {
      resourceType: 'Patient',
      id: 'noa',
      gender: 'female',
      meta: { profile: ['http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient|6.1.0'] },
    };

    const answers = await answersOf(
      'functions/records/patient.ts',
      eventOf('POST', 'Patient/$validate?mode=create', { resourceType: 'Patient', name: [{ family: 'Moor' }] }),
      eventOf('POST', 'Patient/$validate?mode=create', { ...patient, birthDate: 'in May' }),
      eventOf('POST', 'Patient/$validate?mode=create', { ...patient, birthDate: 'in May' }),
      eventOf('GET', 'Patient/noa/$validate'),
    );

    expect(answers.map(({ statusCode, compiled }) => [statusCode, ...compiled])).toEqual([
      [200, 'shared-interactions-operations.lazy.js'],
      [200, 'shared-fhir-sound-part.lazy.js', 'shared-profiles-check-claims.lazy.js'],
      [200],
      [404],
    ]);
    const outcome = answers[1]?.resource as fhir4.OperationOutcome | undefined;
    const errors = outcome?.issue.filter(({ severity }) => severity === 'error') ?? [];
    expect(errors.map(({ expression }) => expression?.[0])).toEqual([
      'Patient.birthDate',
      'Patient.identifier',
      'Patient.name',
    ]);
  });

  it('patches, labels, matches and repeats by code that comes with the first such request', async () => {
    const patient: fhir4.Patient = { resourceType: 'Patient', id: 'nils', name: [{ family: 'Moor', given: ['Nils'] }] };
    const patch = [{ op: 'add', path: '/gender', value: 'male' }];
    const meta = { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: { tag: [{ code: 'vip' }] } }] };
    const described = { resourceType: 'Parameters', parameter: [{ name: 'resource', resource: patient }] };
    const post = () => eventOf('POST', 'Patient', { ...patient, id: undefined }, { 'idempotency-key': 'again' });
    const jsonPatch = { 'content-type': 'application/json-patch+json' };

    const answers = await answersOf(
      'functions/records/patient.ts',
      eventOf('PUT', 'Patient/nils', patient),
      eventOf('PATCH', 'Patient/nils', patch, { ...jsonPatch, 'if-match': 'W/"1"' }),
      eventOf('PATCH', 'Patient/nils', patch, { ...jsonPatch, 'if-match': 'W/"1"' }),
      eventOf('PATCH', 'Patient/none', patch, jsonPatch),
      eventOf('POST', 'Patient/nils/$meta-add', meta),
      eventOf('GET', 'Patient/nils/_history'),
      eventOf('POST', 'Patient/$match', described),
      post(),
      post(),
    );

    expect(answers.map(({ statusCode, compiled }) => [statusCode, ...compiled])).toEqual([
      [201],
      [200, 'shared-interactions-patch.lazy.js', 'shared-patch-patch.lazy.js'],
      [412],
      [404],
      [200, 'shared-interactions-operations.lazy.js'],
      [200, 'shared-interactions-history.lazy.js'],
      [200, 'shared-interactions-match-match.lazy.js', 'shared-matching-patients.lazy.js'],
      [201, 'shared-interactions-once.lazy.js'],
      [201],
    ]);
    expect(answers[5]?.resource).toMatchObject({ total: 3 });
    expect(answers[6]?.resource).toMatchObject({ entry: [{ resource: { id: 'nils' } }] });
    expect(answers[8]?.resource).toEqual(answers[7]?.resource);
  });

  it('knows the value sets that lie beside it', async () => {
    const answers = await answersOf(
      'functions/records/patient.ts',
      eventOf('PUT', 'Patient/eva', { resourceType: 'Patient', id: 'eva', gender: 'female' }),
      eventOf('GET', 'Patient?_id=eva&gender:in=http://hl7.org/fhir/ValueSet/administrative-gender'),
      eventOf('GET', 'Patient?_id=eva&gender:below=http://hl7.org/fhir/administrative-gender|male'),
      eventOf('GET', 'Patient?_id=eva&gender:in=http://acme.org/none'),
    );

    expect(statuses(answers)).toEqual([201, 200, 200, 400]);
    expect(answers[1]?.resource).toMatchObject({ total: 1 });
    expect(answers[2]?.resource).toMatchObject({ total: 0 });
  });

  it.each(['functions/records/patient.ts', 'functions/system.ts'])(
    '%s knows the profiles that lie beside it',
    async (entry) => {
      const resource: fhir4.Patient = {
        resourceType: 'Patient',
        id: 'ida',
        meta: { profile: ['http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient|6.1.0'] },
        name: [{ family: 'Rivera' }],
        gender: 'female',
      };
      const event = entry.endsWith('system.ts')
        ? eventOf('POST', '', transactionOf(putEntry(resource)))
        : eventOf('PUT', 'Patient/ida', resource);

      const [answer] = await answersOf(entry, event);

      expect(answer?.statusCode).toBe(400);
      expect(JSON.stringify(answer?.resource)).toContain('.identifier"]');
    },
  );

  it('knows which condition of a transaction has failed', async () => {
    const managingOrganization = { reference: 'Organization/nowhere' };

    const [answer] = await answersOf(
      'functions/records/patient.ts',
      eventOf('PUT', 'Patient/jan', { resourceType: 'Patient', id: 'jan', managingOrganization }),
    );

    expect(answer?.statusCode).toBe(400);
    expect(answer?.resource).toMatchObject({ issue: [{ expression: ['Patient.managingOrganization.reference'] }] });
  });

  it('writes and reads what is too large for a row', async () => {
    const data = randomBytes(100_000).toString('base64');

    const answers = await answersOf(
      'functions/records/binary.ts',
      eventOf('PUT', 'Binary/scan', { resourceType: 'Binary', id: 'scan', contentType: 'image/png', data }),
      eventOf('GET', 'Binary/scan', undefined, { accept: 'application/fhir+json' }),
    );

    expect(statuses(answers)).toEqual([201, 200]);
    expect(answers[1]?.resource).toMatchObject({ data });
    expect(await objectKeys()).toHaveLength(1);
  });

  it('signs addresses, and makes a Binary of what came by them', async () => {
    const entry = 'functions/records/binary.ts';
    const content = randomBytes(1_000);
    const parameters = (parameter: fhir4.ParametersParameter[]) => ({ resourceType: 'Parameters', parameter });
    const told = (answer: { resource: fhir4.FhirResource | undefined } | undefined, name: string) => {
      const { parameter = [] } = (answer?.resource ?? {}) as Partial<fhir4.Parameters>;
      return parameter.filter((each) => each.name === name);
    };
    const sha256 = createHash('sha256').update(content).digest('hex');
    const [begun] = await answersOf(
      entry,
      eventOf(
        'POST',
        'Binary/$upload',
        parameters([
          { name: 'contentType', valueString: 'application/pdf' },
          { name: 'size', valuePositiveInt: content.length },
          { name: 'sha256', valueString: sha256 },
        ]),
      ),
    );
    const url = told(begun, 'url')[0]?.valueUrl ?? '';
    const headers = told(begun, 'header').map(({ part = [] }) => part.map(({ valueString = '' }) => valueString));
    const put = await fetch(url, { method: 'PUT', headers: Object.fromEntries(headers), body: content });
    await tagObject(new URL(url).pathname.split('/').slice(2).join('/'), {
      GuardDutyMalwareScanStatus: 'NO_THREATS_FOUND',
    });
    const binary = told(begun, 'binary')[0]?.valueReference?.reference ?? '';

    const [made, raw, found] = await answersOf(
      entry,
      eventOf('POST', 'Binary/$complete', parameters([told(begun, 'upload')[0] ?? { name: 'upload' }])),
      eventOf('GET', binary, undefined, { accept: 'application/pdf' }),
      eventOf('GET', `${binary}/$download`),
    );

    expect([put.status, made?.statusCode, raw?.statusCode]).toEqual([200, 201, 303]);
    expect(made?.compiled).toContain('shared-interactions-uploading-uploading.lazy.js');
    const got = await fetch(told(found, 'url')[0]?.valueUrl ?? '');
    expect(Buffer.from(await got.arrayBuffer()).equals(content)).toBe(true);
  });

  it('takes a bundle that is more than one transaction of the table', async () => {
    const patient = putEntry({ resourceType: 'Patient', id: 'lena' });
    const observations = Array.from({ length: 120 }, (_, index) =>
      postEntry({
        resourceType: 'Observation',
        status: 'final',
        code: { text: `Reading ${index}` },
        subject: { reference: 'Patient/lena' },
      }),
    );

    const [answer] = await answersOf(
      'functions/system.ts',
      eventOf('POST', '', transactionOf(patient, ...observations)),
    );
    const [read] = await answersOf(
      'functions/system.ts',
      eventOf('POST', '', batchOf(getEntry('Patient/lena/$everything'))),
    );

    expect(answer?.statusCode).toBe(200);
    expect(answer?.compiled).toContain('shared-store-staged.lazy.js');
    expect(read?.resource).toMatchObject({ entry: [{ resource: { resourceType: 'Bundle', total: 121 } }] });
  });

  it('knows which condition of such a bundle has failed, found by code of another file', async () => {
    const patients = Array.from({ length: 120 }, () =>
      postEntry({ resourceType: 'Patient', managingOrganization: { reference: 'Organization/nowhere' } }),
    );

    const [answer] = await answersOf('functions/system.ts', eventOf('POST', '', transactionOf(...patients)));

    expect(answer?.statusCode).toBe(400);
    expect(answer?.compiled).toContain('shared-store-staged.lazy.js');
    expect(answer?.resource).toMatchObject({ issue: [{ code: 'not-found' }] });
  });

  it('books the time of an actor once', async () => {
    const practitioner = putEntry({ resourceType: 'Practitioner', id: 'booked' });
    const start = Date.now() + 24 * 3_600_000;
    const appointment = {
      resourceType: 'Appointment',
      status: 'booked',
      start: new Date(start).toISOString(),
      end: new Date(start + 1_800_000).toISOString(),
      participant: [{ actor: { reference: 'Practitioner/booked' }, status: 'accepted' }],
    } satisfies fhir4.Appointment;

    const answers = await answersOf(
      'functions/system.ts',
      eventOf('POST', '', transactionOf(practitioner)),
      eventOf('POST', '', transactionOf(postEntry(appointment))),
      eventOf('POST', '', transactionOf(postEntry(appointment))),
    );

    expect(answers.map(({ statusCode, compiled }) => [statusCode, ...compiled])).toEqual([
      [200],
      [200, 'shared-interactions-calendar-changes.lazy.js', 'shared-store-calendars.lazy.js'],
      [409],
    ]);
  });
});
