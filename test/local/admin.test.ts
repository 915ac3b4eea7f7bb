import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verbs } from '../../infra/cli/admin/verbs.ts';
import type { Concord } from '../../infra/local/concord.ts';
import { commit } from '../../shared/store/commit.ts';
import { documentClient } from '../../shared/store/document-client.ts';
import { parkChart } from '../../shared/store/feed/parked-charts.ts';
import { bareStack, storeOfStack } from '../support/concord.ts';
import { scratchFolder } from '../support/dynamodb.ts';
import { administer } from '../support/run-admin.ts';
import { runNode } from '../support/run-node.ts';
import { commitOf, newRecord } from '../support/test-store.ts';

/** Starts with what delivery has failed on too often. */
const givenUp = { id: '1', body: '{"organization":"northside","id":"s-1"}', sent: 0, visibleAt: 0 };

let concord: Concord;
beforeAll(async () => {
  const dataDir = scratchFolder();
  mkdirSync(path.join(dataDir, 'queues'), { recursive: true });
  writeFileSync(path.join(dataDir, 'queues', 'wakes.ndjson'), `${JSON.stringify({ dead: givenUp })}\n`);
  concord = await bareStack({ dataDir });
});
afterAll(() => concord.stop());

const admin = (...words: string[]) => administer(concord, ...words);

describe('npm run admin', () => {
  it('lists what may be asked of it, each in a line', async () => {
    const { status, stdout, stderr } = await runNode('infra/cli/admin.ts', ['--help']);

    expect([status, stderr]).toEqual([0, '']);
    for (const { name, summary } of verbs)
      expect(stdout).toMatch(new RegExp(`^  ${name} +${summary.slice(0, 20)}`, 'm'));
  });

  it.each([
    ['a word that is no verb', ['revive'], /^There is no "revive"\.\n\nnpm run admin/],
    ['an option that there is not', ['redrive', '--fast'], /'--fast'.*\nUsage: npm run admin -- redrive/],
    ['a word too many', ['redrive', 'wakes'], /"wakes"\?\nUsage:/],
    ['to do it and not to do it', ['redrive', '--yes', '--dry-run'], /exclude each other/],
  ])('understands not %s, and ends with 2', async (_, words, message) => {
    const { status, stdout, stderr } = await admin(...words);

    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
  });

  it.each([
    ['a stage that there is not', ['redrive', '--stage', 'attic'], 'There is no stage "attic"'],
    ['a queue that there is not', ['redrive', '--queue', 'attic'], 'There is no queue "attic". Queues: wakes'],
  ])('fails for %s, and ends with 1', async (_, words, message) => {
    const { status, stderr } = await admin(...words);

    expect(status).toBe(1);
    expect(stderr).toContain(message);
  });

  it('says where it looked for a server', async () => {
    const { status, stderr } = await administer({ port: 1 }, 'redrive');

    expect([status, stderr]).toEqual([1, expect.stringMatching(/^No Concord answers at .*:1\./)]);
  });

  it('explains every verb with all of its options', async () => {
    for (const { name } of verbs) {
      const { status, stdout } = await admin(...name.split(' '), '--help');

      expect([name, status]).toEqual([name, 0]);
      expect(stdout).toMatch(new RegExp(`^npm run admin -- ${name}`));
      const [synopsis = '', ...explained] = stdout.split('\n');
      for (const [option] of synopsis.matchAll(/--[a-z][a-z-]+/g)) expect(explained.join('\n'), name).toContain(option);
    }
  });
});

