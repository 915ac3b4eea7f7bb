import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { compartments } from '../../shared/fhir/compartments.lazy.ts';
import { batchOf, getEntry } from '../support/bundles.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  admin,
  allPages,
  create,
  elsewhere,
  encounterBody,
  entriesOf,
  expressionsIn,
  issuesOf,
  linkOf,
  nextLinkOf,
  observationBody,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
  system,
} from '../support/records.ts';

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

const matchesIn = (bundle: TestBody): string[] =>
  ((bundle as unknown as fhir4.Bundle).entry ?? [])
    .filter(({ search }) => search?.mode === 'match')
    .flatMap(({ resource }) => (resource ? [referenceTo(resource)] : []));
const found = async (path: string, as = system): Promise<string[]> =>
  (await allPages(server, path, as)).flatMap(matchesIn).sort();
const refused = async (path: string, as = system) => {
  const { status, body } = await server.get(path, { as });
  return [status, issuesOf(body)[0]?.reason];
};
const names = (...records: { resourceType: string; id?: string }[]) => records.map(referenceTo).sort();

describe('a search in the compartment of a patient', () => {
  it('finds what the patient is subject of and what refers to the patient otherwise, in one Query', async () => {
    const own = await create(server, observationBody(referenceTo(patient)));
    const performed = await create(
      server,
      observationBody(referenceTo(other), { performer: [{ reference: referenceTo(patient) }] }),
    );
    await create(server, observationBody(referenceTo(other), { focus: [{ reference: referenceTo(patient) }] }));
    server.calls.reset();

    const { status, body } = await server.get(`${referenceTo(patient)}/Observation`);

    expect(status).toBe(200);
    expect(matchesIn(body).sort()).toEqual(names(own, performed));
    expect(JSON.stringify(body)).not.toContain('No index');
    const reads = server.calls.names.filter((name) => name !== 'PutItem');
    expect(reads).toEqual(['Query', 'BatchGetItem']); // the second one for what lies in the other chart
  });

  it('costs what a search by patient costs: one Query of as many rows as a page shows', async () => {
    for (let n = 0; n < 30; n++) await create(server, observationBody(referenceTo(patient)));
    const costOf = async (path: string) => {
      server.calls.reset();
      expect(matchesIn((await server.get(path)).body)).toHaveLength(5);
      return {
        calls: [...server.calls.names].sort(),
        sequential: server.calls.sequential(),
        read: server.calls.readUnits,
      };
    };

    const byPatient = await costOf(`Observation?patient=${patient.id}&_count=5`);
    expect(byPatient).toMatchObject({ calls: ['PutItem', 'Query'], sequential: 1 });
    expect(await costOf(`Patient/${patient.id}/Observation?_count=5`)).toEqual(byPatient);
  });

  it('narrows by parameters, sorts, counts and pages, and its links keep the path', async () => {
    const dates = ['2021-01-01', '2021-01-03', '2021-01-02'];
    for (const effectiveDateTime of dates)
      await create(server, observationBody(referenceTo(patient), { effectiveDateTime }));
    await create(server, observationBody(referenceTo(patient), { code: { text: 'other' } }));
    const path = `Patient/${patient.id}/Observation`;

    expect(await found(`${path}?code=8867-4&_count=1`)).toHaveLength(3);
    expect((await server.get(`${path}?code=8867-4&_summary=count`)).body.total).toBe(3);
    expect((await server.get(`${path}?_count=0`)).body.total).toBe(4);
    const sorted = await allPages(server, `${path}?code=8867-4&_sort=-date&_count=2`);
    expect(sorted.flatMap(resourcesIn).map((each) => String(each.effectiveDateTime))).toEqual(
      dates.toSorted().reverse(),
    );
    const [first = {} as TestBody] = sorted;
    expect(linkOf(first, 'self')).toBe(`https://concord.test/fhir/${path}?code=8867-4&_sort=-date&_count=2`);
    expect(nextLinkOf(first)?.startsWith(`https://concord.test/fhir/${path}?`)).toBe(true);
    const moved = String(nextLinkOf(first)).replace(path, `Patient/${other.id}/Observation`);
    expect(await refused(moved, { role: 'physician' })).toEqual([400, 'page-link']);
  });

  it('takes its parameters as a form too', async () => {
    const own = await create(server, observationBody(referenceTo(patient)));
    const form = { headers: { 'content-type': 'application/x-www-form-urlencoded' } };

    const { status, body } = await server.post(`Patient/${patient.id}/Observation/_search`, 'code=8867-4', form);

    expect([status, matchesIn(body)]).toEqual([200, [referenceTo(own)]]);
    expect(linkOf(body, 'self')).toBe(`https://concord.test/fhir/Patient/${patient.id}/Observation?code=8867-4`);
  });

  it('has the patient in it, and who is linked with the patient', async () => {
    const link = [{ other: { reference: referenceTo(patient) }, type: 'seealso' as const }];
    const linked = await create(server, patientBody({ link }));

    expect(await found(`Patient/${patient.id}/Patient`)).toEqual(names(patient, linked));
    expect(await found(`Patient/${other.id}/Patient`)).toEqual(names(other));
    expect(await found(`Patient/${patient.id}/Patient?gender=male`)).toEqual([]);
  });

  it('answers in a batch', async () => {
    const own = await create(server, observationBody(referenceTo(patient)));
    const path = `Patient/${patient.id}/Observation?code=8867-4`;

    const { body } = await server.post('', batchOf(getEntry(path), getEntry(`Patient/${patient.id}/Nonsense`)));

    const [answered = {} as TestBody, unknown = {} as TestBody] = entriesOf(body);
    expect(matchesIn(answered.resource as TestBody)).toEqual([referenceTo(own)]);
    expect(linkOf(answered.resource as TestBody, 'self')).toBe(`https://concord.test/fhir/${path}`);
    expect(String(unknown.response?.status)).toBe('404');
  });

  it('follows chains and includes', async () => {
    await create(server, observationBody(referenceTo(patient), { encounter: { reference: referenceTo(encounter) } }));
    await create(server, observationBody(referenceTo(patient)));
    const path = `Patient/${patient.id}/Observation?encounter.status=finished&_include=Observation:encounter`;

    const { body } = await server.get(path);

    expect(resourcesIn(body).map(({ resourceType }) => String(resourceType))).toEqual(['Observation', 'Encounter']);
  });

  it('finds every type of the compartment in one Query, those alone that the caller may search', async () => {
    const observation = await create(server, observationBody(referenceTo(patient)));
    const appointment = await create(server, {
      resourceType: 'Appointment',
      status: 'proposed',
      participant: [{ actor: { reference: referenceTo(patient) }, status: 'needs-action' }],
    } as fhir4.Appointment);
    await create(server, {
      resourceType: 'Task',
      status: 'requested',
      intent: 'order',
      for: { reference: referenceTo(patient) },
    } as fhir4.Task);
    server.calls.reset();

    const { body } = await server.get(`Patient/${patient.id}/*`);

    expect(matchesIn(body).sort()).toEqual(names(patient, encounter, observation, appointment));
    expect([...server.calls.names].sort()).toEqual(['PutItem', 'Query']);
    expect(linkOf(body, 'self')).toBe(`https://concord.test/fhir/Patient/${patient.id}/*`);
    expect(await found(`Patient/${patient.id}/*?_count=1`)).toEqual(
      names(patient, encounter, observation, appointment),
    );
    expect((await server.get(`Patient/${patient.id}/*?_summary=count`)).body.total).toBe(4);
    expect(await found(`Patient/${patient.id}/*?_type=Encounter,Appointment`)).toEqual(names(encounter, appointment));
    expect(await found(`Patient/${patient.id}/*`, { role: 'frontdesk' })).toEqual(names(patient, appointment));
    expect(await found(`Patient/${patient.id}/*`, elsewhere)).toEqual([]);
    expect(await refused(`Patient/${patient.id}/*?_type=Task`)).toEqual([400, 'not-supported']);
  });

  it('is refused to whom the role or the scope refuses the type, and shows others nothing', async () => {
    await create(server, observationBody(referenceTo(patient)));
    const path = `Patient/${patient.id}/Observation`;

    expect(await refused(path, { role: 'frontdesk' })).toEqual([403, 'forbidden-role']);
    expect(await refused(path, { role: 'physician', scope: 'user/Patient.rs' })).toEqual([403, 'forbidden-scope']);
    expect(await found(path, { role: 'physician', scope: 'user/Observation.rs' })).toHaveLength(1);
    expect(await found(path, elsewhere)).toEqual([]);
    expect(await found('Patient/nobody/Observation')).toEqual([]);
    expect(await found(path, { role: 'patient', patient: patient.id })).toHaveLength(1);
    expect(await found(path, { role: 'patient', patient: other.id })).toEqual([]);
  });

  it('says what it does not know and what is in no compartment', async () => {
    expect(await refused(`Patient/${patient.id}/Nonsense`)).toEqual([404, 'no-such-path']);
    expect(await refused(`Patient/${patient.id}/Organization`)).toEqual([400, 'not-in-compartment']);
    expect(await refused(`Observation/${patient.id}/Condition`)).toEqual([404, 'no-such-path']);
    expect(await refused(`Patient/${patient.id}/AuditEvent`, { role: 'privacy' })).toEqual([400, 'not-supported']);
    for (const type of ['Organization', 'AuditEvent'])
      expect(expressionsIn((await server.get(`Patient/${patient.id}/${type}`)).body)).toEqual(['path']);
    const { status, headers } = await server.put(`Patient/${patient.id}/Observation`, {});
    expect([status, headers.allow]).toEqual([405, 'GET, HEAD']);
  });

  it('leaves its trace in the chart, with what it asked for, and in no other chart with its values', async () => {
    const performed = await create(
      server,
      observationBody(referenceTo(other), { performer: [{ reference: referenceTo(patient) }] }),
    );
    await server.get(`Patient/${patient.id}/Observation?code=8867-4`);

    // A look at the log may or may not show itself: it is written while it is read.
    const traced = async ({ id }: { id: string }) => {
      const { body } = await server.get(`AuditEvent?patient=${id}`, { as: { role: 'privacy' } });
      const events = resourcesIn(body).map((event) => {
        const { entity } = event as unknown as fhir4.AuditEvent;
        const query = entity?.find((each) => each.query !== undefined)?.query ?? '';
        return { query: Buffer.from(query, 'base64').toString(), text: JSON.stringify(entity) };
      });
      return events.find(({ query }) => query.startsWith('Patient/')) ?? { query: 'none', text: '' };
    };
    expect((await traced(patient)).query).toBe(`Patient/${patient.id}/Observation?code=8867-4`);
    const elsewhereTraced = await traced(other);
    expect(elsewhereTraced.query).toBe('Patient/…/Observation?code');
    expect(elsewhereTraced.text).toContain(referenceTo(performed));
  });
});

