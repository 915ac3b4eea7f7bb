import { StaffUsers, staffRoles } from './staff-users.ts';
import { tableOf } from './text-table.ts';
import { defineVerb, Misunderstood, type Report, requireNoWords } from './verb.ts';

/** `staff list`: who may sign in, and as what. */
export const staffList = defineVerb({
  name: 'staff list',
  summary: 'Lists who may sign in for an organisation, or for all, and with which roles',
  synopsis: '[--organization ID] [--role ROLE]',
  explained: ['--organization ID  that they work for; all, if absent', '--role ROLE     that they have'].join('\n'),
  effect: 'reads',
  options: { organization: { type: 'string' }, role: { type: 'string' } },
  understand: ({ values, positionals }) => {
    requireNoWords(positionals);
    const { organization, role } = values;
    if (role !== undefined && !staffRoles.some((each) => each === role))
      throw new Misunderstood(`"${role}" is no role. Roles: ${staffRoles.join(', ')}`);
    return { organization, role };
  },
  run: async ({ organization, role }, { place }): Promise<Report> => {
    const users = new StaffUsers(await place());
    try {
      const roles = await users.roles();
      const found = [];
      for await (const user of users.all()) {
        const own = user.hospitalRoles ?? roles.get(user.username) ?? [];
        if (organization !== undefined && user.organization !== organization) continue;
        if (role !== undefined && !own.some((each) => each === role)) continue;
        found.push({ ...user, roles: own });
      }
      const rows = found.map((user) => [
        user.email || user.username,
        user.organization,
        user.roles.join(' '),
        user.enabled ? user.status.toLowerCase().replaceAll('_', ' ') : 'turned off',
        user.fhirUser,
      ]);
      return {
        text: `${tableOf(['user', 'organisation', 'roles', 'state', 'record'], rows)}\n\n${found.length} users`,
        data: { staff: found },
      };
    } finally {
      users.close();
    }
  },
});
