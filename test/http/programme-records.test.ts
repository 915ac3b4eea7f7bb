import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sensitiveCodesVersion } from '../../shared/access/sensitive-codes.ts';
import { publishRows } from '../../shared/changes/publish.ts';
import { unlessOfProgramme } from '../../shared/interactions/label-write.ts';
import { observation as observationType } from '../../shared/record-types/observation.ts';
import { existence } from '../../shared/store/commit-conditions.ts';
import { readDenials } from '../../shared/store/denylist.ts';
import { recordRow } from '../../shared/store/rows.ts';
import { postEntry, transactionOf } from '../support/bundles.ts';
import type { TestCaller } from '../support/callers.ts';
import { localTable } from '../support/dynamodb.ts';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import { publisherOn } from '../support/publisher.ts';
import { recordingBus } from '../support/recording-bus.ts';
import {
  admin,
  create,
  elsewhere,
  encounterBody,
  issuesOf,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
} from '../support/records.ts';
import { uploaded } from '../support/uploads.ts';

// Records of substance-use programmes (42 CFR Part 2): labelled on every way by which they are written, and shared by a consent to all of care. What is
// shared is compared with a model in test/unit/consent-decision.test.ts.

const hl7 = 'http://terminology.hl7.org/CodeSystem/';
const actCode = `${hl7}v3-ActCode`;
const programme = [{ coding: [{ system: actCode, code: '42CFRPart2' }] }];
const labelsOfProgramme = [
  { system: actCode, code: '42CFRPart2', display: '42 CFR Part2' },
  {
    system: actCode,
    code: 'NORDSCLCD',
    display: '42 CFR part 2 prohibits unauthorized use or disclosure of these records.',
  },
];
const counselling = { system: 'https://concord.example/fhir/CodeSystem/label', code: 'SUDCN' };
const clinic: TestCaller = { role: 'physician', organization: 'clinic' };
const privacy: TestCaller = { role: 'privacy', organization: 'clinic' };

let server: FhirServer;
/** As it was before the clinic was known as a programme. */
let before: { readonly patient: Stored<fhir4.Patient>; readonly observation: Stored<fhir4.Observation> };
let patient: Stored<fhir4.Patient>;
beforeAll(async () => {
  const table = await localTable();
  const first = await fhirServer(table);
  const asClinic = { as: { ...admin, organization: 'clinic' } };
  for (const id of ['northside', 'lakeside', 'clinic'])
    await first.put(`Organization/${id}`, { resourceType: 'Organization', id, name: id }, asClinic);
  const earlier = await create(first, patientBody(), clinic);
  before = { patient: earlier, observation: await create(first, observationBody(referenceTo(earlier)), clinic) };
  await first.put(
    'Organization/clinic',
    { resourceType: 'Organization', id: 'clinic', name: 'c', type: programme },
    asClinic,
  );
  await first.put(
    'HealthcareService/part',
    { resourceType: 'HealthcareService', id: 'part', type: programme, identifier: [{ system: 'urn:npi', value: '7' }] },
    { as: admin },
  );
  await first.put('Location/ward', { resourceType: 'Location', id: 'ward', type: programme }, { as: admin });
  await first.put('Location/other', { resourceType: 'Location', id: 'other' }, { as: admin });
  // Another process, or a minute later: what is a programme is known by then.
  server = await fhirServer(table);
  patient = await create(server, patientBody(), clinic);
});

const securityOf = (resource: { readonly meta?: fhir4.Meta | undefined }) => resource.meta?.security;
const securityIn = async (path: string, as: TestCaller) =>
  securityOf((await server.get(path, { as })).body as unknown as fhir4.Observation);
const subject = () => referenceTo(patient);

