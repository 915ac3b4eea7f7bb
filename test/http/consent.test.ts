import { beforeAll, describe, expect, it } from 'vitest';
import { postEntry, putEntry, transactionOf, urn } from '../support/bundles.ts';
import type { TestCaller } from '../support/callers.ts';
import { concept, consentBody, hl7, organizationsThere } from '../support/consents.ts';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import {
  admin,
  allPages,
  create,
  elsewhere,
  encounterBody,
  issuesOf,
  matchesIn,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
  stored,
} from '../support/records.ts';

// What a patient's Consents open to other organisations, and close again, on every way to a record. What they mean is compared with a model in
// test/unit/consent-decision.test.ts.

const ofType = (code: string): fhir4.Coding => ({ system: 'http://hl7.org/fhir/resource-types', code });
const restricted = { system: `${hl7}v3-Confidentiality`, code: 'R' };
const hillside: TestCaller = { role: 'physician', organization: 'hillside' };

let server: FhirServer;
beforeAll(async () => {
  server = await fhirServer();
  await organizationsThere(server, ['northside', 'lakeside', 'hillside']);
});

interface Chart {
  readonly patient: Stored<fhir4.Patient>;
  readonly subject: string;
  readonly observation: Stored<fhir4.Observation>;
  readonly condition: Stored<fhir4.Condition>;
}

const chart = async (): Promise<Chart> => {
  const patient = await create(server, patientBody());
  const subject = referenceTo(patient);
  const observation = await create(server, observationBody(subject));
  const condition = await create<fhir4.Condition>(server, {
    resourceType: 'Condition',
    subject: { reference: subject },
    code: { text: 'c' },
  });
  return { patient, subject, observation, condition };
};

const statusOf = async (path: string, as: TestCaller = elsewhere) => (await server.get(path, { as })).status;
const found = async (path: string, as: TestCaller = elsewhere) =>
  (await allPages(server, path, as)).flatMap(resourcesIn).map(referenceTo).sort();

describe('before a Consent', () => {
  it('another organisation finds nothing', async () => {
    const { observation, patient } = await chart();

    expect(await statusOf(pathOf(observation))).toBe(404);
    expect(await found(`Observation?patient=${patient.id}`)).toEqual([]);
  });
});

