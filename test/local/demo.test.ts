import { describe, expect, it, onTestFinished } from 'vitest';
import { findRunningServer } from '../../infra/cli/running-server.ts';
import { signIn } from '../../infra/cli/sign-in.ts';
import { freePort } from '../../infra/local/free-port.ts';
import { localPassword } from '../../infra/local/users.ts';
import { removedAfterTest } from '../support/removed-after-test.ts';
import { startNode } from '../support/run-node.ts';

/** Where the demo is started: far enough from UTC that the day there is another one for a third of the day. */
const timeZone = 'America/Los_Angeles';
const todayThere = () => new Intl.DateTimeFormat('en-CA', { timeZone }).format();

/** `npm start` in a process of its own, and ways to ask it. */
const start = async (dataDir: string, ...args: string[]) => {
  const port = await freePort();
  const { child, finished, stdout, stderr } = startNode('infra/local/start.ts', args, {
    PORT: String(port),
    DATA_DIR: dataDir,
    TZ: timeZone,
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await expect.poll(() => stdout() + stderr(), { timeout: 300_000 }).toContain('Ctrl-C');
  const url = `http://localhost:${port}/fhir`;
  const server = await findRunningServer(url);
  const request = async (user: string, path: string, body?: fhir4.FhirResource) => {
    const { accessToken } = await signIn(server, user, localPassword);
    const response = await fetch(`${url}/${path}`, {
      headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/fhir+json' },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as fhir4.Bundle };
  };
  /** The matches of a search. */
  const search = async <T extends fhir4.FhirResource>(user: string, path: string): Promise<T[]> => {
    const { status, body } = await request(user, path);
    expect(status, JSON.stringify(body)).toBe(200);
    return (body.entry ?? [])
      .filter(({ search: found }) => found?.mode === 'match')
      .map(({ resource }) => resource as T);
  };
  const stop = async () => {
    child.kill('SIGTERM');
    expect((await finished).status).toBe(0);
  };
  return { printed: stdout, request, search, stop };
};

type Running = Awaited<ReturnType<typeof start>>;

const physician = 'physician@northside.example';
const patient = 'patient@home.example';
const parent = 'parent@home.example';

/** How much there is of what the demo brings, at both organisations. */
const counts = async ({ request }: Running) => {
  const total = async (user: string, path: string) => (await request(user, `${path}?_summary=count`)).body.total;
  return Promise.all(
    [physician, 'physician@lakeside.example'].flatMap((user) =>
      ['Patient', 'Appointment', 'Encounter', 'Observation'].map((type) => total(user, type)),
    ),
  );
};

/** Ids of the appointments of a day. */
const ofDay = (appointments: readonly fhir4.Appointment[], day: string) =>
  appointments
    .filter(({ start: at }) => at?.startsWith(day))
    .map(({ id }) => id)
    .sort();

// Each start is the whole of Concord in a process of its own, which costs seconds: so these promises share theirs.
describe('npm start -- --demo', { timeout: 600_000 }, () => {
  it('fills in patients of both organisations, who can sign in after a start without it and see the own chart alone', async () => {
    const dataDir = removedAfterTest();
    const startedOn = todayThere();
    const first = await start(dataDir, '--demo');
    const isSameDay = startedOn === todayThere();
    const before = await counts(first);
    const appointments = await first.search<fhir4.Appointment>(physician, 'Appointment?_count=50');
    const todays = await first.search<fhir4.Appointment>(
      'frontdesk@northside.example',
      `Appointment?date=${startedOn}`,
    );
    await first.stop();

    expect([before[0], before[4]]).toEqual([12, 8]);
    expect(before[2]).toBeGreaterThan(12 * 4);
    expect(before[3]).toBeGreaterThan(12 * 20);

    const starts = appointments.map(({ start: at = '' }) => at);
    const days = [...new Set(starts.map((at) => at.slice(0, 10)))].sort();
    expect(starts.length).toBeGreaterThan(8);
    expect(new Set(starts).size).toBe(starts.length);
    expect(days).toHaveLength(2);
    if (isSameDay) {
      expect(todays.map(({ id }) => id).sort()).toEqual(ofDay(appointments, startedOn));
      expect(first.printed()).toContain(`/Appointment?date=${startedOn}'`);
    }
    expect(ofDay(appointments, days[0] ?? '')).toHaveLength(8);
    expect(Date.parse(days[1] ?? '') - Date.parse(days[0] ?? '')).toBe(86_400_000);
    const actors = appointments.flatMap(({ participant }) => participant.map(({ actor }) => actor?.reference));
    expect(actors.filter((reference) => reference === 'Practitioner/northside-physician')).toHaveLength(starts.length);

    const again = await start(dataDir);
    const { printed, request, search, stop } = again;
    const after = await counts(again);

    const [own, ...others] = await search<fhir4.Patient>(patient, 'Patient');
    const observations = await search<fhir4.Observation>(patient, 'Observation?_count=100');
    const everybody = await search<fhir4.Patient>(physician, 'Patient?_count=50');
    const statuses = await Promise.all(
      everybody.map(async ({ id = '' }) => [id === own?.id, (await request(patient, `Patient/${id}`)).status]),
    );
    const ofOther = everybody.find(({ id }) => id !== own?.id)?.id ?? '';
    const notOwn = await search(patient, `Observation?patient=${ofOther}`);

    const [child, ...otherChildren] = await search<fhir4.Patient>(parent, 'Patient');
    const [relative] = await search<fhir4.RelatedPerson>(parent, 'RelatedPerson');
    const ofChild = await search<fhir4.Observation>(parent, 'Observation?_count=100');

    expect(after).toEqual(before);
    expect(printed()).toContain(parent);
    expect(otherChildren).toEqual([]);
    expect(child?.id).not.toBe(own?.id);
    expect(relative?.patient.reference).toBe(`Patient/${child?.id}`);
    expect(ofChild.length).toBeGreaterThan(5);
    expect(new Set(ofChild.map(({ subject }) => subject?.reference))).toEqual(new Set([`Patient/${child?.id}`]));
    expect(printed()).toContain(patient);
    expect(others).toEqual([]);
    expect(own?.deceasedDateTime).toBeUndefined();
    expect(observations.length).toBeGreaterThan(5);
    expect(new Set(observations.map(({ subject }) => subject?.reference))).toEqual(new Set([`Patient/${own?.id}`]));
    expect(statuses.filter(([isOwn]) => isOwn)).toEqual([[true, 200]]);
    expect(statuses.filter(([isOwn]) => !isOwn)).toEqual(Array.from({ length: 11 }, () => [false, 404]));
    expect(notOwn).toEqual([]);
    await stop();
  });

  it('leaves a store with other patients alone, in which no patient can sign in', async () => {
    const dataDir = removedAfterTest();
    const plain = await start(dataDir);
    const atFirst = await counts(plain);
    await plain.request(physician, 'Patient', { resourceType: 'Patient', name: [{ family: 'Sample' }] });
    await plain.stop();

    const demo = await start(dataDir, '--demo');
    const afterwards = await counts(demo);

    expect(atFirst).toEqual(Array.from({ length: 8 }, () => 0));
    expect(plain.printed()).not.toContain(patient);
    expect(afterwards).toEqual([1, 0, 0, 0, 0, 0, 0, 0]);
    expect(demo.printed()).toContain('no demo patients were added');
    await expect(demo.request(patient, 'Patient')).rejects.toThrow('Incorrect username or password.');
    await demo.stop();
  });
});