describe('a record of a substance-use programme', () => {
  let observation: Stored<fhir4.Observation>;
  beforeEach(async () => {
    observation = await create(server, observationBody(subject()), clinic);
  });

  it('is labelled, with the notice of the law, as it is created by itself, under an id of the client and in a bundle', async () => {
    const path = `Observation/chosen-${observation.id.slice(-8)}`;
    const put = await server.put(path, observationBody(subject(), { id: path.split('/')[1] }), { as: clinic });
    const bundle = await server.post(
      '',
      transactionOf(postEntry(encounterBody(subject())), postEntry(observationBody(subject()))),
      { as: clinic },
    );

    expect(securityOf(patient)).toEqual(labelsOfProgramme);
    expect(securityOf(observation)).toEqual(labelsOfProgramme);
    expect(await securityIn(pathOf(observation), clinic)).toEqual(labelsOfProgramme);
    expect(securityOf(put.body as unknown as fhir4.Observation)).toEqual(labelsOfProgramme);
    expect(bundle.status).toBe(200);
    const { entry = [] } = bundle.body as unknown as fhir4.Bundle;
    for (const { response } of entry) {
      const [, at = ''] = /fhir\/(.+)\/_history/.exec(response?.location ?? '') ?? [];
      expect(await securityIn(at, clinic), at).toEqual(labelsOfProgramme);
    }
  });

  it('stays labelled, whatever is written', async () => {
    const path = pathOf(observation);
    const { meta: _, ...bare } = observation;
    const own = { system: `${hl7}v3-Confidentiality`, code: 'R' };
    const put = await server.put(path, { ...bare, meta: { security: [own] } }, { as: clinic });
    const patch = await server.request('PATCH', path, {
      as: clinic,
      body: [{ op: 'remove', path: '/meta/security' }],
      headers: { 'content-type': 'application/json-patch+json' },
    });
    const bundle = await server.post(
      '',
      transactionOf({ resource: bare as fhir4.Observation, request: { method: 'PUT', url: path } }),
      { as: clinic },
    );
    const taken = {
      resourceType: 'Parameters',
      parameter: [{ name: 'meta', valueMeta: { security: labelsOfProgramme.slice(0, 1) } }],
    };
    const byPhysician = await server.post(`${path}/$meta-delete`, taken, { as: clinic });

    expect(securityOf(put.body as unknown as fhir4.Observation)).toEqual([own, ...labelsOfProgramme]);
    expect(securityOf(patch.body as unknown as fhir4.Observation)).toEqual(labelsOfProgramme);
    expect(bundle.status).toBe(200);
    expect([byPhysician.status, issuesOf(byPhysician.body)[0]?.reason]).toEqual([403, 'label-of-programme']);
    expect(await securityIn(path, clinic)).toEqual(labelsOfProgramme);

    const byPrivacy = await server.post(`${path}/$meta-delete`, taken, { as: privacy });
    expect(byPrivacy.status).toBe(200);
    expect(await securityIn(path, clinic)).toEqual(labelsOfProgramme.slice(1));
    const log = await server.get(`AuditEvent?patient=${patient.id}&subtype=operation`, { as: privacy });
    expect(resourcesIn(log.body).map(({ agent }) => JSON.stringify(agent))).toContainEqual(
      expect.stringContaining('privacy'),
    );
  });

  it('may be of a part of a larger organisation: what names the part is, appointments too, and nothing else', async () => {
    const own = await create(server, patientBody());
    const place = (id: string): fhir4.Encounter =>
      encounterBody(referenceTo(own), { location: [{ location: { reference: `Location/${id}` } }] });
    const ward = await create(server, place('ward'));
    const other = await create(server, place('other'));
    const appointment = await create<fhir4.Appointment>(server, {
      resourceType: 'Appointment',
      status: 'booked',
      start: '2024-05-06T07:00:00Z',
      end: '2024-05-06T07:30:00Z',
      participant: [
        { actor: { reference: referenceTo(own) }, status: 'accepted' },
        { actor: { reference: 'HealthcareService/part' }, status: 'accepted' },
      ],
    });
    const moved = await server.put(pathOf(other), { ...other, location: ward.location }, {});

    expect([own, ward, other, appointment].map(securityOf)).toEqual([
      undefined,
      labelsOfProgramme,
      undefined,
      labelsOfProgramme,
    ]);
    expect(securityOf(moved.body as unknown as fhir4.Encounter)).toEqual(labelsOfProgramme);
    expect(await securityIn('Location/ward', clinic)).toBeUndefined();
  });

  it('may name the part by an identifier alone, while the directory says that it is a programme by that', async () => {
    const own = await create(server, patientBody());
    const naming = (value: string, elements: Partial<fhir4.Observation> = {}) =>
      observationBody(referenceTo(own), { performer: [{ identifier: { system: 'urn:npi', value } }], ...elements });
    const within: fhir4.Organization = {
      resourceType: 'Organization',
      id: 'o',
      identifier: [{ system: 'urn:npi', value: '7' }],
    };
    const contained: Partial<fhir4.Observation> = {
      performer: [{ reference: '#o' }],
      contained: [within],
    };

    server.calls.reset();
    const named = await create(server, naming('7'));
    expect(server.calls.names).toEqual(['TransactWriteItems']);
    const containing = await create(server, naming('8', contained));
    const others = [
      await create(server, naming('8')),
      await create(server, naming('8', { identifier: [{ system: 'urn:npi', value: '7' }] })),
    ];

    expect([named, containing].map(securityOf)).toEqual([labelsOfProgramme, labelsOfProgramme]);
    expect(others.map(securityOf)).toEqual([undefined, undefined]);
    const said = { resourceType: 'HealthcareService', id: 'part', type: programme } as const;
    const rows = async () => (await readDenials(server.store.client, server.store.tableName)).map(({ name }) => name);
    expect(await rows()).toContain('?identifier=urn:npi|7');
    await server.put('HealthcareService/part', said, { as: admin });
    expect(await rows()).toContain('HealthcareService/part');
    expect(await rows()).not.toContain('?identifier=urn:npi|7');
    await server.put(
      'HealthcareService/part',
      { ...said, identifier: [{ system: 'urn:npi', value: '7' }] },
      { as: admin },
    );
  });

  it('may name the part by its visit alone: created, updated and patched, with one commit more', async () => {
    const own = await create(server, patientBody());
    const reference = referenceTo(own);
    const visitAt = (location: string) =>
      create(server, encounterBody(reference, { location: [{ location: { reference: `Location/${location}` } }] }));
    const [visit, other] = [await visitAt('ward'), await visitAt('other')];
    const during = (encounter: Stored<fhir4.Encounter>) =>
      observationBody(reference, { encounter: { reference: referenceTo(encounter) } });

    server.calls.reset();
    const created = await create(server, during(visit));
    expect(server.calls.names).toEqual(['TransactWriteItems', 'TransactWriteItems']);
    server.calls.reset();
    const plain = await create(server, during(other));
    expect(server.calls.names).toEqual(['TransactWriteItems']);
    const second = await create(server, during(other));
    const updated = await server.put(pathOf(plain), { ...plain, encounter: during(visit).encounter }, {});
    const patched = await server.request('PATCH', pathOf(second), {
      body: [{ op: 'replace', path: '/encounter/reference', value: referenceTo(visit) }],
      headers: { 'content-type': 'application/json-patch+json' },
    });
    const staff: TestCaller = { role: 'physician' };

    expect([created, plain, second].map(securityOf)).toEqual([labelsOfProgramme, undefined, undefined]);
    expect([updated, patched].map(({ status }) => status)).toEqual([200, 200]);
    for (const { body } of [updated, patched])
      expect(securityOf(body as unknown as fhir4.Observation)).toEqual(labelsOfProgramme);
    for (const record of [created, plain, second])
      expect(await securityIn(pathOf(record), staff)).toEqual(labelsOfProgramme);
  });

  it('may be content that was uploaded under such a visit', async () => {
    const visit = await create(
      server,
      encounterBody(referenceTo(await create(server, patientBody())), {
        location: [{ location: { reference: 'Location/ward' } }],
      }),
    );

    const path = await uploaded(server, Buffer.from('x'), { securityContext: { reference: referenceTo(visit) } });

    expect(await securityIn(`${path}?_format=json`, { role: 'physician' })).toEqual(labelsOfProgramme);
  });

  it('may name a visit of its own transaction, or of an earlier one in a bundle of any size', async () => {
    const own = await create(server, patientBody());
    const reference = referenceTo(own);
    const visit = encounterBody(reference, { location: [{ location: { reference: 'Location/ward' } }] });
    const during = (encounter: string) => observationBody(reference, { encounter: { reference: encounter } });
    const fullUrl = 'urn:uuid:8c0a6f0e-6d3b-4d0b-9a77-0d5d0a1d3c11';
    const earlier = await create(server, visit);
    const labelsIn = async (entries: Parameters<typeof transactionOf>) => {
      const { status, body } = await server.post('', transactionOf(...entries), {});
      expect(status).toBe(200);
      const paths = ((body as unknown as fhir4.Bundle).entry ?? []).map(
        ({ response }) => /fhir\/(.+)\/_history/.exec(response?.location ?? '')?.[1] ?? '',
      );
      return Promise.all(paths.map((path) => securityIn(path, { role: 'physician' })));
    };

    const together = await labelsIn([
      postEntry(during(fullUrl)),
      { ...postEntry(visit), fullUrl },
      postEntry(observationBody(reference)),
    ]);
    const staged = await labelsIn(Array.from({ length: 60 }, () => postEntry(during(referenceTo(earlier)))));

    expect(together).toEqual([labelsOfProgramme, labelsOfProgramme, undefined]);
    expect(staged).toEqual(Array(60).fill(labelsOfProgramme));
  });

  it('sets no further condition where no programme is known, nor for what bears the label or names no visit', () => {
    const check = { address: { type: 'Encounter', chart: 'c', place: 'p' }, label: 'Observation.encounter' };
    const conditionOf = (programmes: readonly string[], labels: readonly string[], name: string) =>
      existence(
        unlessOfProgramme({ programmes: new Set(programmes), recordType: observationType }, labels, name, check),
      );
    const known = ['Location/ward'];

    for (const same of [
      conditionOf([], [], 'Encounter/e'),
      conditionOf(known, [`${actCode}|42CFRPart2`], 'Encounter/e'),
      conditionOf(known, [], 'Condition/e'),
    ])
      expect(same).toEqual(existence(check));
    expect(conditionOf(known, [], 'Encounter/e').ConditionExpression).toBe(
      `${existence(check).ConditionExpression} AND NOT contains(labels, :without)`,
    );
  });

  it('is one call to create', async () => {
    server.calls.reset();
    await server.post('Observation', observationBody(subject()), { as: clinic });

    expect(server.calls.names).toEqual(['TransactWriteItems']);
  });

  it('is not named in the log of a chart to the organisation that keeps the chart, of which it was a guest', async () => {
    const own = await create(server, patientBody());
    const emergency = {
      resourceType: 'Parameters',
      parameter: [
        { name: 'purpose', valueCode: 'BTG' },
        { name: 'reason', valueString: 'Not responsive' },
      ],
    };
    expect((await server.post(`${pathOf(own)}/$break-glass`, emergency, { as: clinic })).status).toBe(200);
    const theirs = await create(server, observationBody(referenceTo(own)), clinic);
    await server.get(pathOf(theirs), { as: clinic });
    const plain = await create(server, observationBody(referenceTo(own)));
    await server.get(pathOf(plain), { as: clinic });
    await server.get(pathOf(plain));
    const log = async (as: TestCaller) =>
      resourcesIn((await server.get(`AuditEvent?patient=${own.id}`, { as })).body) as unknown as fhir4.AuditEvent[];
    const naming = (events: readonly fhir4.AuditEvent[], { id }: { id: string }) =>
      events.filter((event) => JSON.stringify(event).includes(id));

    const events = await log({ role: 'privacy' });

    expect(naming(events, theirs)).toEqual([]);
    const masked = events.filter(({ meta }) => meta?.security?.some(({ code }) => code === 'MASKED'));
    expect(JSON.stringify(masked)).not.toContain('42CFRPart2');
    expect(masked.map(({ action }) => action).sort()).toEqual(['C', 'R']);
    // Who looked at what the keeper keeps is told, whoever it was; and the patient is told all.
    expect(naming(events, plain)).toHaveLength(3);
    const ofPatient = naming(await log({ role: 'patient', patient: own.id }), theirs);
    expect(ofPatient.map(({ meta }) => meta?.security)).toEqual(
      Array(2).fill([{ system: actCode, code: '42CFRPart2' }]),
    );
  });

  it('is told of to nobody but its own organisation, without its labels', async () => {
    const at = server.store.ids.decode(observation.id);
    const record = at && (await server.store.read({ type: 'Observation', ...at }));
    const after = record && recordRow(record, server.store.ids);
    const bus = recordingBus();

    await publishRows(publisherOn(server.store, { bus }), [{ before: undefined, after }]);

    const told = bus.accepted.map(({ Detail = '' }) => Detail);
    expect(told.map((detail) => (JSON.parse(detail) as { recipient: string }).recipient)).toEqual(['clinic']);
    expect(told.join()).not.toMatch(/CFR|NORDSCLCD|ActCode/);
  });
});