describe('a search in another compartment', () => {
  it('finds what an encounter is the context of, in one Query', async () => {
    const condition = (of: Stored<fhir4.Patient>) =>
      create(server, {
        resourceType: 'Condition',
        subject: { reference: referenceTo(of) },
        encounter: { reference: referenceTo(encounter) },
      } as fhir4.Condition);
    const own = await condition(patient);
    await create(server, {
      resourceType: 'Condition',
      subject: { reference: referenceTo(patient) },
    } as fhir4.Condition);
    server.calls.reset();

    expect(await found(`Encounter/${encounter.id}/Condition`)).toEqual(names(own));
    expect([...server.calls.names].sort()).toEqual(['PutItem', 'Query']);
    expect(await found(`Encounter/${encounter.id}/Encounter`)).toEqual(names(encounter));
    expect(await refused(`Encounter/${encounter.id}/*`)).toEqual([404, 'no-such-path']);
    expect(await found(`Encounter/${encounter.id}/Condition`, elsewhere)).toEqual([]);
    expect(await found(`Encounter/${patient.id}/Condition`)).toEqual([]);
  });

  it('finds the appointments of a practitioner by their registry, without a walk', async () => {
    const doctor = await create(
      server,
      { resourceType: 'Practitioner', name: [{ family: 'Heal' }] } as fhir4.Practitioner,
      admin,
    );
    const appointment = await create(server, {
      resourceType: 'Appointment',
      status: 'proposed',
      participant: [patient, doctor].map((actor) => ({
        actor: { reference: referenceTo(actor) },
        status: 'needs-action',
      })),
    } as fhir4.Appointment);

    const { body } = await server.get(`Practitioner/${doctor.id}/Appointment`);

    expect(matchesIn(body)).toEqual(names(appointment));
    expect(JSON.stringify(body)).not.toContain('No index');
    expect(await found(`Practitioner/${doctor.id}/Appointment`, elsewhere)).toEqual([]);
    expect(await refused(`Practitioner/${doctor.id}/Appointment`, { role: 'lab' })).toEqual([403, 'forbidden-role']);
  });

  it('finds what a device and a related person took part in, in their chart', async () => {
    const device = await create(server, {
      resourceType: 'Device',
      patient: { reference: referenceTo(patient) },
    } as fhir4.Device);
    const mother = await create(server, {
      resourceType: 'RelatedPerson',
      patient: { reference: referenceTo(patient) },
    } as fhir4.RelatedPerson);
    const measured = await create(
      server,
      observationBody(referenceTo(patient), {
        device: { reference: referenceTo(device) },
        performer: [{ reference: referenceTo(mother) }],
      }),
    );
    await create(server, observationBody(referenceTo(patient)));

    for (const owner of [device, mother]) {
      server.calls.reset();
      expect(await found(`${referenceTo(owner)}/Observation`)).toEqual(names(measured));
      expect([...server.calls.names].sort()).toEqual(['PutItem', 'Query']);
      expect(await found(`${referenceTo(owner)}/Observation`, elsewhere)).toEqual([]);
    }
  });

  it('is offered for the five types that have compartments', async () => {
    const offered = Object.keys(compartments).map(async (owner) => (await server.get(`${owner}/x/Observation`)).status);

    expect(await Promise.all(offered)).toEqual([200, 200, 200, 200, 200]);
  });
});

describe('pages of a whole compartment', () => {
  it('hold everything once, whatever leads to it, in one Query each', async () => {
    const patient = referenceTo(await create(server, patientBody()));
    const subject = { reference: patient };
    const made = [patient];
    for (let n = 0; n < 2; n++) {
      made.push(referenceTo(await create(server, observationBody(patient))));
      made.push(referenceTo(await create(server, { resourceType: 'Condition', subject } as fhir4.Condition)));
      const request = { resourceType: 'CommunicationRequest', status: 'active', subject };
      made.push(referenceTo(await create(server, request as fhir4.CommunicationRequest)));
    }
    server.calls.reset();
    await server.get(`${patient}/*`);
    const calls = [...server.calls.names].sort();
    const pages = await allPages(server, `${patient}/*?_count=1`);

    expect(calls).toEqual(['PutItem', 'Query']);
    expect(pages.flatMap(resourcesIn).map(referenceTo).sort()).toEqual(made.sort());
  });
});