describe('what a Consent opens to another organisation', () => {
  it('is read, in its versions and its history, found, counted, included and exported', async () => {
    const { patient, subject, observation, condition } = await chart();
    await server.put(pathOf(observation), { ...observation, status: 'amended' });
    await create(server, consentBody(subject));
    const all = [patient, observation, condition].map(referenceTo).sort();

    for (const path of [
      pathOf(observation),
      `${pathOf(observation)}/_history/1`,
      `${pathOf(observation)}/_history`,
      `${pathOf(observation)}/$meta`,
      pathOf(patient),
    ])
      expect(await statusOf(path), path).toBe(200);
    expect(await found(`Observation?patient=${patient.id}`)).toEqual([referenceTo(observation)]);
    expect(await found(`Observation?_id=${observation.id}`)).toEqual([referenceTo(observation)]);
    expect(await found(`Patient/${patient.id}/Condition`)).toEqual([referenceTo(condition)]);
    expect(await found(`Observation?patient=${patient.id}&_include=Observation:patient`)).toEqual(
      [observation, patient].map(referenceTo).sort(),
    );
    expect(await found(`Patient?_id=${patient.id}&_revinclude=Observation:patient`)).toEqual(
      [observation, patient].map(referenceTo).sort(),
    );
    expect(await found(`Patient?_id=${patient.id}&_has:Observation:patient:code=8867-4`)).toEqual([subject]);
    expect(await found(`Observation?_id=${observation.id}&patient.name=sample`)).toEqual([referenceTo(observation)]);
    expect(await found(`${pathOf(patient)}/$everything`)).toEqual(all);
    const { body } = await server.get(`Observation?patient=${patient.id}&_summary=count`, { as: elsewhere });
    expect(body.total).toBe(1);
  });

  it('stays closed to everybody else, and to the Consent itself', async () => {
    const { subject, observation } = await chart();
    const consent = await create(server, consentBody(subject));

    expect(await statusOf(pathOf(observation), hillside)).toBe(404);
    expect(await statusOf(pathOf(consent))).toBe(404);
    expect(await statusOf(pathOf(observation), { role: 'frontdesk', organization: 'lakeside' })).toBe(403);
  });

  it('is only what the provision names, in every answer', async () => {
    const { patient, subject, observation, condition } = await chart();
    const hidden = await create(server, observationBody(subject, { meta: { security: [restricted] } }));
    await create(server, consentBody(subject, { class: [ofType('Observation'), ofType('Patient')] }));

    expect(await statusOf(pathOf(condition))).toBe(404);
    expect(await statusOf(pathOf(hidden))).toBe(404);
    expect(await found(`Observation?patient=${patient.id}`)).toEqual([referenceTo(observation)]);
    expect(await found(`Observation?patient=${patient.id}&_sort=-date&_count=1`)).toEqual([referenceTo(observation)]);
    expect(await found(`${pathOf(patient)}/$everything`)).toEqual([observation, patient].map(referenceTo).sort());
    expect(await found(`Condition?patient=${patient.id}`)).toEqual([]);
  });

  it('is no record that names another patient’s chart as well, whatever that patient says', async () => {
    for (const ids of ['ours', 'chosen']) {
      const made = async <T extends fhir4.FhirResource>(body: T): Promise<Stored<T>> => {
        if (ids === 'ours') return create(server, body);
        const id = `both-${body.resourceType.toLowerCase()}-${others++}`;
        const { status, body: answer } = await server.put(`${body.resourceType}/${id}`, { ...body, id });
        expect(status).toBe(201);
        return stored<T>(answer);
      };
      let others = 0;
      const [a, b] = [await made(patientBody()), await made(patientBody())];
      const participant = (patient: Stored<fhir4.Patient>): fhir4.AppointmentParticipant => ({
        actor: { reference: referenceTo(patient) },
        status: 'accepted',
      });
      const appointmentOf = (...patients: Stored<fhir4.Patient>[]) =>
        create<fhir4.Appointment>(server, {
          resourceType: 'Appointment',
          status: 'proposed',
          participant: patients.map(participant),
        });
      const [own, together] = [await appointmentOf(a), await appointmentOf(a, b)];
      const changed = await appointmentOf(a);
      await server.put(pathOf(changed), { ...changed, participant: [participant(a), participant(b)] });
      await server.put(pathOf(changed), { ...changed, participant: [participant(a)] });
      const [observed, observedToo] = [
        await made(observationBody(referenceTo(a))),
        await made(observationBody(referenceTo(b))),
      ];
      const tellingOf = (...targets: Stored<fhir4.Observation>[]) =>
        create<fhir4.Provenance>(server, {
          resourceType: 'Provenance',
          target: targets.map((target) => ({ reference: referenceTo(target) })),
          recorded: '2026-01-01T00:00:00Z',
          agent: [{ who: { reference: 'Organization/northside' } }],
        });
      const [told, toldOfBoth] = [await tellingOf(observed), await tellingOf(observed, observedToo)];
      await create(server, consentBody(referenceTo(a)));

      for (const open of [own, changed, observed, told]) expect(await statusOf(pathOf(open)), ids).toBe(200);
      expect(await statusOf(`${pathOf(changed)}/_history/1`)).toBe(200);
      for (const path of [pathOf(together), pathOf(toldOfBoth), `${pathOf(changed)}/_history/2`])
        expect(await statusOf(path), path).toBe(404);
      const { body } = await server.get(`${pathOf(changed)}/_history`, { as: elsewhere });
      expect(resourcesIn(body).map(({ meta }) => meta?.versionId)).toEqual(['3', '1']);
      const opened = [own, changed].map(referenceTo).sort();
      expect(await found(`Appointment?patient=${a.id}`)).toEqual(opened);
      expect(await found(`Appointment?_id=${together.id},${own.id}`)).toEqual([referenceTo(own)]);
      expect(await found(`Appointment?patient=${b.id}`)).toEqual([]);
      expect(await found(`${pathOf(b)}/Appointment`)).toEqual([]);
      expect(await found(`${pathOf(a)}/$everything`)).toEqual(
        [...[a, own, changed, observed, told].map(referenceTo), 'Organization/northside'].sort(),
      );
      expect(await found(`Observation?_id=${observed.id}&_revinclude=Provenance:target`)).toEqual(
        [observed, told].map(referenceTo).sort(),
      );
      await create(server, consentBody(referenceTo(b)));
      expect(await statusOf(pathOf(together))).toBe(404);
    }
  });

  it('stays open once its chart is merged with another one, which it does not open, and closes with what closes that', async () => {
    const [one, two] = [await chart(), await chart()];
    const ask = (operation: string) =>
      server.post(`${pathOf(one.patient)}/${operation}`, {
        resourceType: 'Parameters',
        parameter: [{ name: 'source', valueReference: { reference: two.subject } }],
      });
    const seen = async () => ({
      one: [await statusOf(pathOf(one.observation)), await statusOf(pathOf(one.patient))],
      two: [await statusOf(pathOf(two.observation)), await statusOf(pathOf(two.patient))],
      found: await found(`Observation?patient=${one.patient.id}`),
    });
    const open = { one: [200, 200], two: [404, 404], found: [referenceTo(one.observation)] };
    const shut = { one: [404, 404], two: [404, 404], found: [] };
    await create(server, consentBody(one.subject));
    expect(await seen()).toEqual(open);

    await ask('$merge');
    expect(await seen()).toEqual(open);
    const optOut = { coding: [{ system: `${hl7}v3-ActCode`, code: 'OPTOUT' }] };
    const denial = await create(server, consentBody(two.subject, {}, { policyRule: optOut }));
    expect(await seen()).toEqual(shut);
    await ask('$unmerge');
    expect(await seen()).toEqual(open);

    await ask('$merge');
    await server.put(pathOf(denial), { ...denial, status: 'inactive' });
    await create(server, consentBody(two.subject));
    expect(await found(`Observation?patient=${two.patient.id}`)).toEqual(
      [one, two].map(({ observation }) => referenceTo(observation)).sort(),
    );
  });

  it('is found whether or not another patient has records that are hidden', async () => {
    const [a, b] = [await create(server, patientBody()), await create(server, patientBody())];
    const appointmentOf = (...patients: Stored<fhir4.Patient>[]) =>
      create<fhir4.Appointment>(server, {
        resourceType: 'Appointment',
        status: 'proposed',
        participant: patients.map((patient) => ({ actor: { reference: referenceTo(patient) }, status: 'accepted' })),
      });
    const as: TestCaller = { role: 'patient', patient: a.id };
    const together = await appointmentOf(a, b);
    const before = await found(`Appointment?patient=${b.id}`, as);
    expect(before).toEqual([referenceTo(together)]);
    for (let more = 0; more < 3; more++) await appointmentOf(b);
    expect(await found(`Appointment?patient=${b.id}`, as)).toEqual(before);
  });

  it('may not be written there, and not be referred to', async () => {
    const { subject, observation } = await chart();
    await create(server, consentBody(subject));
    const changed = { ...observation, status: 'amended' };

    const written = await server.put(pathOf(observation), changed, { as: elsewhere });
    const patched = await server.request('PATCH', pathOf(observation), {
      as: elsewhere,
      headers: { 'content-type': 'application/json-patch+json' },
      body: [{ op: 'replace', path: '/status', value: 'amended' }],
    });
    const deleted = await server.delete(pathOf(observation), { as: elsewhere });
    const labelled = await server.post(
      `${pathOf(observation)}/$meta-add`,
      { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: { security: [restricted] } }] },
      { as: elsewhere },
    );
    const created = await server.post('Observation', observationBody(subject), { as: elsewhere });

    expect([written, patched, deleted, labelled].map(({ status }) => status)).toEqual([403, 403, 403, 403]);
    expect(issuesOf(written.body)[0]?.reason).toBe('forbidden-custodian');
    expect([created.status, issuesOf(created.body)[0]?.reason]).toEqual([400, 'reference-not-found']);
    expect((await server.get(pathOf(observation))).body.meta?.versionId).toBe('1');
  });

  it('hides what it said before, once what it says now is closed', async () => {
    const { subject, observation } = await chart();
    await create(server, consentBody(subject));
    await server.put(pathOf(observation), { ...observation, meta: { security: [restricted] } });

    expect(await statusOf(`${pathOf(observation)}/_history/1`)).toBe(404);
    expect(await statusOf(`${pathOf(observation)}/_history`)).toBe(404);
    expect(await found(`Observation?patient=${subject}`)).toEqual([]);
  });

  it('leaves its trace in the patient’s log, with who looked', async () => {
    const { patient, subject, observation } = await chart();
    await create(server, consentBody(subject));
    await server.get(pathOf(observation), { as: elsewhere });
    await server.get(pathOf(observation), { as: hillside });

    const { body } = await server.get(`AuditEvent?patient=${patient.id}&action=R`, { as: { role: 'privacy' } });

    expect(resourcesIn(body).map(({ outcome, agent }) => [agent?.[0]?.name, outcome])).toEqual([
      ['physician@hillside.example', '4'],
      ['physician@lakeside.example', '0'],
    ]);
  });
});

