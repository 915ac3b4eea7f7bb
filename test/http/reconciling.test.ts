import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  admin,
  create,
  issuesOf,
  patientBody,
  prescriberOf,
  referenceTo,
  resourcesIn,
  type Stored,
  stored,
  system,
} from '../support/records.ts';

// What a patient takes, put together, and what somebody decides on each medicine.

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let prescriber: TestCaller;
let nurse: TestCaller;
let pharmacist: TestCaller;

beforeAll(async () => {
  server = await fhirServer();
  prescriber = await prescriberOf(server);
  const person = referenceTo(await create(server, { resourceType: 'Practitioner' }, admin));
  nurse = { role: 'nurse', claims: { fhirUser: person } };
  pharmacist = { role: 'pharmacist', claims: { fhirUser: person } };
});
beforeEach(async () => {
  patient = await create(server, patientBody());
});

const medicine = (text: string) => ({
  medicationCodeableConcept: { text },
  subject: { reference: referenceTo(patient) },
});
const statement = (text: string, elements: Partial<fhir4.MedicationStatement> = {}) =>
  create<fhir4.MedicationStatement>(
    server,
    { resourceType: 'MedicationStatement', status: 'active', ...medicine(text), ...elements },
    nurse,
  );
const order = (text: string) =>
  create<fhir4.MedicationRequest>(
    server,
    { resourceType: 'MedicationRequest', status: 'active', intent: 'order', ...medicine(text) },
    system,
  );
const dispense = (text: string, elements: Partial<fhir4.MedicationDispense> = {}) =>
  create<fhir4.MedicationDispense>(
    server,
    {
      resourceType: 'MedicationDispense',
      status: 'completed',
      whenHandedOver: new Date(Date.now() - 86_400_000).toISOString(),
      ...medicine(text),
      ...elements,
    },
    pharmacist,
  );

const reconciling = () => `${referenceTo(patient)}/$reconcile-medications`;
const entry = (source: Stored<fhir4.Resource>, code: string, text?: string): fhir4.ListEntry => ({
  item: { reference: `${source.resourceType}/${source.id}` },
  flag: {
    coding: [{ system: 'https://concord.example/fhir/CodeSystem/reconciliation', code }],
    ...(text === undefined ? {} : { text }),
  },
});
const decide = (
  entries: fhir4.ListEntry[],
  as: TestCaller,
  { headers = {}, encounter }: { headers?: Record<string, string>; encounter?: string } = {},
) => {
  const body: fhir4.List = {
    resourceType: 'List',
    status: 'current',
    mode: 'snapshot',
    ...(entries.length > 0 ? { entry: entries } : {}),
    ...(encounter === undefined ? {} : { encounter: { reference: encounter } }),
  };
  return server.post(reconciling(), body as unknown as TestBody, { as, headers });
};
const read = async (record: Stored<fhir4.Resource>) =>
  (await server.get(`${record.resourceType}/${record.id}`)).body as TestBody & { statusReason?: unknown };
const listed = (body: TestBody): Record<string, fhir4.ListEntry> =>
  Object.fromEntries(
    (stored<fhir4.List>(body).entry ?? []).map((each): [string, fhir4.ListEntry] => [each.item.reference ?? '', each]),
  );
const extensionsOf = ({ extension }: fhir4.ListEntry, name: string) =>
  (extension?.[0]?.extension ?? [])
    .filter(({ url }) => url === name)
    .map(({ valueString, valueReference }) => valueString ?? valueReference?.reference);

