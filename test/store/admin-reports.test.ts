import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noticesDue } from '../../infra/cli/admin/notices-due.ts';
import { likeness } from '../../infra/cli/admin/ties.ts';
import { type AwsServices, ServiceError, startAwsServices } from '../../infra/local/aws-services.ts';
import { administerAt, fileAccesses } from '../support/administer-at.ts';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import { removedAfterTest } from '../support/removed-after-test.ts';

const start = Date.parse('2026-11-20T08:00:00Z');
const minute = 60_000;

/** A clinic on a day: who treats Ana Rivera, and who looks at her chart besides. */
let server: FhirServer;
/** Knows one of them, by the address, and calls them by their `sub` as Cognito does. */
let pool: AwsServices;
afterAll(() => pool.stop());
let ana: string;
let ben: string;
let minutes = 0;
const [physician, nurse, pharmacist, admin, privacy]: TestCaller[] = [
  'physician',
  'nurse',
  'pharmacist',
  'admin',
  'privacy',
].map((role) => ({ role }));
const at = (passed: number) => new Date(start + passed * minute).toISOString();
const request = async (as: TestCaller | undefined, method: string, to: string, body?: object) => {
  server.setTime(start + ++minutes * minute);
  const { status, body: answer } = await server.request(method, to, {
    as: as ?? { role: '' },
    ...(body ? { body } : {}),
  });
  expect(status, `${method} ${to}: ${JSON.stringify(answer)}`).toBeLessThan(300);
  return answer.id ?? '';
};
const practitioner = (role: string, family: string, more: object = {}) =>
  request(admin, 'PUT', `/Practitioner/northside-${role}`, {
    resourceType: 'Practitioner',
    id: `northside-${role}`,
    name: [{ family, given: ['Kim'] }],
    ...more,
  });
const address = { use: 'home', line: ['5 Elm St.'], city: 'Northside', state: 'MA', postalCode: '02100' };

beforeAll(async () => {
  server = await fhirServer();
  pool = await startAwsServices([
    {
      target: 'AWSCognitoIdentityProviderService',
      operations: {
        AdminGetUser: ({ Username }) => {
          if (Username !== 'raman@northside.test') throw new ServiceError('UserNotFoundException', 'No such user');
          const sub = 'sub-pharmacist-northside';
          return { Username: sub, UserAttributes: [{ Name: 'sub', Value: sub }], Enabled: true };
        },
        ListUsers: () => ({ Users: [] }),
      },
    },
  ]);
  await practitioner('physician', 'Okafor');
  await practitioner('nurse', 'Rivera');
  await practitioner('pharmacist', 'Raman', { address: [{ line: ['5 Elm St'], postalCode: '02100' }] });
  const patient = (family: string, given: string, more: object = {}) =>
    request(physician, 'POST', '/Patient', { resourceType: 'Patient', name: [{ family, given: [given] }], ...more });
  ana = await patient('Rivera', 'Ana', { birthDate: '1980-02-29', address: [address] });
  ben = await patient('Woods', 'Ben', { deceasedBoolean: true });
  await request(physician, 'POST', '/Encounter', {
    resourceType: 'Encounter',
    status: 'in-progress',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
    subject: { reference: `Patient/${ana}` },
    participant: [{ individual: { reference: 'Practitioner/northside-physician' } }],
  });
  await request(physician, 'GET', `/Patient/${ana}`);
  await request(nurse, 'GET', `/Patient/${ana}`);
  await request(nurse, 'GET', `/Encounter?patient=${ana}`);
  await request(pharmacist, 'GET', `/Patient/${ana}`);
  await request(pharmacist, 'GET', `/Patient/${ben}`);
  await fileAccesses(server);
});

/** What a report says, for programs. */
const reported = async (...words: string[]) =>
  (
    await administerAt(server, start + 120 * minute, words, {
      services: { region: 'us-east-1', endpoint: pool.endpoint },
      staffPoolId: 'us-east-1_Staff',
    })
  ).data as {
    visits: { user: string; patient: string; accesses: number; signs: string[] }[];
    patients: Record<string, unknown>[];
  };
