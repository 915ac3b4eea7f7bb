import { CommandFailed } from '../command.ts';
import { asApplicationOf } from './applications.ts';
import { columnsOf } from './columns.ts';
import type { FhirServer } from './fhir-server.ts';
import { directoryOfStaff, isInDirectory, letSignIn, type NewStaff, staffFrom, standsInTheWay } from './new-staff.ts';
import { type StaffUser, StaffUsers } from './staff-users.ts';
import { tableOf } from './text-table.ts';
import { defineVerb, needed, type Report, requireNoWords } from './verb.ts';

const columns = ['email', 'given', 'family', 'role'] as const;

/** `staff add`: people who work for an organisation, in its directory and with the right to sign in. */
export const staffAdd = defineVerb({
  name: 'staff add',
  summary: 'Adds people who work for an organisation: to its directory, and to who may sign in',
  synopsis: '--organization ID (--file FILE | --email EMAIL --given NAME --family NAME --role ROLE) [--dry-run]',
  explained: [
    '--organization ID  that they work for',
    `--file FILE     a line each, with commas: ${columns.join(',')}, which is the first line, too`,
    '--email EMAIL, --given NAME, --family NAME, --role ROLE  one person',
  ].join('\n'),
  effect: 'adds',
  options: {
    organization: { type: 'string' },
    file: { type: 'string' },
    email: { type: 'string' },
    given: { type: 'string' },
    family: { type: 'string' },
    role: { type: 'string' },
  },
  understand: ({ values, positionals }) => {
    requireNoWords(positionals);
    const { file, email, given, family, role } = values;
    const staff = file === undefined ? [staffFrom({ email, given, family, role })] : undefined;
    return { organization: needed(values.organization, 'organization'), file, staff };
  },
  run: async ({ organization, file, staff }, { place, operator, dryRun, now }): Promise<Report> => {
    const people = staff ?? linesOf(file ?? '');
    const at = await place();
    const users = new StaffUsers(at);
    try {
      const known = await Promise.all(people.map(({ email }) => users.find(email)));
      const decided: Decided[] = people.map((person, index) => ({
        person,
        known: known[index],
        obstacle: standsInTheWay(organization, known[index]),
      }));
      const possible = decided.filter(({ obstacle }) => obstacle === undefined);
      if (!dryRun && possible.length > 0)
        await asApplicationOf(at, organization, { operator: await operator(), now }, async (fhir) => {
          if (!(await fhir.read(`Organization/${organization}`)))
            throw new CommandFailed(`There is no Organization/${organization}`);
          // Who cannot be entered keeps nobody behind them from it.
          for (const each of possible) {
            each.obstacle = await enter(fhir, users, organization, each).then(() => undefined, whyNot);
          }
        });
      return report(organization, decided, dryRun);
    } finally {
      users.close();
    }
  },
});

/** Somebody who is to be entered, and what keeps them from it. */
interface Decided {
  readonly person: NewStaff;
  readonly known: StaffUser | undefined;
  obstacle: string | undefined;
}

const enter = async (
  fhir: FhirServer,
  users: StaffUsers,
  organization: string,
  { person, known }: Decided,
): Promise<void> => {
  if (!(await isInDirectory(fhir, organization, person, known)))
    await fhir.transaction(directoryOfStaff(organization, person));
  await letSignIn(users, organization, person, known);
};

const whyNot = (error: unknown): string => {
  if (error instanceof CommandFailed) return error.message;
  throw error;
};

const linesOf = (file: string): NewStaff[] =>
  columnsOf(file, columns).map(({ line, ...person }) => staffFrom(person, `${file}:${line}: `));

const report = (organization: string, decided: readonly Decided[], dryRun: boolean): Report => {
  const said = decided.map(({ person, known, obstacle }) => {
    const outcome = obstacle ?? (known ? 'was there' : dryRun ? 'will be invited' : 'invited');
    return { email: person.email, role: person.role, outcome, left: obstacle !== undefined };
  });
  return {
    text: tableOf(
      ['user', 'role', ''],
      said.map(({ email, role, outcome }) => [email, role, outcome]),
    ),
    data: { organization, staff: said },
    leftUndone: said.some(({ left }) => left),
  };
};