describe('what is to be reconciled', () => {
  it('is what counts, with ingredients and duplicates, and nothing that is over or dispensed for an order in it', async () => {
    const ordered = await order('Warfarin');
    const said = await statement('warfarin');
    const bought = await dispense('Ibuprofen');
    await dispense('Warfarin', { authorizingPrescription: [{ reference: referenceTo(ordered) }] });
    await dispense('Naproxen', { whenHandedOver: '2020-01-01' });
    await statement('Aspirin', { status: 'stopped' });
    server.calls.reset();
    const { body, text } = await server.get(reconciling(), { as: pharmacist });
    const calls = server.calls.names.toSorted();

    expect(calls).toEqual(['GetItem', 'PutItem', 'PutItem', 'Query', 'Query', 'Query']);
    expect(stored<fhir4.List>(body), text).toMatchObject({
      mode: 'working',
      code: { coding: [{ code: '10160-0' }] },
      note: [{ text: expect.stringContaining('From what the author may see') }],
    });
    const entries = listed(body);
    expect(Object.keys(entries).sort()).toEqual([ordered, said, bought].map(referenceTo).sort());
    expect(extensionsOf(entries[referenceTo(ordered)] as fhir4.ListEntry, 'ingredient')).toEqual(['warfarin']);
    expect(extensionsOf(entries[referenceTo(ordered)] as fhir4.ListEntry, 'duplicate')).toEqual([referenceTo(said)]);
    expect(extensionsOf(entries[referenceTo(bought)] as fhir4.ListEntry, 'duplicate')).toEqual([]);
    expect(resourcesIn((await server.get(`List?patient=${referenceTo(patient)}`)).body)).toEqual([]);
  });

  it('is put together by the pack that orders are checked by, and by none where that cannot be used', async () => {
    const said = await statement('Warfarin');
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'concord-pack-')), 'pack.json');
    const ours = [{ id: 'our-warfarin', name: 'our own words', also: ['warfarin'] }];
    writeFileSync(file, JSON.stringify({ edition: 'ours-7', date: '2026-11-01', licence: 'Ours', ingredients: ours }));
    onTestFinished(() => {
      vi.unstubAllEnvs();
      rmSync(path.dirname(file), { recursive: true });
    });
    const ingredients = async () => {
      const { body } = await server.get(reconciling(), { as: pharmacist });
      return extensionsOf(listed(body)[referenceTo(said)] as fhir4.ListEntry, 'ingredient');
    };

    vi.stubEnv('KNOWLEDGE_PACK', file);
    expect(await ingredients()).toEqual(['our own words']);
    vi.stubEnv('KNOWLEDGE_PACK', `${file}.not`);
    expect(await ingredients()).toEqual([]);
  });

  it('is empty with a reason where there is nothing to be seen, and is for staff who see medicines', async () => {
    expect((await server.get(reconciling())).body).toMatchObject({
      emptyReason: { coding: [{ code: 'unavailable' }] },
    });
    expect((await server.get(reconciling(), { as: { role: 'frontdesk' } })).status).toBe(403);
    expect((await server.get(reconciling(), { as: { role: 'nurse', organization: 'lakeside' } })).status).toBe(404);
  });
});