const consentTo = (reference: string, provision: fhir4.ConsentProvision): fhir4.Consent => ({
  resourceType: 'Consent',
  status: 'active',
  scope: { coding: [{ system: `${hl7}consentscope`, code: 'patient-privacy' }] },
  category: [{ text: 'privacy' }],
  patient: { reference },
  policyRule: { coding: [{ system: actCode, code: 'OPTIN' }] },
  provision,
});
const toLakeside: fhir4.ConsentProvision = {
  actor: [
    {
      role: { coding: [{ system: `${hl7}v3-ParticipationType`, code: 'IRCP' }] },
      reference: { reference: 'Organization/lakeside' },
    },
  ],
};
const ofCare = ['TREAT', 'HPAYMT', 'HOPERAT'].map((code) => ({ system: `${hl7}v3-ActReason`, code }));

const read = async (record: Stored<fhir4.Resource>) => server.get(pathOf(record), { as: elsewhere });

describe('a consent to what a substance-use programme keeps', () => {
  it('is one to all of care, or names the programme’s label; counselling notes need their own', async () => {
    const own = await create(server, patientBody(), clinic);
    const reference = referenceTo(own);
    const opioids = { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'F11.20' }] };
    const condition = await create<fhir4.Condition>(
      server,
      { resourceType: 'Condition', subject: { reference }, code: opioids },
      clinic,
    );
    const note = await create(server, observationBody(reference, { meta: { security: [counselling] } }), clinic);
    const seen = async () => Promise.all([condition, note].map(async (record) => (await read(record)).status));
    const consent = await create(server, consentTo(reference, toLakeside), clinic);
    const change = async (provision: fhir4.ConsentProvision) => {
      const { status } = await server.put(pathOf(consent), { ...consent, provision }, { as: clinic });
      expect(status).toBe(200);
      return seen();
    };

    expect(await seen()).toEqual([404, 404]);
    expect(await change({ purpose: ofCare.slice(0, 1) })).toEqual([404, 404]);
    expect(await change({ purpose: ofCare })).toEqual([200, 404]);
    expect(await change({ securityLabel: labelsOfProgramme.slice(0, 1) })).toEqual([200, 404]);
    const notes: fhir4.ConsentProvision = { type: 'permit', securityLabel: [counselling] };
    expect(await change({ purpose: ofCare, provision: [notes] })).toEqual([200, 200]);
    expect(securityOf((await read(note)).body as unknown as fhir4.Observation)).toEqual([
      counselling,
      ...labelsOfProgramme,
    ]);
  });

  it('is needed for what was written before it was known as one, which goes with the notice', async () => {
    const { patient: own, observation } = before;
    expect(await securityIn(pathOf(observation), clinic)).toBeUndefined();
    const consent = await create(server, consentTo(referenceTo(own), toLakeside), clinic);
    const closed = await read(observation);
    await server.put(pathOf(consent), { ...consent, provision: { purpose: ofCare } }, { as: clinic });
    const opened = await read(observation);

    expect([closed.status, opened.status]).toEqual([404, 200]);
    expect(securityOf(opened.body as unknown as fhir4.Observation)).toEqual(labelsOfProgramme);
    expect(await securityIn(pathOf(observation), clinic)).toBeUndefined();
  });
});