describe('npm run admin -- restore', () => {
  it('drills on copies of the local table, tells how long each step took, and leaves none behind', async () => {
    const store = await storeOfStack();
    for (let count = 0; count < 12; count++)
      await commit(store, commitOf({ writes: [{ next: newRecord(store, store.ids.newChart()) }] }));

    const { status, stdout } = await admin('restore', 'drill', '--json');
    const { steps, records, rows, faults } = JSON.parse(stdout) as Record<string, unknown>;

    expect([status, faults, records]).toEqual([0, [], 12]);
    expect(Object.keys(steps as object)).toEqual(['restore the table', 'compare', 'take over', 'put back', 'check']);
    expect(rows).toBeGreaterThan(0);
    const client = new DynamoDBClient({ endpoint: process.env.DYNAMODB_ENDPOINT ?? '' });
    const { TableNames = [] } = await client.send(new ListTablesCommand({}));
    client.destroy();
    expect(TableNames.filter((name) => name.includes('-drill-'))).toEqual([]);
  });

  it.each([
    [
      'a moment that is none',
      ['restore', 'plan', '--to', 'concord-2', '--at', 'yesterday'],
      2,
      '--at is a moment in UTC',
    ],
    ['a moment to come', ['restore', 'plan', '--to', 'concord-2', '--at', '2999-01-01T00:00Z'], 2, 'in the future'],
    ['no table', ['restore', 'plan', '--at', '2026-11-01T00:00Z'], 2, '--to is missing'],
    [
      'other deletions',
      ['restore', 'check', '--to', 'concord-2', '--at', '2026-11-01T00:00Z', '--deletions', 'all'],
      2,
      'keep or undo',
    ],
    [
      'a past of the embedded store',
      ['restore', 'table', '--to', 'concord-2', '--at', '2026-11-01T00:00Z'],
      1,
      'keeps no past',
    ],
    ['a replay into it', ['restore', 'replay', '--to', 'concord-2', '--at', '2026-11-01T00:00Z'], 1, 'keeps no past'],
  ])('refuses %s', async (_, words, status, message) => {
    const refused = await admin(...words);

    expect(refused.status).toBe(status);
    expect(refused.stderr).toContain(message);
  });
});

describe('npm run admin -- redrive', () => {
  const queue = () => process.env.WAKE_QUEUE_URL ?? '';
  const sqs = async (operation: string, input: object) => {
    const response = await fetch(new URL(queue()).origin, {
      method: 'POST',
      headers: { 'x-amz-target': `AmazonSQS.${operation}` },
      body: JSON.stringify(input),
    });
    return (await response.json()) as { Attributes: { ApproximateNumberOfMessages: string } };
  };
  const waiting = async (url: string) =>
    Number((await sqs('GetQueueAttributes', { QueueUrl: url })).Attributes.ApproximateNumberOfMessages);

  it('shows what was given up and leaves it, until it is told to send it again', async () => {
    const shown = await admin('redrive', '--json');
    const before = [await waiting(queue()), await waiting(`${queue()}-dead`)];
    const done = await admin('redrive', '--yes', '--json');

    const wakes = (moved: boolean) => ({
      tooOld: 0,
      queues: [{ name: 'wakes', holds: 'wakes', messages: 1, moved }],
      parked: [],
    });
    expect([shown.status, JSON.parse(shown.stdout)]).toEqual([0, { dryRun: true, ...wakes(false) }]);
    expect(before).toEqual([0, 1]);
    expect([done.status, JSON.parse(done.stdout)]).toEqual([0, { dryRun: false, ...wakes(true) }]);
    expect([await waiting(queue()), await waiting(`${queue()}-dead`)]).toEqual([1, 0]);
  });

  it('names no chart that is parked, and tells why it is, as something that is left to do', async () => {
    const client = documentClient();
    const chart = '4ietnh7ahshfjdidn6n7q1pho4';
    await parkChart(
      { client, tableName: process.env.TABLE_NAME ?? '' },
      {
        chart,
        reason: 'unreadable',
        written: Date.now(),
        now: Date.now(),
      },
    );
    client.destroy();

    const { status, stdout } = await admin('redrive');

    expect(status).toBe(3);
    expect(stdout).toMatch(/parked chart +\S+Z +unreadable +not tried yet/);
    expect(stdout).not.toContain(chart);
  });
});