const why = ['--reason', 'a complaint of the patient'];

describe('npm run admin -- snooping', () => {
  it('names everybody who looked at a chart, and first whom nothing ties to the patient but life does', async () => {
    const { visits } = await reported('snooping', '--patient', ana, ...why);

    expect(visits.map(({ user, accesses, signs }) => [user.split('@')[0], accesses, signs])).toEqual([
      ['pharmacist', 1, ['same address', 'nothing ties them to the patient']],
      ['nurse', 2, ['same surname', 'nothing ties them to the patient']],
      ['physician', 3, []],
    ]);
  });

  it('names all charts that somebody looked at, within the time that is asked for', async () => {
    const user = ['--user', 'Practitioner/northside-pharmacist', '--organization', 'northside'];

    const all = await reported('snooping', ...user, ...why);
    const early = await reported('snooping', ...user, ...why, '--to', at(11));

    expect(all.visits.map(({ patient }) => patient).toSorted()).toEqual(
      [`Patient/${ana}`, `Patient/${ben}`].toSorted(),
    );
    expect(early.visits.map(({ patient }) => patient)).toEqual([`Patient/${ana}`]);
  });

  it('knows somebody by the address with which they sign in, whatever the log calls them', async () => {
    const { visits } = await reported(
      'snooping',
      '--user',
      'raman@northside.test',
      '--organization',
      'northside',
      ...why,
    );

    expect(visits).toHaveLength(2);
  });

  it('is in the log of each chart itself, with who asked and why, and counts as no visit later', async () => {
    const reason = 'an anonymous call to the hotline';
    await reported('snooping', '--patient', ben, '--reason', reason);

    const { body } = await server.get(`/AuditEvent?patient=${ben}`, { as: privacy ?? { role: '' } });
    const again = await reported('snooping', '--patient', ben, ...why);

    const events = (body.entry as unknown as { resource: fhir4.AuditEvent }[]).map(({ resource }) => resource);
    const own = events.filter(({ agent }) => agent[0]?.name === 'jo@laptop');
    expect(own[0]?.subtype?.map(({ code }) => code)).toEqual(['operation', '$snooping-report']);
    expect(JSON.stringify(own[0])).toContain('HCOMPL');
    expect(again.visits.map(({ user }) => user)).not.toContain('jo@laptop');
  });

  it('writes each access into a file that a spreadsheet reads, and only its owner', async () => {
    const file = path.join(removedAfterTest(), 'accesses.csv');

    await reported('snooping', '--patient', ana, ...why, '--csv', file);

    const lines = readFileSync(file, 'utf8').trim().split('\r\n');
    expect(lines[0]).toMatch(/^time,user,sub,/);
    expect(lines.filter((line) => line.includes('nurse@northside.example'))).toHaveLength(2);
    expect(lines.filter((line) => line.includes('same surname'))).toHaveLength(2);
    expect(existsSync(file)).toBe(true);
  });

  it.each([
    ['neither a patient nor a user', ['snooping', ...why], /Give --patient/],
    ['no reason', ['snooping', '--patient', 'x'], /--reason says why/],
    [
      'a time without a zone',
      ['snooping', '--patient', 'x', ...why, '--from', '2026-11-20T08:00'],
      /time with its zone/,
    ],
    [
      'an end before the beginning',
      ['breach', '--organization', 'o', '--everybody', ...why, '--from', '2026-11-20', '--to', '2026-11-01'],
      /before --from/,
    ],
    ['nobody in particular', ['breach', '--organization', 'o', ...why, '--from', '2026-11-20'], /Give one of --user/],
  ])('is not understood with %s', async (_, words, message) => {
    await expect(reported(...words)).rejects.toThrow(message);
  });
});

