import { offeredScopes } from '../../../shared/access/offered-scopes.ts';
import { type Application, readApplication, readApplications } from '../../../shared/store/applications.ts';
import { CommandFailed } from '../command.ts';
import { Applications, asApplicationOf } from './applications.ts';
import type { Place } from './place.ts';
import { tableOf } from './text-table.ts';
import { defineVerb, Misunderstood, needed, type Report, requireNoWords } from './verb.ts';

/** Applications whose access has not ended. */
const current = async (place: Place): Promise<Application[]> =>
  (await readApplications(place.table)).filter(({ revoked }) => revoked === undefined);

/** The application of a `client_id`, though its access may have ended. Throws CommandFailed. */
const namedApplication = async (place: Place, client: string): Promise<Application> => {
  const found = await readApplication(place.table, client);
  if (found) return found;
  throw new CommandFailed(`There is no application ${client}`);
};

const theClient = (positionals: readonly string[]): string => {
  const [client, ...others] = positionals;
  if (client === undefined || others.length > 0) throw new Misunderstood('Name one application by its client id');
  return client;
};

const closing = async <T>(place: Place, work: (applications: Applications) => Promise<T>): Promise<T> => {
  const applications = new Applications(place);
  try {
    return await work(applications);
  } finally {
    applications.close();
  }
};

/** `application add`: software that acts for an organisation by credentials of its own. */
export const applicationAdd = defineVerb({
  name: 'application add',
  summary: 'Adds an application of an organisation, and prints its credentials once',
  synopsis: '--organization ID --name NAME [--scope SCOPE]… [--dry-run]',
  explained: [
    '--organization ID  that it acts for',
    '--name NAME     as the access log and the directory name it',
    "--scope SCOPE   what it may do at most, such as 'system/*.rs'; all that applications may, if absent",
  ].join('\n'),
  effect: 'adds',
  options: { organization: { type: 'string' }, name: { type: 'string' }, scope: { type: 'string', multiple: true } },
  understand: ({ values, positionals }) => {
    requireNoWords(positionals);
    const { scope: scopes = ['system/*.cruds'] } = values;
    const unknown = scopes.find((scope) => !offeredScopes.system.includes(scope));
    if (unknown !== undefined)
      throw new Misunderstood(`"${unknown}" is no scope of applications: docs/access.md lists them`);
    return { organization: needed(values.organization, 'organization'), name: needed(values.name, 'name'), scopes };
  },
  run: async ({ organization, name, scopes }, { place, operator, dryRun, now }): Promise<Report> => {
    const at = await place();
    const known = (await current(at)).find((each) => each.organization === organization && each.name === name);
    if (known) throw new CommandFailed(`${organization} has an application of this name: ${known.client}`);
    const slug = name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '');
    const id = `${organization}-${slug}`.slice(0, 64);
    const device: fhir4.Device & { readonly id: string } = {
      resourceType: 'Device',
      id,
      status: 'active',
      deviceName: [{ name, type: 'user-friendly-name' }],
      type: { text: 'Software that acts for the organisation' },
      owner: { reference: `Organization/${organization}` },
    };
    const data = { organization, name, scopes, device: `Device/${id}`, tokenEndpoint: at.tokenEndpoint };
    if (dryRun) return { text: `${name} of ${organization}, with ${scopes.join(' ')}, and Device/${id}`, data };
    // Its record comes first, so that the access log leads to something. What it may do itself may be less than to write that.
    await asApplicationOf(at, organization, { operator: await operator(), now }, async (fhir) => {
      if (!(await fhir.read(`Organization/${organization}`)))
        throw new CommandFailed(`There is no Organization/${organization}`);
      await fhir.put(device);
    });
    const own = { organization, name, fhirUser: `Device/${id}` };
    const { client, secret } = await closing(at, (applications) => applications.add(own, scopes, now));
    return {
      text: [
        `client id      ${client}`,
        `client secret  ${secret}`,
        `token endpoint ${at.tokenEndpoint}`,
        `scopes         ${scopes.join(' ')}`,
        '',
        'The secret is shown this once. Hand it over by a way that nobody else reads.',
      ].join('\n'),
      data: { ...data, client, secret },
    };
  },
});

