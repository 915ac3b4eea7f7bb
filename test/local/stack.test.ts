import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../infra/local/free-port.ts';
import { lookUp } from '../../infra/local/processes.ts';
import { commit } from '../../shared/store/commit.ts';
import { bareStack, storeOfStack } from '../support/concord.ts';
import { scratchFolder } from '../support/dynamodb.ts';
import { removedAfterTest } from '../support/removed-after-test.ts';
import { runNode, startNode } from '../support/run-node.ts';
import { allRows, commitOf, intercepted, newRecord } from '../support/test-store.ts';

const answersAt = (url: string) =>
  fetch(url).then(
    () => true,
    () => false,
  );

const takenPort = async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  onTestFinished(() => void other.close());
  return (other.address() as { port: number }).port;
};

const killQuietly = (pid: number) => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
};

/** A bare stack in a process of its own, once it is ready. */
const separateStack = async (dataDir: string) => {
  const started = startNode('test/support/start-bare-stack.ts', [String(await freePort()), dataDir]);
  onTestFinished(() => void started.child.kill('SIGKILL'));
  await expect.poll(started.stdout).toContain('\n');
  return { ...started, ...(JSON.parse(started.stdout()) as { url: string; dynamoDb: string }) };
};

describe('npm start', () => {
  it('says in plain words that its port is taken', async () => {
    const port = await takenPort();

    const { status, stderr } = await runNode('infra/local/start.ts', [], {
      PORT: String(port),
      DATA_DIR: removedAfterTest(),
    });

    expect(status).toBe(1);
    expect(stderr.trim()).toBe(
      `Port ${port} is taken by another program. Stop that program, or choose another port: PORT=${port + 1} npm start`,
    );
  });

  it.each([
    [['--rest'], {}, 'Usage: npm start'],
    [[], { PORT: 'abc' }, 'PORT is a number'],
  ])('says in plain words what is wrong with %j %j', async (args, environment, message) => {
    const { status, stderr, stdout } = await runNode('infra/local/start.ts', args, environment);

    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('    at ');
  });
});