describe('npm run admin -- breach', () => {
  const asked = ['breach', '--organization', 'northside', '--from', '2026-11-20', ...why];

  it('names whose charts a user reached, with what a letter needs, and what was changed there', async () => {
    const pharmacists = await reported(...asked, '--user', 'pharmacist@northside.example', '--to', at(60));
    const physicians = await reported(...asked, '--user', 'physician@northside.example', '--to', at(60));

    expect(pharmacists.patients).toHaveLength(2);
    expect(pharmacists.patients).toContainEqual(
      expect.objectContaining({
        patient: `Patient/${ana}`,
        name: 'Ana Rivera',
        address: '5 Elm St., Northside, MA, 02100',
        custodian: 'northside',
        seen: 1,
        changed: 0,
        kinds: ['Patient'],
      }),
    );
    expect(pharmacists.patients).toContainEqual(
      expect.objectContaining({ patient: `Patient/${ben}`, deceased: true, address: '' }),
    );
    expect(physicians.patients).toContainEqual(
      expect.objectContaining({ patient: `Patient/${ana}`, seen: 1, changed: 2 }),
    );
  });

  it('finds the same by the application, and all of an organisation, but for reports themselves', async () => {
    await fileAccesses(server);
    const charts = async (...who: string[]) =>
      (await reported(...asked, ...who)).patients.map(({ patient }) => patient).toSorted();
    const both = [`Patient/${ana}`, `Patient/${ben}`].toSorted();

    expect(await charts('--application', 'concordtestclient')).toEqual(both);
    expect(await charts('--everybody')).toEqual(both);
  });

  it.each([
    ['a user', 'northside', ['--user', 'farmacist@northside.example']],
    ['an application', 'northside', ['--application', 'another']],
    ['an organisation', 'northsid', ['--everybody']],
    ['a user of another organisation', 'lakeside', ['--user', 'raman@northside.test']],
  ])('gives no clean bill to %s whom the log does not know', async (_, organization, who) => {
    await expect(
      reported('breach', '--organization', organization, '--from', '2026-11-20', ...why, ...who),
    ).rejects.toThrow(`The log of ${organization} has nothing by that name`);
  });
});

describe('what is due after a breach', () => {
  const people = (count: number, state: string | undefined = 'MA', address = 'somewhere') =>
    Array.from({ length: count }, () => ({ state, address }));
  const due = (patients: ReturnType<typeof people>) =>
    noticesDue(patients, Date.parse('2026-11-20')).map(({ rule, until }) => `${rule} ${until}`);

  it('depends on how many there are, where they live, and whether a letter reaches them', () => {
    expect(due([])).toEqual([]);
    expect(due(people(499))).toEqual(['45 CFR 164.404(b) 2027-01-19', '45 CFR 164.408(c) 2027-03-01']);
    expect(due(people(500))).toEqual(['45 CFR 164.404(b) 2027-01-19', '45 CFR 164.408(b) 2027-01-19']);
    expect(due([...people(500), ...people(1)])).toContain('45 CFR 164.406 2027-01-19');
    expect(due([...people(500), ...people(1, 'NH')])).not.toContain('45 CFR 164.406 2027-01-19');
    expect(due(people(1, undefined, ''))).toContain('45 CFR 164.404(d)(2) 2027-01-19');
    const posting = (count: number) =>
      noticesDue(people(count, 'MA', ''), 0).some(({ words }) => words.includes('90 days'));
    expect([posting(9), posting(10)]).toEqual([false, true]);
  });
});

describe('likeness of two people', () => {
  const rivera = { name: [{ family: 'Rivera', given: ['Ana'] }], birthDate: '1980-02-29' };

  it.each([
    ['somebody else', { name: [{ family: 'Woods', given: ['Ana'] }] }, []],
    ['the same surname, however it is written', { name: [{ family: 'RIVÉRA', given: ['Tom'] }] }, ['same surname']],
    ['an earlier surname', { name: [{ family: 'Woods' }, { family: 'Rivera', given: ['Eva'] }] }, ['same surname']],
    ['themselves', { name: [{ family: 'Rivera', given: ['Ana'] }], birthDate: '1980-02-29' }, ['own chart']],
    ['a namesake', { name: [{ family: 'Rivera', given: ['Ana'] }], birthDate: '1990-01-01' }, ['same surname']],
  ])('is seen of %s', (_, viewer, signs) => {
    expect(likeness(viewer, rivera)).toEqual(signs);
  });
});