/** `application list`. */
export const applicationList = defineVerb({
  name: 'application list',
  summary: 'Lists the applications of an organisation, or of all',
  synopsis: '[--organization ID] [--revoked]',
  explained: [
    '--organization ID  that they act for; all, if absent',
    '--revoked       also those whose access has ended',
  ].join('\n'),
  effect: 'reads',
  options: { organization: { type: 'string' }, revoked: { type: 'boolean' } },
  understand: ({ values, positionals }) => {
    requireNoWords(positionals);
    return values;
  },
  run: async ({ organization, revoked = false }, { place }): Promise<Report> => {
    const { table } = await place();
    const found = (await readApplications(table)).filter(
      (each) =>
        (organization === undefined || each.organization === organization) && (revoked || each.revoked === undefined),
    );
    const day = (at: number | undefined) => (at === undefined ? '' : new Date(at).toISOString().slice(0, 10));
    const rows = found.map((each) => [each.client, each.organization, each.name, day(each.since), day(each.revoked)]);
    return {
      text: tableOf(['client id', 'organisation', 'name', 'since', 'ended'], rows),
      data: { applications: found },
    };
  },
});

/** `application rotate`: another secret, beside which the one in use stays good until `--finish`. */
export const applicationRotate = defineVerb({
  name: 'application rotate',
  summary: 'Gives an application another secret; with --finish, removes the one before',
  synopsis: 'CLIENT [--finish] [--dry-run]',
  explained: [
    'CLIENT          its client id',
    '--finish        once it uses the new secret: removes the older one',
  ].join('\n'),
  effect: 'adds',
  options: { finish: { type: 'boolean' } },
  understand: ({ values: { finish = false }, positionals }) => ({ client: theClient(positionals), finish }),
  run: async ({ client, finish }, { place, dryRun }): Promise<Report> => {
    const at = await place();
    const { organization, name, revoked } = await namedApplication(at, client);
    if (revoked !== undefined) throw new CommandFailed(`The access of ${client} has ended already`);
    return closing(at, async (applications) => {
      const secrets = await applications.secrets(client);
      const [oldest] = secrets;
      const about = { client, organization, name };
      if (finish) {
        if (secrets.length < 2 || !oldest) throw new CommandFailed(`${client} has one secret: there is none to remove`);
        if (!dryRun) await applications.removeSecret(client, oldest.id);
        const since = new Date(oldest.since).toISOString();
        return {
          text: `The secret of ${since} is removed: ${name} of ${organization} has one.`,
          data: { ...about, removed: since },
        };
      }
      if (secrets.length > 1)
        throw new CommandFailed(`${client} has two secrets: remove the older one first, by --finish`);
      if (dryRun) return { text: `${name} of ${organization} gets another secret; both are good.`, data: about };
      const secret = await applications.addSecret(client);
      return {
        text: [
          `client id      ${client}`,
          `client secret  ${secret}`,
          '',
          'The one before is good, too, until: npm run admin -- application rotate … --finish',
        ].join('\n'),
        data: { ...about, secret },
      };
    });
  },
});

/** `application revoke`: ends its access for good. */
export const applicationRevoke = defineVerb({
  name: 'application revoke',
  summary: 'Ends the access of an application for good, at once',
  synopsis: 'CLIENT [--yes]',
  explained: 'CLIENT          its client id',
  effect: 'ends',
  options: {},
  understand: ({ positionals }) => ({ client: theClient(positionals) }),
  run: async ({ client }, { place, dryRun, now }): Promise<Report> => {
    const at = await place();
    const { organization, name } = await namedApplication(at, client);
    if (!dryRun) await closing(at, (applications) => applications.revoke(client, now));
    return {
      text: `${name} of ${organization}: its tokens are denied within a minute, and it gets no further ones.`,
      data: { client, organization, name },
    };
  },
});
