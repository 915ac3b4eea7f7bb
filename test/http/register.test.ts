import { beforeAll, describe, expect, it } from 'vitest';
import { samePatientUrl } from '../../shared/people/mother.ts';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  create,
  elsewhere,
  identifierSystem,
  issuesOf,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
} from '../support/records.ts';

// Patients come to the desk who are there already, who have no name, and who have just been born.

const now = Date.UTC(2026, 10, 27, 9, 14);
const frontdesk: TestCaller = { role: 'frontdesk' };

let server: FhirServer;

beforeAll(async () => {
  server = await fhirServer();
  server.setTime(now);
});

const someone = (family: string, elements: Partial<fhir4.Patient> = {}): fhir4.Patient => ({
  resourceType: 'Patient',
  name: [{ family, given: ['Ngozi'] }],
  birthDate: '1980-02-03',
  gender: 'female',
  ...elements,
});
const register = (
  patient: fhir4.Patient,
  { confirmed, mother, as = frontdesk }: { confirmed?: boolean; mother?: string; as?: TestCaller } = {},
) =>
  server.post(
    'Patient/$register',
    {
      resourceType: 'Parameters',
      parameter: [
        { name: 'patient', resource: patient },
        ...(confirmed === undefined ? [] : [{ name: 'confirmed', valueBoolean: confirmed }]),
        ...(mother === undefined ? [] : [{ name: 'mother', valueReference: { reference: mother } }]),
      ],
    },
    { as, headers: { prefer: 'return=representation' } },
  );
const warningsOf = (response: { headers: Readonly<Record<string, unknown>> }): string =>
  JSON.stringify(response.headers);
const found = async (query: string): Promise<string[]> => resourcesIn((await server.get(query)).body).map(referenceTo);
const told = ({ body }: { body: TestBody }) => issuesOf(body).map(({ reason, code, text }) => [reason, code, text]);

describe('a registration', () => {
  it('of somebody new is made, in the calls of a search and of a write', async () => {
    server.calls.reset();
    const { status, body } = await register(someone('Adeyemi'));

    expect([status, body['name']]).toEqual([201, someone('Adeyemi').name]);
    expect(server.calls.sequential()).toBe(2);
    expect(server.calls.names.filter((name) => name === 'TransactWriteItems')).toHaveLength(1);
    expect(await found('Patient?name=Adeyemi')).toEqual([referenceTo(body)]);
  });

  it('of who may be there already is refused with who that is, and is made once that is confirmed', async () => {
    const first = stored(await register(someone('Okafor')));

    const again = await register(someone('Okafor'));
    const confirmed = await register(someone('Okafor'), { confirmed: true });

    const message = `${referenceTo(first)} may be this person: probable`;
    expect([again.status, told(again)]).toEqual([409, [['possible-duplicate', 'duplicate', message]]]);
    expect(JSON.stringify(again.body)).not.toContain('Okafor');
    expect([confirmed.status, confirmed.body['link']]).toEqual([201, undefined]);
    expect(warningsOf(confirmed)).toContain(message);
    expect((await found('Patient?name=Okafor')).sort()).toEqual(
      [referenceTo(first), referenceTo(confirmed.body)].sort(),
    );
  });

  it('names who replaces the one that matches', async () => {
    const identifier = [{ system: identifierSystem, value: 'R-1' }];
    const gone = stored(await register(someone('Eze', { identifier })));
    const kept = await create(server, patientBody({ name: [{ family: 'Obi' }], birthDate: '1950-01-01' }));
    const source = { name: 'source', valueReference: { reference: referenceTo(gone) } };
    await server.post(`${pathOf(kept)}/$merge`, { resourceType: 'Parameters', parameter: [source] });

    const again = await register(someone('Eze', { identifier }));

    expect(told(again).map(([, , text]) => text)).toEqual([
      expect.stringMatching(new RegExp(`^${referenceTo(kept)} may be this person: (certain|probable)$`)),
    ]);
  });

  it('leaves a trace with each who is told of, and not of whom it was asked for', async () => {
    const first = stored(await register(someone('Danjuma')));
    await register(someone('Danjuma'));

    const log = resourcesIn((await server.get(`AuditEvent?patient=${first.id}`, { as: { role: 'privacy' } })).body);
    const asked = log.filter((event) => JSON.stringify(event).includes(btoa('Patient/$register')));
    expect(asked).toHaveLength(1);
    expect(JSON.stringify(asked)).toContain(referenceTo(first));
    expect(JSON.stringify(asked)).not.toContain('Danjuma');
  });

  it('tells nothing of whom the caller may not see', async () => {
    await create(server, someone('Balogun'), elsewhere);

    expect((await register(someone('Balogun'))).status).toBe(201);
  });

  it('is for who registers patients', async () => {
    const asked = await Promise.all(
      ['pharmacist', 'lab', 'support', 'privacy', 'admin'].map(async (role) => {
        const { status } = await register(someone('Nobody'), { as: { role } });
        return status;
      }),
    );

    expect(asked).toEqual(asked.map(() => 403));
    expect(await found('Patient?name=Nobody')).toEqual([]);
  });
});

