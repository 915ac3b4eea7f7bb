import { CognitoIdentityProviderClient, CreateUserPoolClientCommand } from '@aws-sdk/client-cognito-identity-provider';
import { expect, it, onTestFinished } from 'vitest';
import { chartLog } from '../../shared/audit/audit-log.ts';
import { logNameOf } from '../../shared/audit/log-name.ts';
import { userLog } from '../../shared/audit/user-log.ts';
import { addApplication, revokeApplication } from '../../shared/store/applications.ts';
import { sharedConcord, storeOfStack } from '../support/concord.ts';

// An application's way from an administrator's hands to a record, through the pool, its trigger, the gateway and a function.

it('an application gets a token once it is entered whose it is, and none once that has ended', async () => {
  const concord = await sharedConcord();
  const store = await storeOfStack();
  const cognito = new CognitoIdentityProviderClient({}); // it finds the stand-in as functions do
  onTestFinished(() => cognito.destroy());
  const { UserPoolClient } = await cognito.send(
    new CreateUserPoolClientCommand({
      UserPoolId: concord.userPools.staff.id,
      ClientName: 'feed',
      GenerateSecret: true,
      AllowedOAuthFlows: ['client_credentials'],
      AllowedOAuthFlowsUserPoolClient: true,
      AllowedOAuthScopes: ['system/*.rs'],
    }),
  );
  const { ClientId: client = '', ClientSecret = '' } = UserPoolClient ?? {};
  const token = async () => {
    const response = await fetch(`${process.env.AWS_ENDPOINT_URL}/oauth2/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${client}:${ClientSecret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    return (await response.json()) as Readonly<Record<string, string>>;
  };
  const statusOf = async (method: string, accessToken = '') => {
    const headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/fhir+json' };
    const body = method === 'POST' ? { body: '{"resourceType":"Patient"}' } : {};
    return (await fetch(`${concord.url}/Patient`, { method, headers, ...body })).status;
  };

  const before = await token();
  const application = { client, organization: 'lakeside', name: 'Laboratory feed', fhirUser: 'Device/feed', since: 1 };
  await addApplication(store, application);
  const { access_token } = await token();
  const statuses = [await statusOf('GET', access_token), await statusOf('POST', access_token)];
  await revokeApplication(store, client, 2);
  const after = await token();

  expect(before.error_description).toContain('Nothing says which organization');
  expect(statuses).toEqual([200, 403]); // it may read, by its scopes
  expect(after.error_description).toContain('has ended');
  const { accesses } = await chartLog(store, logNameOf(store, userLog(client)), undefined);
  const told = accesses.map(({ entry }) => [entry.interaction, entry.outcome, entry.name, entry.organization]);
  expect(told).toContainEqual(['sign-in', undefined, 'Laboratory feed', 'lakeside']);
  expect(told).toContainEqual(['sign-in', 'refused', 'Laboratory feed', 'lakeside']);
});