describe('a Consent is in force with the next request', () => {
  it('and closed again by an update, a patch or its deletion', async () => {
    const { subject, observation } = await chart();
    const consent = await create(server, consentBody(subject));
    const revoked = { ...consent, status: 'inactive' };
    const patch = {
      headers: { 'content-type': 'application/json-patch+json' },
      body: [{ op: 'replace', path: '/status', value: 'inactive' }],
    };
    const steps: [() => Promise<{ status: number }>, number][] = [
      [() => server.put(pathOf(consent), revoked), 404],
      [() => server.put(pathOf(consent), consent), 200],
      [() => server.request('PATCH', pathOf(consent), patch), 404],
      [() => server.put(pathOf(consent), consent), 200],
      [() => server.delete(pathOf(consent)), 404],
    ];

    expect(await statusOf(pathOf(observation))).toBe(200);
    for (const [index, [step, status]] of steps.entries()) {
      expect((await step()).status, `step ${index}`).toBeLessThan(300);
      expect(await statusOf(pathOf(observation)), `step ${index}`).toBe(status);
    }
  });

  it('when the patient writes it', async () => {
    const { patient, subject, observation } = await chart();
    const as: TestCaller = { role: 'patient', patient: patient.id, scope: 'patient/*.rs patient/Consent.cruds' };

    await create(server, consentBody(subject, {}, { performer: [{ reference: subject }] }), as);

    expect(await statusOf(pathOf(observation))).toBe(200);
  });

  it('from when its period begins until it lapses, without a write', async () => {
    const { subject, observation } = await chart();
    await create(server, consentBody(subject, { period: { start: '2030-01-01', end: '2030-12-31' } }));
    const statuses: number[] = [];
    for (const time of ['2029-12-31T23:59:59.999Z', '2030-01-01', '2030-12-31T23:59:59.999Z', '2031-01-01']) {
      server.setTime(Date.parse(time));
      statuses.push(await statusOf(pathOf(observation)));
    }
    server.setTime(undefined);

    expect(statuses).toEqual([404, 200, 200, 404]);
  });

  it('in a transaction with what it opens, be it staged', async () => {
    for (const observations of [1, 120]) {
      const [fullUrl, consentUrl] = [urn(), urn()];
      const { body } = await server.post(
        '',
        transactionOf(
          postEntry(patientBody(), fullUrl),
          postEntry(consentBody(fullUrl), consentUrl),
          ...Array.from({ length: observations }, () => postEntry(observationBody(fullUrl))),
        ),
      );
      const [patient = '', consent = ''] = [...(body.entry ?? [])].map(({ response }) =>
        String(response?.location).replace(/.*\/(\w+\/[^/]+)\/_history\/1$/, '$1'),
      );

      expect((await found(`Observation?patient=${patient}&_count=200`)).length).toBe(observations);

      const revoked = {
        ...stored<fhir4.Consent>((await server.get(consent)).body),
        status: 'inactive' as const,
      };
      const others = Array.from({ length: observations }, () => postEntry(observationBody(patient)));
      expect((await server.post('', transactionOf(putEntry(revoked), ...others))).status).toBe(200);
      expect(await found(`Observation?patient=${patient}`)).toEqual([]);
    }
  });

  it('together with others that are written at the same moment', async () => {
    const { patient, subject, observation, condition } = await chart();
    const deny = (code: string) =>
      consentBody(subject, { actor: [], provision: [{ type: 'deny', class: [ofType(code)] }] });
    const { actor: _actor, ...nobody } = deny('Observation').provision ?? {};
    await Promise.all([
      create(server, consentBody(subject)),
      create(server, { ...deny('Observation'), provision: nobody }),
      ...Array.from({ length: 6 }, () => create(server, consentBody(subject, { class: [ofType('Encounter')] }))),
    ]);

    expect(await statusOf(pathOf(observation))).toBe(404);
    expect(await statusOf(pathOf(condition))).toBe(200);
    expect(await found(`Observation?patient=${patient.id}`)).toEqual([]);
  });

  it('for all who begin behind its revocation, while others read', async () => {
    const { patient, subject, observation } = await chart();
    let consent = await create(server, consentBody(subject));
    for (let round = 0; round < 5; round++) {
      let revoked = false;
      const late: string[] = [];
      const readers = [pathOf(observation), `Observation?patient=${patient.id}`, `${pathOf(patient)}/$everything`].map(
        async (path) => {
          for (let after = 0; after < 2; ) {
            const begunLate = revoked;
            if (begunLate) after++;
            const { text } = await server.get(path, { as: elsewhere });
            if (begunLate && text.includes(`"id":"${observation.id}"`)) late.push(path);
          }
        },
      );
      const { status, body } = await server.put(pathOf(consent), { ...consent, status: 'inactive' });
      revoked = true;
      await Promise.all(readers);
      expect([status, late]).toEqual([200, []]);
      const again = await server.put(pathOf(consent), { ...stored<fhir4.Consent>(body), status: 'active' });
      consent = stored(again.body);
      expect(await statusOf(pathOf(observation))).toBe(200);
    }
  });
});

