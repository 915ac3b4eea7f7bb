import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { describe, expect, it, vi } from 'vitest';
import { beginStream, lackingOf, setLikeOld, settingsOf } from '../../infra/cli/restore/table-settings.ts';
import { requireClosedDoor } from '../../infra/cli/restore/verbs.ts';

const arnOf = (name = '') => `arn:aws:dynamodb:us-east-1:111122223333:table/${name}`;

/** Tables of a service, as far as their settings go, and what it was told to change. */
const service = (tables: Record<string, Record<string, unknown>>) => {
  const told: string[] = [];
  const answer = (name: string, input: Record<string, string | undefined>): unknown => {
    const arn = input['ResourceArn'] ?? arnOf(input['TableName']);
    const table = tables[arn.split('/').at(-1) ?? ''] ?? {};
    if (name === 'DescribeTable')
      return { Table: { TableStatus: 'ACTIVE', TableArn: arn, ...(table['table'] as object) } };
    if (name === 'DescribeTimeToLive')
      return { TimeToLiveDescription: table['ttl'] ?? { TimeToLiveStatus: 'DISABLED' } };
    if (name === 'DescribeContinuousBackups')
      return { ContinuousBackupsDescription: { PointInTimeRecoveryDescription: table['recovery'] } };
    if (name === 'ListTagsOfResource') return { Tags: table['tags'] ?? [] };
    if (name === 'GetResourcePolicy') {
      if (table['policy']) return { Policy: table['policy'] };
      throw Object.assign(new Error('none'), { name: 'PolicyNotFoundException' });
    }
    const { ResourceArn: _a, TableName: _t, ...said } = input;
    told.push(`${name} ${arn.split('/').at(-1)} ${JSON.stringify(said)}`);
    return {};
  };
  const send = async (command: { input: Record<string, string | undefined> }) =>
    answer(command.constructor.name.replace('Command', ''), command.input);
  return { client: { send } as unknown as DynamoDBClient, told };
};

const old = {
  table: {
    DeletionProtectionEnabled: true,
    SSEDescription: { KMSMasterKeyArn: 'key-1' },
    StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
    LatestStreamArn: 'stream-1',
  },
  ttl: { TimeToLiveStatus: 'ENABLED', AttributeName: 'expires' },
  recovery: { PointInTimeRecoveryStatus: 'ENABLED', RecoveryPeriodInDays: 35 },
  tags: [
    { Key: 'cost', Value: 'records' },
    { Key: 'aws:cloudformation:stack-name', Value: 's' },
  ],
  policy: `{"Resource":"${arnOf('old')}"}`,
};
/** As the service makes it. */
const bare = { table: { SSEDescription: { KMSMasterKeyArn: 'key-1' } } };

describe('the settings of a restored table', () => {
  it('are set that a restore does not keep, and no stream yet', async () => {
    const { client, told } = service({ old, bare });

    await setLikeOld(client, await settingsOf(client, 'old'), 'bare');

    expect(told).toEqual([
      'UpdateTimeToLive bare {"TimeToLiveSpecification":{"Enabled":true,"AttributeName":"expires"}}',
      'UpdateContinuousBackups bare {"PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true,"RecoveryPeriodInDays":35}}',
      'TagResource bare {"Tags":[{"Key":"cost","Value":"records"}]}',
      `PutResourcePolicy bare {"Policy":${JSON.stringify(`{"Resource":"${arnOf('bare')}"}`)}}`,
      'UpdateTable bare {"DeletionProtectionEnabled":true}',
    ]);
  });

  it('are left alone where they are set, and the stream is begun apart', async () => {
    const { client, told } = service({ old, same: { ...old, policy: `{"Resource":"${arnOf('same')}"}` } });

    await setLikeOld(client, await settingsOf(client, 'old'), 'same');
    expect(told).toEqual([]);
    await beginStream(client, 'same');

    expect(told).toEqual([
      'UpdateTable same {"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}}',
    ]);
  });

  it('are named as far as they lack', async () => {
    const { client } = service({ old, bare, same: old });
    const wanted = await settingsOf(client, 'old');

    expect(lackingOf(wanted, await settingsOf(client, 'same'))).toEqual([]);
    expect(lackingOf(wanted, await settingsOf(client, 'bare'))).toEqual([
      'no stream of both images',
      'no time to live',
      'no point-in-time recovery, or for another time',
      'no protection from deletion',
      'no tag cost',
      'no policy of its own',
    ]);
    expect(lackingOf(wanted, { ...wanted, key: 'key-2' })).toEqual(['another key encrypts it']);
  });
});

describe('the door before a restore', () => {
  it.each([
    ['is closed where the gateway says so', () => Response.json({}, { status: 503 }), undefined],
    ['is open where it answers', () => Response.json({}), 'is open: it answers 200'],
    [
      'is not taken for closed where nothing is heard of it',
      () => Promise.reject(new Error('no route')),
      'cannot be reached',
    ],
  ])('%s', async (_, answer, refusal) => {
    vi.stubGlobal('fetch', async () => answer());
    const asked = requireClosedDoor({ url: 'https://concord.test/fhir' }).finally(() => vi.unstubAllGlobals());

    if (refusal === undefined) await expect(asked).resolves.toBeUndefined();
    else await expect(asked).rejects.toThrow(refusal);
  });
});