describe('who has no name', () => {
  it('is found by a temporary one, and is not compared by it', async () => {
    const [one, other] = [await register({ resourceType: 'Patient' }), await register({ resourceType: 'Patient' })];

    expect([one.status, other.status]).toEqual([201, 201]);
    expect(one.body['name']).toEqual([{ use: 'temp', text: 'Unidentified 2026-11-27 09:14' }]);
    expect(warningsOf(one)).toContain('Too little is told');
    expect((await found('Patient?name=Unidentified')).sort()).toEqual(
      [referenceTo(one.body), referenceTo(other.body)].sort(),
    );
  });
});

describe('a newborn', () => {
  const newborn = (elements: Partial<fhir4.Patient> = {}): fhir4.Patient => ({
    resourceType: 'Patient',
    birthDate: '2026-11-27',
    ...elements,
  });
  const mothers = async (child: TestBody) =>
    resourcesIn((await server.get(`RelatedPerson?patient=${child['id']}`)).body) as unknown as fhir4.RelatedPerson[];

  it('is named after the mother, who is told of in its chart and not in hers', async () => {
    const mother = stored(
      await register(
        someone('', {
          name: [
            { use: 'old', family: 'Abiola' },
            { use: 'official', family: 'Chukwu', given: ['Ngozi'] },
            { use: 'usual', family: 'Nwosu', given: ['Ngozi'] },
          ],
        }),
      ),
    );
    const before = (await server.get(pathOf(mother))).body;
    server.calls.reset();

    const { status, body } = await register(newborn(), { mother: referenceTo(mother) });

    expect(server.calls.sequential()).toBe(3);
    expect([status, body['name']]).toEqual([201, [{ use: 'temp', text: 'Newborn Nwosu', family: 'Nwosu' }]]);
    expect(await mothers(body)).toMatchObject([
      {
        patient: { reference: referenceTo(body) },
        relationship: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-RoleCode', code: 'MTH' }] }],
        name: [{ family: 'Nwosu', given: ['Ngozi'] }],
        extension: [{ url: samePatientUrl, valueReference: { reference: referenceTo(mother) } }],
      },
    ]);
    expect((await server.get(pathOf(mother))).body).toEqual(before);
  });

  it('is told from its twin', async () => {
    const mother = referenceTo(stored(await register(someone('Igwe'))));

    const twins = [
      await register(newborn({ multipleBirthInteger: 1 }), { mother }),
      await register(newborn({ multipleBirthInteger: 2 }), { mother }),
    ];

    expect(
      twins.map(({ status, body }) => [status, body['name']?.[0]?.['text'], body['multipleBirthInteger']]),
    ).toEqual([
      [201, 'Newborn 1 Igwe', 1],
      [201, 'Newborn 2 Igwe', 2],
    ]);
  });

  it('is told of to who registers it again', async () => {
    const mother = referenceTo(stored(await register(someone('Uche'))));
    const first = stored(await register(newborn({ gender: 'male' }), { mother }));

    const again = await register(newborn({ gender: 'male' }), { mother });

    expect(told(again)).toEqual([
      ['possible-duplicate', 'duplicate', `${referenceTo(first)} may be this person: probable`],
    ]);
  });

  it('needs the right to write who its mother is, and then nothing is written', async () => {
    const mother = referenceTo(stored(await register(someone('Bello'))));

    const { status } = await register(newborn(), { mother, as: { ...frontdesk, scope: 'user/Patient.cruds' } });

    expect([status, await found('Patient?name=Bello')]).toEqual([403, [mother]]);
  });

  it('of a mother whom the caller may not see, or who is none, is not registered', async () => {
    const hers = await create(server, someone('Lawal'), elsewhere);

    const asked = [
      await register(newborn(), { mother: referenceTo(hers) }),
      await register(newborn(), { mother: 'Patient/none' }),
      await register(newborn(), { mother: 'Practitioner/x' }),
    ];

    expect(asked.map(({ status }) => status)).toEqual([404, 404, 400]);
    expect(await found('Patient?family=Lawal')).toEqual([]);
  });
});

const stored = ({ status, body }: { status: number; body: TestBody }): Stored<fhir4.Patient> => {
  expect(status, JSON.stringify(body)).toBe(201);
  return body as unknown as Stored<fhir4.Patient>;
};