describe('what access across organisations costs', () => {
  it('nothing for what one’s own organisation keeps; one Query behind the read for others, or for nothing at all, and a row that says by which right, or that it was refused', async () => {
    const { patient, subject, observation } = await chart();
    await create(server, consentBody(subject));
    const spent = async (path: string, as?: TestCaller) => {
      server.calls.reset();
      await server.get(path, as ? { as } : {});
      return {
        calls: [...server.calls.names].sort(),
        sequential: server.calls.sequential(),
        units: server.calls.readUnits,
      };
    };
    const own = { calls: ['GetItem', 'PutItem'], sequential: 1, units: 1 };
    const shared = { calls: ['GetItem', 'PutItem', 'PutItem', 'Query'], sequential: 3, units: 2 };

    expect(await spent(pathOf(observation))).toEqual(own);
    expect(await spent(pathOf(observation), elsewhere)).toEqual(shared);
    expect(await spent(`Observation?patient=${patient.id}`)).toMatchObject({
      calls: ['PutItem', 'Query'],
      sequential: 1,
    });
    expect(await spent(`Observation?patient=${patient.id}`, elsewhere)).toMatchObject({
      calls: ['PutItem', 'PutItem', 'Query', 'Query'],
      sequential: 3,
    });
    const { calls } = await spent(pathOf(observation), hillside);
    expect(calls).toEqual(['GetItem', 'PutItem', 'PutItem', 'Query']); // the second row tells of the refusal
  });

  it('refuses a transaction with more Consents than can close at once, and writes nothing of it', async () => {
    const { subject } = await chart();
    const optOut = consentBody(subject, {}, { policyRule: concept('v3-ActCode', 'OPTOUT') });
    const { provision: _provision, ...closing } = optOut;

    const { status, body } = await server.post(
      '',
      transactionOf(...Array.from({ length: 100 }, () => postEntry(closing))),
    );

    expect([status, issuesOf(body)[0]?.reason]).toEqual([413, 'too-many-consents']);
    expect(await found(`Consent?patient=${subject}`, { role: 'physician' })).toEqual([]);
  });

  it('refuses a Consent that is too long to be looked at with each access', async () => {
    const { subject } = await chart();
    const code = Array.from({ length: 2_000 }, (_, n) => ({ coding: [{ system: 'http://s', code: `code-${n}` }] }));

    const { status, body } = await server.post(
      'Consent',
      consentBody(subject, { provision: [{ type: 'deny', code }] }),
    );

    expect([status, issuesOf(body)[0]?.reason]).toEqual([413, 'consent-too-large']);
  });
});

