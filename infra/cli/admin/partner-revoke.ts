import { DisableRuleCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { readApplications } from '../../../shared/store/applications.ts';
import { subscriptionsOf } from '../../../shared/store/subscriptions/read-subscriptions.ts';
import { stageNamed } from '../../stages.ts';
import { CommandFailed } from '../command.ts';
import { Applications, asApplicationOf } from './applications.ts';
import type { Place } from './place.ts';
import { StaffUsers } from './staff-users.ts';
import { tableOf } from './text-table.ts';
import { defineVerb, needed, type Report, requireNoWords } from './verb.ts';

/** A way by which a partner hears or asks, and what is done about it. */
interface Way {
  readonly way: string;
  readonly what: string;
  /** What is left to do about it by somebody; undefined if nothing is. */
  readonly left?: string | undefined;
}

/** `partner revoke`: an organisation's systems are told nothing any more, and may ask for nothing. */
export const partnerRevoke = defineVerb({
  name: 'partner revoke',
  summary: "Ends all that an organisation's systems hear of and may ask for: its bus, Subscriptions, applications",
  synopsis: '--organization ID [--yes]',
  explained: '--organization ID  whose systems they are. Its people are ended by staff deprovision',
  effect: 'ends',
  options: { organization: { type: 'string' } },
  understand: ({ values, positionals }) => {
    requireNoWords(positionals);
    return { organization: needed(values.organization, 'organization') };
  },
  run: async ({ organization }, { place, operator, dryRun, now, say }): Promise<Report> => {
    const at = await place();
    const ways: Way[] = [];
    const step = async (way: string, what: string, work: () => Promise<unknown>): Promise<void> => {
      const failure = dryRun
        ? undefined
        : await work().then(
            () => undefined,
            (error: unknown) => (error instanceof CommandFailed ? error.message : Promise.reject(error)),
          );
      say(`${way} ${what}`);
      ways.push({ way, what, left: failure });
    };
    const mine = isPartner(at, organization);
    if (mine) await step('bus', 'its rule is disabled', () => disableRule(at, organization));
    const told = (await subscriptionsOf(at.table, organization)).filter(
      ({ settings }) => settings && settings.status !== 'off',
    );
    const applications = (await readApplications(at.table)).filter(
      (each) => each.organization === organization && each.revoked === undefined,
    );
    if (told.length > 0)
      await step('Subscriptions', `${told.length} are turned off`, async () =>
        asApplicationOf(at, organization, { operator: await operator(), now }, async (fhir) => {
          for (const { id } of told) {
            const known = (await fhir.read(`Subscription/${id}`)) as fhir4.Subscription | undefined;
            if (known) await fhir.put({ ...known, id, status: 'off' });
          }
        }),
      );
    const clients = new Applications(at);
    try {
      for (const { client, name } of applications)
        await step('application', `${name} (${client}) is ended`, () => clients.revoke(client, now));
    } finally {
      clients.close();
    }
    const people = await peopleOf(at, organization);
    return report(organization, ways, { isPartner: mine, people });
  },
});

/** Whether the stage has a rule for its bus. A local server has none. */
const isPartner = ({ stage }: Place, organization: string): boolean =>
  stage !== undefined && stageNamed(stage).partners.some((partner) => partner.organization === organization);

/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DisableRule.html */
const disableRule = async ({ services, stage }: Place, Name: string): Promise<void> => {
  const client = new EventBridgeClient({ ...services });
  try {
    await client.send(new DisableRuleCommand({ Name, EventBusName: `concord-${stage}` }));
  } catch (error) {
    throw new CommandFailed(`The rule of ${Name} cannot be disabled: ${(error as Error).message}`);
  } finally {
    client.destroy();
  }
};

const peopleOf = async (at: Place, organization: string): Promise<number> => {
  const users = new StaffUsers(at);
  try {
    let count = 0;
    for await (const user of users.all()) if (user.enabled && user.organization === organization) count++;
    return count;
  } finally {
    users.close();
  }
};

const report = (
  organization: string,
  ways: readonly Way[],
  { isPartner: mine, people }: { readonly isPartner: boolean; readonly people: number },
): Report => {
  const rows = ways.map(({ way, what, left }) => [way, what, left ?? '']);
  const next = [
    ...(mine
      ? [`Remove ${organization} from infra/partners.ts and deploy: the next deployment would enable its rule.`]
      : []),
    ...(people > 0 ? [`${people} people of ${organization} may still sign in: staff list, staff deprovision.`] : []),
    'What its systems have been told they keep. Consents of patients stay as they are: they are the word of patients.',
  ];
  return {
    text: [
      ways.length === 0 ? `${organization} hears of nothing here.` : tableOf(['way', '', ''], rows),
      '',
      ...next,
    ].join('\n'),
    data: { organization, ways, people, partner: mine },
    leftUndone: ways.some(({ left }) => left !== undefined),
  };
};
