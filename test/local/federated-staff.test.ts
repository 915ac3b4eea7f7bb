import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AwsServices, ServiceError, startAwsServices } from '../../infra/local/aws-services.ts';
import { administerAt } from '../support/administer-at.ts';
import { testStore } from '../support/test-store.ts';

// Who signs on at a hospital has nothing of an organisation in the pool, and a name there that is no address.
const account = (Username: string, attributes: Readonly<Record<string, string>>) => ({
  Username,
  Enabled: true,
  UserStatus: 'EXTERNAL_PROVIDER',
  Attributes: Object.entries({ sub: `sub-${Username}`, ...attributes }).map(([Name, Value]) => ({ Name, Value })),
});
const signsOnAt = (providerName: string) => JSON.stringify([{ providerName, userId: 'jo' }]);
const email = 'jo.park@lakeside.test';
const people = [
  account('Lakeside_jo', { email, identities: signsOnAt('Lakeside'), 'custom:groups': '[EHR Doctors, Car park]' }),
  account('own-account-of-jo', { email, 'custom:organization': 'lakeside' }),
  account('Elsewhere_sam', { email: 'sam@elsewhere.test', identities: signsOnAt('Elsewhere') }),
];

let pool: AwsServices;
beforeAll(async () => {
  const [, own] = people;
  pool = await startAwsServices([
    {
      target: 'AWSCognitoIdentityProviderService',
      operations: {
        AdminGetUser: ({ Username }) => {
          if (Username !== email || !own) throw new ServiceError('UserNotFoundException', 'User does not exist.');
          return { ...own, UserAttributes: own.Attributes };
        },
        ListUsers: ({ Filter }) => ({
          Users: Filter === undefined ? people : people.filter((each) => Filter === `email = "${emailOf(each)}"`),
        }),
        ListUsersInGroup: () => ({ Users: [] }),
      },
    },
  ]);
});
afterAll(() => pool.stop());

const emailOf = ({ Attributes }: ReturnType<typeof account>) =>
  Attributes.find(({ Name }) => Name === 'email')?.Value ?? '';

const admin = async (...words: string[]) =>
  (
    await administerAt({ store: await testStore(), bucket: { bucket: '', endpoint: '' } }, Date.now(), words, {
      services: { region: 'us-east-1', endpoint: pool.endpoint },
      staffPoolId: 'us-east-1_Staff',
      federation: { Lakeside: { organization: 'lakeside', roles: { 'EHR Doctors': 'physician' } } },
    })
  ).data as Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;

describe('staff who sign on at their hospital', () => {
  it('are listed for the hospital, with what its groups come to', async () => {
    const { staff = [] } = await admin('staff', 'list', '--organization', 'lakeside');

    expect(staff.map(({ username, roles }) => [username, roles])).toEqual([
      ['Lakeside_jo', ['physician']],
      ['own-account-of-jo', []],
    ]);
  });

  it('are ended with every account of their address', async () => {
    const { ended = [] } = await admin('staff', 'deprovision', email);

    expect(ended.map(({ user, organization, left }) => [user, organization, left])).toEqual([
      [email, 'lakeside', undefined],
      [email, 'lakeside', undefined],
    ]);
  });
});
