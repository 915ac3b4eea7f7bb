import type { CanaryCredentials } from '../../../shared/canary/credentials.ts';
import { readApplications } from '../../../shared/store/applications.ts';
import { signedRequests } from '../../../shared/store/signed-requests.ts';
import { CommandFailed } from '../command.ts';
import { Applications, asApplicationOf } from './applications.ts';
import type { Place } from './place.ts';
import { defineVerb, type Report, requireNoWords } from './verb.ts';

/** The organisation whose only patients are those that the canary makes and removes. */
const organization = 'canary';
const name = 'Canary';
const scope = 'system/*.cruds';

const organizationRecord: fhir4.Organization & { readonly id: string } = {
  resourceType: 'Organization',
  id: organization,
  active: true,
  name: 'Canary: no patients of anybody',
};

/** `canary`: gives the canary of a stage credentials, new ones if it has some. */
export const canary = defineVerb({
  name: 'canary',
  summary: 'Gives the canary of a stage credentials of its own, and ends those that it had',
  synopsis: '[--dry-run]',
  explained: 'The secret goes to where the canary reads it, and is shown to nobody.',
  effect: 'adds',
  options: {},
  understand: ({ positionals }) => requireNoWords(positionals),
  run: async (_, { place, operator, dryRun, now }): Promise<Report> => {
    const at = await place();
    const { canarySecret } = at;
    if (canarySecret === undefined) throw new CommandFailed(`${at.name} has no canary that asks for credentials`);
    const earlier = (await readApplications(at.table)).filter(
      (each) => each.organization === organization && each.name === name && each.revoked === undefined,
    );
    const ended = earlier.map(({ client }) => client);
    const text = `Organization/${organization}, and an application of it with ${scope}; ${ended.length} earlier ones end`;
    if (dryRun) return { text, data: { organization, ended } };
    await asApplicationOf(at, organization, { operator: await operator(), now }, async (fhir) => {
      if (!(await fhir.read(`Organization/${organization}`))) await fhir.put(organizationRecord);
    });
    const applications = new Applications(at);
    try {
      const own = { organization, name, fhirUser: `Organization/${organization}` };
      const { client, secret } = await applications.add(own, [scope], now);
      await fill(at, canarySecret, { tokenUrl: at.tokenEndpoint, clientId: client, clientSecret: secret, scope });
      for (const each of ended) await applications.revoke(each, now);
      return { text, data: { organization, client, ended } };
    } finally {
      applications.close();
    }
  },
});

const timeoutMs = 10_000;

/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html */
const fill = async (
  { table }: Place,
  { id, url }: NonNullable<Place['canarySecret']>,
  value: CanaryCredentials,
): Promise<void> => {
  const { statusCode } = await signedRequests(
    table.client,
    'secretsmanager',
  )({
    method: 'POST',
    url: new URL(url),
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'secretsmanager.PutSecretValue' },
    body: Buffer.from(JSON.stringify({ SecretId: id, SecretString: JSON.stringify(value) })),
    timeoutMs,
  });
  if (statusCode !== 200) throw new CommandFailed(`Secrets Manager does not take the credentials (${statusCode})`);
};