describe('the local stack', () => {
  it('leaves nothing behind when it is killed, and starts again on the same data', async () => {
    const dataDir = removedAfterTest();
    const first = await separateStack(dataDir);

    first.child.kill('SIGKILL');
    await first.finished;

    await expect.poll(() => answersAt(first.dynamoDb)).toBe(false);
    const second = await separateStack(dataDir);
    expect(await answersAt(second.url)).toBe(true);
  });

  it('ends the store that is left behind when the server and its keeper are killed at once', async () => {
    const dataDir = removedAfterTest();
    const first = await separateStack(dataDir);
    const { store } = JSON.parse(readFileSync(path.join(dataDir, 'running.json'), 'utf8')) as {
      store: { pid: number };
    };
    onTestFinished(() => killQuietly(store.pid));
    const keeper = lookUp(store.pid)?.parent ?? 0;

    // A server that runs on ends the store as soon as it learns that the keeper has gone: stopped, it learns nothing.
    first.child.kill('SIGSTOP');
    process.kill(keeper, 'SIGKILL');
    first.child.kill('SIGKILL');
    await first.finished;
    const leftBehind = await answersAt(first.dynamoDb);
    await separateStack(dataDir);

    expect(leftBehind).toBe(true);
    expect(await answersAt(first.dynamoDb)).toBe(false);
  });

  it('settles what a killed run has staged before it serves, and waits for no deadline', async () => {
    const dataDir = removedAfterTest();
    const first = await bareStack({ dataDir, scratch: false });
    const before = await storeOfStack();
    const chart = before.ids.newChart();
    let killed = false;
    const dying = intercepted(before, ({ input, send }) => {
      killed ||= JSON.stringify(input).includes('"committed"');
      return killed ? Promise.reject(new Error('killed')) : send();
    });
    const writes = Array.from({ length: 97 }, () => ({ next: newRecord(before, chart) }));
    await expect(commit(dying, commitOf({ writes }))).rejects.toThrow('killed');
    const staged = (await allRows(before)).filter(({ tx }) => tx !== undefined);
    await first.stop();

    const second = await bareStack({ dataDir, scratch: false });
    onTestFinished(second.stop);
    const left = await allRows(await storeOfStack());

    expect(staged.length).toBeGreaterThan(0);
    expect(left.map(({ sk, status }) => [sk, status])).toEqual([['T', 'aborted']]);
  });

  it('keeps large bodies in its data folder, removes those whose commit never came, and begins anew without any', async () => {
    const dataDir = removedAfterTest();
    const objects = path.join(dataDir, 'objects', 'concord-bodies');
    const resource = { resourceType: 'Basic', text: randomBytes(100_000).toString('base64') };
    const first = await bareStack({ dataDir, scratch: false });
    const before = await storeOfStack();
    const kept = newRecord(before, before.ids.newChart(), { type: 'Basic', resource });
    const lost = newRecord(before, kept.chart, { type: 'Basic', resource: { ...resource } });
    await commit(before, commitOf({ writes: [{ next: kept }] }));
    const dying = intercepted(before, ({ name, send }) =>
      name === 'TransactWrite' ? Promise.reject(new Error('killed')) : send(),
    );
    await expect(commit(dying, commitOf({ writes: [{ next: lost }] }))).rejects.toThrow('killed');
    const written = readdirSync(objects);
    await first.stop();

    const second = await bareStack({ dataDir, scratch: false });
    const again = await (await storeOfStack()).read(kept);
    const left = readdirSync(objects);
    await second.stop();
    const third = await bareStack({ dataDir, scratch: false, reset: true });
    onTestFinished(third.stop);

    expect(again).toEqual(kept);
    expect([written.length, left.length, readdirSync(objects).length]).toEqual([2, 1, 0]);
  });

  it('refuses a data folder that another one uses', async () => {
    const dataDir = removedAfterTest();
    const { child } = await separateStack(dataDir);

    const { status, stderr } = await runNode('test/support/start-bare-stack.ts', [String(await freePort()), dataDir]);

    expect(status).toBe(1);
    expect(stderr).toContain(`Another Concord (process ${child.pid}) is using the data in ${dataDir}.`);
  });

  it('takes over a folder whose lock names a process that is another program by now', async () => {
    const dataDir = scratchFolder();
    const lock = { pid: process.pid, instance: 'gone', endpoint: `http://127.0.0.1:${await freePort()}` };
    writeFileSync(path.join(dataDir, 'running.json'), JSON.stringify(lock));

    const concord = await bareStack({ dataDir });
    onTestFinished(concord.stop);

    expect(JSON.parse(readFileSync(path.join(dataDir, 'running.json'), 'utf8'))).not.toMatchObject({
      instance: 'gone',
    });
  });

  it('says in plain words that a data folder cannot be used', async () => {
    const file = path.join(removedAfterTest(), 'file');
    writeFileSync(file, '');

    await expect(bareStack({ dataDir: path.join(file, 'data'), scratch: false })).rejects.toMatchObject({
      name: 'CannotStart',
      message: expect.stringContaining('DATA_DIR=<folder>'),
    });
  });

  it('says in plain words that a pack of order checks cannot be used, before anything is touched', async () => {
    const dataDir = removedAfterTest();
    const knowledgePack = path.join(scratchFolder(), 'pack.json');
    writeFileSync(knowledgePack, '{"edition":"ours-7"}');

    await expect(bareStack({ knowledgePack, dataDir, scratch: false })).rejects.toMatchObject({
      name: 'CannotStart',
      message: expect.stringMatching(/^KNOWLEDGE_PACK=\S+pack\.json: The pack of order checks cannot be used: date/),
    });
    expect(existsSync(path.join(dataDir, 'running.json'))).toBe(false);
  });

  it('says in plain words that no DynamoDB answers at DYNAMODB_ENDPOINT', async () => {
    const dynamoDbEndpoint = `http://127.0.0.1:${await freePort()}`;

    await expect(bareStack({ dynamoDbEndpoint, dataDir: removedAfterTest() })).rejects.toMatchObject({
      name: 'CannotStart',
      message: expect.stringContaining(`No DynamoDB answers at DYNAMODB_ENDPOINT=${dynamoDbEndpoint}`),
    });
  });

  it('begins anew with a reset, which leaves files of others alone', async () => {
    const dataDir = removedAfterTest();
    const first = await bareStack({ dataDir, scratch: false });
    await first.userPools.setEnabled('nurse@northside.example', false);
    await first.stop();
    mkdirSync(path.join(dataDir, 'mine'));

    const second = await bareStack({ dataDir, scratch: false, reset: true });
    onTestFinished(second.stop);

    await expect(second.token('nurse@northside.example')).resolves.toContain('.');
    expect(readdirSync(dataDir)).toContain('mine');
  });

  it('puts the environment back when it stops, and refuses AWS services that have no stand-in', async () => {
    const before = process.env.USER_POOL_JWKS;
    const concord = await bareStack();
    const elsewhere = new DynamoDBClient({ endpoint: process.env.AWS_ENDPOINT_URL ?? '', maxAttempts: 1 });
    onTestFinished(() => elsewhere.destroy());

    await expect(elsewhere.send(new ListTablesCommand())).rejects.toMatchObject({ name: 'UnknownOperationException' });
    const during = process.env.USER_POOL_JWKS;
    await concord.stop();

    expect(during).toBe(JSON.stringify(concord.userPools.jwks));
    expect(process.env.USER_POOL_JWKS).toBe(before);
  });

  it('answers on loopback, and on no address that others can reach', async () => {
    const concord = await bareStack();
    onTestFinished(concord.stop);
    const outside = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ internal, family }) => !internal && family === 'IPv4');

    const hosts = ['127.0.0.1', 'localhost', ...outside.map(({ address }) => address)];
    const answers = await Promise.all(hosts.map((host) => answersAt(`http://${host}:${concord.port}/`)));

    expect(answers).toEqual([true, true, ...outside.map(() => false)]);
  });
});