describe('reconciling', () => {
  it('keeps each decision with its source, and does what it says, in one transaction', async () => {
    const [going, over, held, never] = await Promise.all(['A', 'B', 'C', 'D'].map((name) => statement(`Drug ${name}`)));
    const [ordered, left] = [await order('Drug E'), await order('Drug F')];
    const { status, body, text } = await decide(
      [
        entry(going as never, 'continue'),
        entry(over as never, 'stop', 'It made him dizzy'),
        entry(held as never, 'hold', 'Until the operation'),
        entry(never as never, 'not-taking', 'Never collected'),
        entry(ordered, 'not-taking', 'Stopped a month ago'),
      ],
      pharmacist,
    );

    expect(status, text).toBe(201);
    const entries = listed(body);
    const decisionOn = (each: Stored<fhir4.Resource> | undefined) => {
      const { flag } = entries[`${each?.resourceType}/${each?.id}`] ?? {};
      return [flag?.coding?.[0]?.code, flag?.text];
    };
    expect([going, over, held, never, ordered, left].map(decisionOn)).toEqual([
      ['continue', undefined],
      ['stop', 'It made him dizzy'],
      ['hold', 'Until the operation'],
      ['not-taking', 'Never collected'],
      ['not-taking', 'Stopped a month ago'],
      ['undecided', undefined],
    ]);
    const states = await Promise.all([going, over, held, never].map((each) => read(each as never)));
    expect(states.map((each) => each.status)).toEqual(['active', 'stopped', 'on-hold', 'not-taken']);
    expect(states[1]?.statusReason).toEqual([{ text: 'It made him dizzy' }]);
    const [name] = extensionsOf(entries[referenceTo(ordered)] as fhir4.ListEntry, 'statement');
    expect((await server.get(name ?? '')).body).toMatchObject({
      status: 'not-taken',
      derivedFrom: [{ reference: referenceTo(ordered) }],
      medicationCodeableConcept: { text: 'Drug E' },
    });
    expect((await read(ordered)).status).toBe('active');
    expect(resourcesIn((await server.get(`Task?focus=List/${body.id}`)).body)).toMatchObject([
      { performerType: [{ coding: [{ display: 'Physician' }] }] },
    ]);
    const kept = await server.get(`List/${body.id}`, { as: pharmacist });
    expect(kept.body).toMatchObject({ mode: 'snapshot', subject: { reference: referenceTo(patient) } });
  });

  it('stops and holds an order where a prescriber decides, without a task for prescribers', async () => {
    const [stopped, held] = [await order('Drug A'), await order('Drug B')];
    const { body, text } = await decide(
      [entry(stopped, 'stop', 'A rash'), entry(held, 'hold', 'Until the operation')],
      prescriber,
    );

    expect([(await read(stopped)).status, (await read(held)).status], text).toEqual(['stopped', 'on-hold']);
    expect(stored<fhir4.List>(body).source).toEqual({ reference: prescriber.claims?.['fhirUser'] });
    expect(resourcesIn((await server.get(`Task?focus=List/${body.id}`)).body)).toEqual([]);
  });

  it.each([
    [
      'without a decision',
      (source: Stored<fhir4.Resource>) => [{ item: { reference: `MedicationStatement/${source.id}` } }],
    ],
    ['that nobody knows', (source: Stored<fhir4.Resource>) => [entry(source, 'double')]],
    ['without a reason', (source: Stored<fhir4.Resource>) => [entry(source, 'stop')]],
    ['made twice', (source: Stored<fhir4.Resource>) => [entry(source, 'continue'), entry(source, 'continue')]],
  ])('writes nothing for a decision %s', async (_how, entriesFor) => {
    const source = await statement('Drug A');
    expect((await decide(entriesFor(source), nurse)).status).toBe(400);
    expect((await read(source)).meta?.versionId).toBe('1');
    expect(resourcesIn((await server.get(`List?patient=${referenceTo(patient)}`)).body)).toEqual([]);
  });

  it('takes no decision on what is another patient’s, or over', async () => {
    const over = await statement('Drug A', { status: 'stopped' });
    const own = patient;
    patient = await create(server, patientBody());
    const others = await statement('Drug B');
    patient = own;
    for (const each of [over, others]) expect((await decide([entry(each, 'continue')], nurse)).status).toBe(400);
    expect((await decide([], { role: 'lab' })).status).toBe(403);
  });

  it('is of a visit of this patient, or of whom it was merged with: another one’s is as if there were none', async () => {
    const visitOf = (whose: Stored<fhir4.Patient>) =>
      create<fhir4.Encounter>(server, {
        resourceType: 'Encounter',
        status: 'in-progress',
        class: { code: 'AMB' },
        subject: { reference: referenceTo(whose) },
      });
    const source = await statement('Drug A');
    const own = referenceTo(await visitOf(patient));
    const others = referenceTo(await visitOf(await create(server, patientBody())));
    const former = await create(server, patientBody());
    const before = referenceTo(await visitOf(former));
    const parameter = [{ name: 'source', valueReference: { reference: referenceTo(former) } }];
    const merged = await server.post(`${referenceTo(patient)}/$merge`, { resourceType: 'Parameters', parameter });
    expect(merged.status, merged.text).toBe(200);
    const reconciled = (encounter: string) => decide([entry(source, 'stop', 'A rash')], pharmacist, { encounter });
    const [refused, missing] = [await reconciled(others), await reconciled('Encounter/none')];

    expect([refused.status, issuesOf(refused.body)]).toEqual([missing.status, issuesOf(missing.body)]);
    expect(issuesOf(refused.body)).toMatchObject([{ reason: 'reference-not-found' }]);
    expect((await read(source)).meta?.versionId).toBe('1');
    expect((await reconciled(before)).body).toMatchObject({ mode: 'snapshot', encounter: { reference: before } });
    expect((await decide([], pharmacist, { encounter: own })).body).toMatchObject({
      mode: 'snapshot',
      encounter: { reference: own },
    });
  });

  it('is carried out once under a key', async () => {
    const source = await statement('Drug A');
    const key = { 'idempotency-key': `reconcile-${patient.id}` };
    const first = await decide([entry(source, 'stop', 'A rash')], nurse, { headers: key });
    const again = await decide([entry(source, 'stop', 'A rash')], nurse, { headers: key });

    expect([first.status, again.status], again.text).toEqual([201, 201]);
    expect(again.body.id).toBe(first.body.id);
    expect((await read(source)).meta?.versionId).toBe('2');
  });
});
