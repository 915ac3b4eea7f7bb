import { createHash } from 'node:crypto';
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListStreamsCommand,
} from '@aws-sdk/client-dynamodb-streams';
import { expect, it, onTestFinished } from 'vitest';
import { startAwsServices } from '../../infra/local/aws-services.ts';
import { administerAt } from '../support/administer-at.ts';
import { localTable } from '../support/dynamodb.ts';
import { fhirServer } from '../support/fhir-server.ts';

const now = Date.now();

/** Where what was written last lies in the stream of a table, as Lambda names it in a queue. */
const wholeStream = async (endpoint: string, tableName: string) => {
  const client = new DynamoDBStreamsClient({ region: 'us-east-1', endpoint });
  const { Streams = [] } = await client.send(new ListStreamsCommand({ TableName: tableName }));
  const StreamArn = Streams[0]?.StreamArn ?? '';
  const { StreamDescription } = await client.send(new DescribeStreamCommand({ StreamArn }));
  const batches = [];
  for (const { ShardId = '' } of StreamDescription?.Shards ?? []) {
    const { ShardIterator } = await client.send(
      new GetShardIteratorCommand({ StreamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' }),
    );
    const { Records = [] } = await client.send(new GetRecordsCommand({ ShardIterator }));
    const numbers = Records.map(({ dynamodb }) => dynamodb?.SequenceNumber ?? '');
    const [startSequenceNumber, endSequenceNumber] = [numbers[0], numbers.at(-1)];
    if (startSequenceNumber !== undefined)
      batches.push({ shardId: ShardId, startSequenceNumber, endSequenceNumber, streamArn: StreamArn });
  }
  client.destroy();
  return batches;
};

it('files what the consumer of the access log gave up, as long as the stream has it', async () => {
  const table = await localTable();
  const server = await fhirServer(table);
  const created = await server.post('/Patient', { resourceType: 'Patient', name: [{ family: 'Rivera' }] });
  await server.get(`/Patient/${created.body.id}`, { as: { role: 'nurse' } });
  const { endpoint, tableName } = table;
  const [first, ...others] = await wholeStream(endpoint, tableName);
  const gone = { ...first, shardId: 'shardId-00000000000000000001-00000000' };
  const messages = new Map(
    [first, ...others, gone].map((batch, index) => [String(index), JSON.stringify({ DDBStreamBatchInfo: batch })]),
  );
  const taken = new Set<string>();
  const queue = await startAwsServices([
    {
      target: 'AmazonSQS',
      operations: {
        GetQueueAttributes: () => ({ Attributes: { ApproximateNumberOfMessages: String(messages.size) } }),
        ReceiveMessage: () => ({
          Messages: [...messages]
            .filter(([id]) => !taken.has(id) && taken.add(id))
            .map(([id, Body]) => ({
              MessageId: id,
              ReceiptHandle: id,
              Body,
              MD5OfBody: createHash('md5').update(Body).digest('hex'),
            })),
        }),
        DeleteMessage: ({ ReceiptHandle }) => {
          messages.delete(String(ReceiptHandle));
          return {};
        },
      },
    },
  ]);
  onTestFinished(queue.stop);
  const queues = [{ name: 'FileAccesses', holds: 'places' as const, url: `${queue.endpoint}/1/q`, arn: 'arn:q' }];
  const place = {
    services: { region: 'us-east-1', endpoint: queue.endpoint },
    streams: { region: 'us-east-1', endpoint },
    deadLetters: () => Promise.resolve(queues),
  };
  const who = [
    '--user',
    'Practitioner/northside-nurse',
    '--organization',
    'northside',
    '--reason',
    'to see what is filed',
  ];
  const looked = async () =>
    ((await administerAt(server, now + 60_000, ['snooping', ...who])).data as { visits: object[] }).visits;

  await expect(looked()).rejects.toThrow('nothing by that name');
  const shown = await administerAt(server, now, ['redrive'], place);
  const left = messages.size;
  const { data, leftUndone, text } = await administerAt(server, now, ['redrive', '--yes'], place);

  expect([shown.text, left]).toEqual([expect.stringContaining('is filed again'), others.length + 2]);
  expect([messages.size, leftUndone, data]).toEqual([1, true, expect.objectContaining({ tooOld: 1 })]);
  expect(text).toContain('1 batches of the access log are older than the stream');
  expect(await looked()).toHaveLength(1);
});
