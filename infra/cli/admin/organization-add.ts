import { CommandFailed } from '../command.ts';
import { asApplicationOf } from './applications.ts';
import { directoryOfStaff, isInDirectory, letSignIn, staffFrom, standsInTheWay } from './new-staff.ts';
import { StaffUsers } from './staff-users.ts';
import { defineVerb, Misunderstood, needed, type Report, requireNoWords } from './verb.ts';

/** Letters of ids that are part of others, such as of its staff's records. */
const shortId = /^[a-z][a-z0-9-]{1,30}$/;

/** `organization add`: an organisation of the network, and the first who administers it. */
export const organizationAdd = defineVerb({
  name: 'organization add',
  summary: 'Adds an organisation to the network, with its first administrator',
  synopsis: '--id ID --name NAME --admin EMAIL --given NAME --family NAME [--dry-run]',
  explained: [
    '--id ID         by which everything names it, for ever: small letters, digits and hyphens',
    '--name NAME     as people know it',
    '--admin EMAIL   of its first administrator, who is invited by a letter',
    '--given NAME, --family NAME  of that person',
  ].join('\n'),
  effect: 'adds',
  options: {
    id: { type: 'string' },
    name: { type: 'string' },
    admin: { type: 'string' },
    given: { type: 'string' },
    family: { type: 'string' },
  },
  understand: ({ values, positionals }) => {
    requireNoWords(positionals);
    const id = needed(values.id, 'id');
    if (!shortId.test(id))
      throw new Misunderstood('--id has 2 to 31 small letters, digits and hyphens, a letter first');
    const name = needed(values.name, 'name');
    const { given, family } = values;
    return { id, name, admin: staffFrom({ email: needed(values.admin, 'admin'), given, family, role: 'admin' }) };
  },
  run: async ({ id, name, admin }, { place, operator, dryRun, now }): Promise<Report> => {
    const at = await place();
    const users = new StaffUsers(at);
    try {
      const known = await users.find(admin.email);
      const obstacle = standsInTheWay(id, known);
      if (obstacle !== undefined) throw new CommandFailed(`${admin.email} ${obstacle}`);
      const records = [organizationRecord(id, name), ...directoryOfStaff(id, admin)];
      const steps = [
        ...records.map(({ resourceType, id: own }) => `${resourceType}/${own} in the directory`),
        `${admin.email} may sign in, with the role admin`,
      ];
      const done = { organization: id, name, administrator: admin.email };
      if (dryRun) return { text: steps.join('\n'), data: done };
      await asApplicationOf(at, id, { operator: await operator(), now }, async (fhir) => {
        const there = (await fhir.read(`Organization/${id}`)) as fhir4.Organization | undefined;
        if (there && there.name !== name)
          throw new CommandFailed(`Organization/${id} is there already, and is called ${there.name}`);
        if (!there) await fhir.transaction(records);
        else if (!(await isInDirectory(fhir, id, admin, known))) await fhir.transaction(records.slice(1));
      });
      const added = await letSignIn(users, id, admin, known);
      const next = added
        ? `${admin.email} has been sent an invitation, which is good for three days.`
        : `${admin.email} could sign in already.`;
      return { text: [...steps, '', next].join('\n'), data: done };
    } finally {
      users.close();
    }
  },
});

const organizationRecord = (id: string, name: string): fhir4.Organization & { readonly id: string } => ({
  resourceType: 'Organization',
  id,
  active: true,
  type: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/organization-type', code: 'prov' }] }],
  name,
});