describe('what names a visit', () => {
  it('needs that consent as soon as the visit is known to be to a programme, also where it was written before', async () => {
    const own = await create(server, patientBody());
    const reference = referenceTo(own);
    const visit = await create(server, encounterBody(reference));
    const during = { encounter: { reference: referenceTo(visit) } };
    const observation = await create(server, observationBody(reference, during));
    const consent = await create(server, consentTo(reference, toLakeside));
    const open = await read(observation);
    const known = await server.put(
      pathOf(visit),
      { ...visit, location: [{ location: { reference: 'Location/ward' } }] },
      {},
    );
    const closed = await read(observation);
    const again = await server.put(pathOf(visit), known.body, {});
    const still = await read(observation);
    await server.put(pathOf(consent), { ...consent, provision: { purpose: ofCare } }, {});
    const opened = await read(observation);

    expect([open, known, closed, again, still, opened].map(({ status }) => status)).toEqual([
      200, 200, 404, 200, 404, 200,
    ]);
    expect(securityOf(opened.body as unknown as fhir4.Observation)).toEqual(labelsOfProgramme);
    expect(await securityIn(pathOf(observation), { role: 'physician' })).toBeUndefined();

    const { location: _ward, meta: _labels, ...elsewhereNow } = known.body as unknown as fhir4.Encounter;
    await server.put(pathOf(visit), elsewhereNow, {});
    await server.put(pathOf(consent), consent, {});
    const stays = await read(observation);
    await server.post(
      `${pathOf(visit)}/$meta-delete`,
      {
        resourceType: 'Parameters',
        parameter: [{ name: 'meta', valueMeta: { security: labelsOfProgramme.slice(0, 1) } }],
      },
      { as: { role: 'privacy' } },
    );

    expect(stays.status).toBe(404);
    expect((await read(observation)).status).toBe(200);
  });
});

