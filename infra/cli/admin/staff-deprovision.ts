import { deny } from '../../../shared/store/denylist.ts';
import { openStore } from '../../../shared/store/open-store.ts';
import { CommandFailed } from '../command.ts';
import { asApplicationOf } from './applications.ts';
import { columnsOf } from './columns.ts';
import type { FhirServer } from './fhir-server.ts';
import { accessesOfOrganization } from './logged-accesses.ts';
import type { Operator } from './operator.ts';
import type { Place } from './place.ts';
import { type StaffUser, StaffUsers } from './staff-users.ts';
import { tableOf } from './text-table.ts';
import { dayMs } from './times.ts';
import { defineVerb, Misunderstood, type Report } from './verb.ts';

/** What became of somebody who is to go. */
interface Ended {
  readonly user: string;
  readonly organization: string;
  /** When they did something last, as far as the last week tells. */
  readonly lastSeen: string | undefined;
  /** Work that waits for somebody else. */
  readonly openTasks: number | undefined;
  readonly comingAppointments: number | undefined;
  /** What is left to do; undefined if nothing is. */
  readonly left: string | undefined;
}

const lookBackDays = 7;

/** `staff deprovision`: people who leave can do nothing any more from now on. */
export const staffDeprovision = defineVerb({
  name: 'staff deprovision',
  summary: 'Ends the access of people who leave, one or many, at once',
  synopsis: '(USER… | --file FILE) [--yes]',
  explained: [
    'USER            the name to sign in with, or the sub',
    '--file FILE     one of them a line, in a column that the first line calls user',
  ].join('\n'),
  effect: 'ends',
  options: { file: { type: 'string' } },
  understand: ({ values: { file }, positionals }) => {
    if ((file === undefined) === (positionals.length === 0)) throw new Misunderstood('Name users, or a --file of them');
    return { file, names: positionals };
  },
  run: async ({ file, names }, { place, operator, dryRun, now, say }): Promise<Report> => {
    const listed = file === undefined ? names : columnsOf(file, ['user']).map(({ user = '' }) => user);
    const wanted = [...new Set(listed.filter((name) => name !== ''))];
    const at = await place();
    const users = new StaffUsers(at);
    try {
      const ended: Ended[] = [];
      const found: StaffUser[] = [];
      for (const name of wanted) {
        const accounts = await users.findAll(name);
        found.push(...accounts.filter(({ subject }) => !found.some((each) => each.subject === subject)));
        if (accounts.length === 0) ended.push({ ...nothing, user: name, left: 'there is nobody of this name' });
      }
      // First what works at once, for all of them: whoever is told in the morning is out by then.
      const failures = new Map<StaffUser, string>();
      if (!dryRun)
        for (const user of found) {
          say(`${user.username}: ending`);
          await endAccess(at, users, user, now).catch((error: unknown) => {
            if (!(error instanceof CommandFailed)) throw error;
            failures.set(user, error.message);
          });
        }
      const lastSeen = await lastSeenOf(at, found, now);
      const byOrganization = Map.groupBy(found, ({ organization }) => organization);
      for (const [organization, leaving] of byOrganization)
        ended.push(
          ...(await endRoles(at, organization, leaving, { operator: await operator(), now, dryRun })).map(
            (each, index) => {
              const user = leaving[index] as StaffUser;
              const left = [failures.get(user), each.left].filter((words) => words !== undefined).join('; ');
              return { ...each, lastSeen: lastSeen.get(user.subject), left: left === '' ? undefined : left };
            },
          ),
        );
      return report(ended, dryRun);
    } finally {
      users.close();
    }
  },
});

const nothing = {
  organization: '',
  lastSeen: undefined,
  openTasks: undefined,
  comingAppointments: undefined,
  left: undefined,
};

/** Denies the tokens that somebody has, and lets them get no others. The denylist comes first: all servers know it within a minute. */
const endAccess = async (
  at: Place,
  users: StaffUsers,
  { username, subject }: StaffUser,
  now: number,
): Promise<void> => {
  // A token tells the second in which it was given.
  const denied = (until: number) => deny(at.table, { kind: 'subject', name: subject, before: until + 999 });
  await denied(now);
  await users.end(username);
  await denied(Date.now()); // who signed in meanwhile: two hundred people take a while
};