describe('what closes, whatever a reader says', () => {
  it.each([{}, { host: 'other.test' }, { 'x-forwarded-proto': 'http' }])('with the headers %j', async (headers) => {
    const { subject } = await chart();
    const encounter = await create(server, encounterBody(subject));
    const [denied, open] = await Promise.all(
      [`https://concord.test/fhir/${referenceTo(encounter)}`, undefined].map((reference) =>
        create(server, observationBody(subject, reference === undefined ? {} : { encounter: { reference } })),
      ),
    );
    const data: fhir4.ConsentProvisionData[] = [
      { meaning: 'dependents', reference: { reference: referenceTo(encounter) } },
    ];
    await create(server, consentBody(subject, { provision: [{ type: 'deny', data }] }));
    const seen = async (record: Stored<fhir4.Observation> | undefined) =>
      (await server.get(pathOf(record as Stored<fhir4.Observation>), { as: elsewhere, headers })).status;

    expect(await seen(open)).toBe(200);
    expect(await seen(denied)).toBe(404);
  });

  it('in what names another patient’s chart under another name of this server', async () => {
    const [mine, another] = [await chart(), await chart()];
    const visit = await create(server, encounterBody(another.subject));
    const [both, own] = await Promise.all(
      [`https://concord.test/fhir/${referenceTo(visit)}`, undefined].map((reference) =>
        create(server, observationBody(mine.subject, reference === undefined ? {} : { focus: [{ reference }] })),
      ),
    );
    await create(server, consentBody(mine.subject));
    const seen = async (record: Stored<fhir4.Observation> | undefined) =>
      (
        await server.get(pathOf(record as Stored<fhir4.Observation>), {
          as: elsewhere,
          headers: { host: 'other.test' },
        })
      ).status;

    expect(await seen(own)).toBe(200);
    expect(await seen(both)).toBe(404);
  });

  it('by a name that the token has as an address', async () => {
    await server.put(
      'Practitioner/dr',
      { resourceType: 'Practitioner', id: 'dr' },
      { as: { ...admin, organization: 'lakeside' } },
    );
    const { subject, observation } = await chart();
    const actor = [{ role: concept('v3-ParticipationType', 'IRCP'), reference: { reference: 'Practitioner/dr' } }];
    await create(server, consentBody(subject, { provision: [{ type: 'deny', actor }] }));
    const by = (fhirUser: string): TestCaller => ({ ...elsewhere, claims: { fhirUser } });

    expect(await statusOf(pathOf(observation), by('Practitioner/other'))).toBe(200);
    expect(await statusOf(pathOf(observation), by('Practitioner/dr'))).toBe(404);
    expect(await statusOf(pathOf(observation), by('https://concord.test/fhir/Practitioner/dr'))).toBe(404);
  });

  it('the Provenance of a Consent, as the Consent itself', async () => {
    const { subject, observation } = await chart();
    const consent = await create(server, consentBody(subject));
    const [ofObservation, ofConsent] = await Promise.all(
      [referenceTo(observation), referenceTo(consent)].map((reference) =>
        create<fhir4.Provenance>(server, {
          resourceType: 'Provenance',
          target: [{ reference }],
          recorded: '2024-01-01T00:00:00Z',
          agent: [{ who: { reference: 'Organization/northside' } }],
        }),
      ),
    );

    expect(await statusOf(pathOf(ofObservation as Stored<fhir4.Provenance>))).toBe(200);
    expect(await statusOf(pathOf(ofConsent as Stored<fhir4.Provenance>))).toBe(404);
  });
});

describe('Consents without effect', () => {
  it('open nothing: of nobody, not active, about something else', async () => {
    const { subject, observation } = await chart();
    const { patient: _patient, ...ofNobody } = consentBody(subject);
    await create(server, ofNobody);
    await create(server, consentBody(subject, {}, { status: 'proposed' }));
    await create(server, consentBody(subject, {}, { scope: concept('consentscope', 'treatment') }));

    expect(await statusOf(pathOf(observation))).toBe(404);
    expect(matchesIn((await server.get(`Observation?patient=${subject}`, { as: elsewhere })).body)).toEqual([]);
  });
});