describe('an operation on what names a visit that has become one to a programme', () => {
  it('labels it with what it writes: signed, booked, moved, come and cancelled', async () => {
    const own = await create(server, patientBody());
    const reference = referenceTo(own);
    const person = await create(server, { resourceType: 'Practitioner' }, admin);
    const signer: TestCaller = { role: 'physician', claims: { fhirUser: referenceTo(person) } };
    const visit = await create(server, encounterBody(reference));
    const note = await create<fhir4.Composition>(
      server,
      {
        resourceType: 'Composition',
        status: 'preliminary',
        type: { coding: [{ system: 'http://loinc.org', code: '11506-3' }] },
        subject: { reference },
        encounter: { reference: referenceTo(visit) },
        date: '2024-05-06T08:00:00Z',
        author: [{ reference: referenceTo(person) }],
        title: 'Progress note',
      },
      signer,
    );
    const later: fhir4.Appointment = {
      resourceType: 'Appointment',
      status: 'proposed',
      start: '2124-05-06T07:00:00Z',
      end: '2124-05-06T07:30:00Z',
      supportingInformation: [{ reference: referenceTo(visit) }],
      participant: [{ actor: { reference }, status: 'needs-action' }],
    };
    const booked: Record<string, Stored<fhir4.Appointment>> = {};
    for (const [index, name] of ['$cancel', '$reschedule', '$check-in'].entries()) {
      const [start, end] = [`2124-05-07T1${index}:00:00Z`, `2124-05-07T1${index}:30:00Z`];
      booked[name] = await create<fhir4.Appointment>(server, { ...later, status: 'booked', start, end });
    }
    await server.put(pathOf(visit), { ...visit, location: [{ location: { reference: 'Location/ward' } }] }, {});
    const ask = (path: string, parameter: fhir4.ParametersParameter[] = [], as: TestCaller = signer) =>
      server.post(path, { resourceType: 'Parameters', ...(parameter.length > 0 ? { parameter } : {}) }, { as });
    const at = (name: string) => `${pathOf(booked[name] as Stored<fhir4.Appointment>)}/${name}`;
    const newTime = [
      { name: 'start', valueInstant: '2124-05-08T07:00:00Z' },
      { name: 'end', valueInstant: '2124-05-08T07:30:00Z' },
    ];

    const answers = [
      await ask(`${pathOf(note)}/$sign`),
      await ask('Appointment/$book', [{ name: 'appointment', resource: later }]),
      await ask(at('$cancel')),
      await ask(at('$reschedule'), newTime),
      await ask(at('$check-in')),
    ];

    expect(answers.map(({ status, text }) => (status < 300 ? 'done' : text))).toEqual(Array(5).fill('done'));
    for (const { body } of answers) expect(securityOf(body as unknown as fhir4.Appointment)).toEqual(labelsOfProgramme);
  });
});