/** Ends what the directory says that they do for the organisation, and counts what waits for them. */
const endRoles = async (
  at: Place,
  organization: string,
  leaving: readonly StaffUser[],
  { operator, now, dryRun }: { readonly operator: Operator; readonly now: number; readonly dryRun: boolean },
): Promise<Ended[]> => {
  const basics = (user: StaffUser): Ended => ({ ...nothing, user: user.email || user.username, organization });
  if (organization === '') return leaving.map((user) => ({ ...basics(user), left: 'nothing says whom they work for' }));
  if (dryRun) return leaving.map(basics);
  const today = new Date(now).toISOString().slice(0, 10);
  const each = async (fhir: FhirServer, user: StaffUser): Promise<Ended> => {
    if (!user.fhirUser.startsWith('Practitioner/'))
      return { ...basics(user), left: 'they have no record in the directory' };
    try {
      const roles = (await fhir.search(`PractitionerRole?practitioner=${user.fhirUser}`)) as fhir4.PractitionerRole[];
      const own = roles.filter(
        ({ organization: of, active }) => of?.reference === `Organization/${organization}` && active !== false,
      );
      for (const role of own) {
        const { start } = role.period ?? {};
        const period = { ...(start === undefined || start > today ? {} : { start }), end: today };
        await fhir.put({ ...role, id: role.id ?? '', active: false, period });
      }
      const tasks = await fhir.search(`Task?owner=${user.fhirUser}`);
      const appointments = await fhir.search(`Appointment?practitioner=${user.fhirUser}&date=ge${today}`);
      const isOpen = ({ status }: fhir4.Task) =>
        !['completed', 'cancelled', 'rejected', 'failed', 'entered-in-error'].includes(status);
      const comes = ({ status }: fhir4.Appointment) =>
        !['cancelled', 'noshow', 'fulfilled', 'entered-in-error'].includes(status);
      return {
        ...basics(user),
        openTasks: (tasks as fhir4.Task[]).filter(isOpen).length,
        comingAppointments: (appointments as fhir4.Appointment[]).filter(comes).length,
      };
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      return { ...basics(user), left: error.message };
    }
  };
  return asApplicationOf(at, organization, { operator, now }, async (fhir) => {
    const ended: Ended[] = [];
    for (const user of leaving) ended.push(await each(fhir, user));
    return ended;
  });
};

/** When each did something last, by `sub`. One look at each organisation's last days for all of them. */
const lastSeenOf = async (
  at: Place,
  users: readonly StaffUser[],
  now: number,
): Promise<ReadonlyMap<string, string>> => {
  const store = await openStore(at.table.client, at.table.tableName, at.objects);
  const seen = new Map<string, string>();
  const organizations = new Set(users.map(({ organization }) => organization).filter((each) => each !== ''));
  for (const organization of organizations) {
    const wanted = new Set(users.filter((user) => user.organization === organization).map(({ subject }) => subject));
    const span = { from: now - lookBackDays * dayMs, to: now + 1 };
    for await (const { entry } of accessesOfOrganization(store, organization, span)) {
      if (!wanted.delete(entry.subject)) continue;
      seen.set(entry.subject, new Date(entry.at).toISOString());
      if (wanted.size === 0) break;
    }
  }
  return seen;
};

const report = (ended: readonly Ended[], dryRun: boolean): Report => {
  const rows = ended.map(({ user, organization, lastSeen, openTasks, comingAppointments, left }) => [
    user,
    organization,
    lastSeen?.slice(0, 16) ?? `not in ${lookBackDays} days`,
    String(openTasks ?? ''),
    String(comingAppointments ?? ''),
    left ?? (dryRun ? 'will be ended' : 'ended'),
  ]);
  return {
    text: [
      tableOf(['user', 'organisation', 'did something last', 'open tasks', 'appointments', ''], rows),
      '',
      'Tasks and appointments wait for somebody else to take them over. Servers know within a minute that a token is denied.',
    ].join('\n'),
    data: { ended },
    leftUndone: ended.some(({ left }) => left !== undefined),
  };
};