describe('a record with sensitive codes', () => {
  const hiv = { coding: [{ system: 'http://snomed.info/sct', code: '86406008' }] };
  const ofHiv = { system: actCode, code: 'HIV' };

  it('needs a provision that names its label between organisations, and only advises within its own', async () => {
    const own = await create(server, patientBody());
    const reference = referenceTo(own);
    const condition = await create<fhir4.Condition>(server, {
      resourceType: 'Condition',
      subject: { reference },
      code: hiv,
    });
    const plain = await create(server, observationBody(reference));
    const seen = async () =>
      Promise.all([condition, plain].map(async (each) => (await server.get(pathOf(each), { as: elsewhere })).status));
    const consent = await create(server, consentTo(reference, toLakeside));
    const general = await seen();
    const found = await server.get(`Condition?patient=${own.id}`, { as: elsewhere });
    await server.put(pathOf(consent), { ...consent, provision: { securityLabel: [ofHiv] } });

    expect(general).toEqual([404, 200]);
    expect(resourcesIn(found.body)).toEqual([]);
    // A provision that names a label holds for what bears it.
    expect(await seen()).toEqual([200, 404]);
    expect(securityOf(condition)).toBeUndefined();
    expect((await server.get(pathOf(condition), { as: { role: 'nurse' } })).status).toBe(200);
    const meta = await server.get(`${pathOf(condition)}/$meta`);
    expect((meta.body as unknown as fhir4.Parameters).parameter).toEqual([
      { name: 'return', valueMeta: condition.meta },
      { name: 'derived', valueMeta: { security: [ofHiv] } },
      { name: 'edition', valueString: sensitiveCodesVersion },
    ]);
  });
});
