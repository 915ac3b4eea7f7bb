import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Handler, importHandler } from '../../infra/local/lambda.ts';
import { auditRow } from '../../shared/audit/audit-row.ts';
import { chainAccesses } from '../../shared/audit/chain/chain-accesses.ts';
import { documentClient } from '../../shared/store/document-client.ts';
import { IdCodec } from '../../shared/store/ids.ts';
import { auditChainKey, auditKey } from '../../shared/store/keys.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import { bareStack } from '../support/concord.ts';
import { removedAfterTest } from '../support/removed-after-test.ts';
import { runNode, startNode } from '../support/run-node.ts';
import { insertEvent } from '../support/stream-events.ts';

const fixture = 'functions/fixture.ts';

/** A function keeps its clients, and so the addresses of the stack that it was first called in: each test has a stack, and functions, of its own. */
beforeEach(() => void vi.resetModules());

const stack = async (handler?: Handler) => {
  const concord = await bareStack(
    handler
      ? {
          routes: [{ path: '/fhir', entry: fixture, open: false }],
          load: (entry) => (entry === fixture ? Promise.resolve(handler) : importHandler(entry)),
        }
      : {},
  );
  onTestFinished(concord.stop);
  return { concord, environment: { PORT: String(concord.port) } };
};

describe('npm run token', () => {
  it('prints an access token and nothing else', async () => {
    const { environment } = await stack();

    const { status, stdout, stderr } = await runNode('infra/cli/token.ts', ['nurse@lakeside.example'], environment);

    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    const claims = JSON.parse(Buffer.from(stdout.split('.')[1] ?? '', 'base64url').toString()) as object;
    expect(claims).toMatchObject({ username: 'nurse@lakeside.example', organization: 'lakeside' });
  });

  it.each([
    ['a user that does not exist', ['nobody@northside.example'], 'cannot sign in'],
    ['a wrong password', ['nurse@northside.example', '--password', 'x'], 'Incorrect username or password.'],
    ['no user', [], 'Usage'],
  ])('says what is wrong with %s on standard error, with status 1', async (_, args, message) => {
    const { environment } = await stack();

    const { status, stdout, stderr } = await runNode('infra/cli/token.ts', args, environment);

    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain(message);
  });

  it('says that no server runs', async () => {
    const { concord, environment } = await stack();
    await concord.stop();

    const { status, stderr } = await runNode('infra/cli/token.ts', ['nurse@northside.example'], environment);

    expect(status).toBe(1);
    expect(stderr).toMatch(/^No Concord answers at .*npm start/);
  });
});

describe('npm run audit:verify', () => {
  const access = () =>
    auditRow(new IdCodec(Buffer.alloc(32)), auditKey('4ietnh7ahshfjdidn6n7q1pho4', '78m7n5o003p1c8g0v3ag'), {
      at: 0,
      interaction: 'read',
      what: [],
      subject: 'sub-1',
      name: 'nurse@northside.example',
      client: 'app',
      fhirUser: 'Practitioner/northside-nurse',
      roles: ['nurse'],
      request: 'r-1',
    });
  const verify = (environment: Record<string, string>, ...args: string[]) =>
    runNode('infra/cli/audit-verify.ts', args, environment);

  it('finds nothing wrong with logs that nobody touched, names what somebody did, and a log that is gone with its chain', async () => {
    const { environment } = await stack();
    const table = documentClient({ endpoint: process.env.AWS_ENDPOINT_URL_DYNAMODB ?? '' });
    onTestFinished(() => table.destroy());
    const store = { client: table, tableName: process.env.TABLE_NAME ?? '' };
    const row = access();
    await writeRows(store, [row]);
    // Noted for each day of which the next digest may be, whatever the clock says.
    for (const daysAgo of [2, 1, 0]) await chainAccesses(store, insertEvent([row]), Date.now() - daysAgo * 86_400_000);
    const [writeDigests, verifyDigests] = (await Promise.all(
      ['functions/write-digests.ts', 'functions/verify-digests.ts'].map(importHandler),
    )) as [() => Promise<void>, () => Promise<void>];

    await writeDigests();
    const sound = await verify(environment);
    await verifyDigests();
    await writeRows(store, [{ ...row, organization: 'lakeside' }]);
    const tampered = await verify(environment);
    await writeRows(store, [], [row, auditChainKey('4ietnh7ahshfjdidn6n7q1pho4', 1)]);
    const gone = await verify(environment);

    expect([sound.status, sound.stderr]).toEqual([0, '']);
    expect(sound.stdout).toMatch(
      /^1 logs with 1 rows: 0 faults; 0 rows are newer than their chains, 0 newer than the digest of their log\nDigests: (\S+) to \1\n$/,
    );
    expect(tampered.status).toBe(1);
    expect(tampered.stdout).toMatch(/^altered A#4ietnh7ahshfjdidn6n7q1pho4 78m7n5o003p1c8g0v3ag\n1 logs .* 1 faults/);
    expect(gone.status).toBe(1);
    expect(gone.stdout).toMatch(/^log-missing [\w-]{43}\n0 logs .* 1 faults/);
    await expect(verifyDigests()).rejects.toThrow('not as it was written');
  });
});

describe('npm run events', () => {
  it('prints the events that come, one a line', async () => {
    const { concord, environment } = await stack();
    const { child, stdout, stderr } = startNode('infra/cli/events.ts', [], environment);
    onTestFinished(() => void child.kill());
    await expect.poll(stderr).toContain('Following');

    const entry = (n: number) => ({
      Source: 'a',
      DetailType: 'b',
      Detail: JSON.stringify({ n }),
      EventBusName: 'concord',
    });
    await fetch(process.env.AWS_ENDPOINT_URL_EVENTBRIDGE ?? '', {
      method: 'POST',
      headers: { 'x-amz-target': 'AWSEvents.PutEvents' },
      body: JSON.stringify({ Entries: [entry(1), entry(2)] }),
    });

    await expect.poll(() => stdout().split('\n')).toHaveLength(3);
    const printed = stdout()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { detail: unknown });
    expect(printed.map(({ detail }) => detail)).toEqual([{ n: 1 }, { n: 2 }]);
    expect(concord.events()).toHaveLength(2);
  });

  it('prints what would reach one organisation’s own bus, where it is asked for that', async () => {
    const { environment } = await stack();
    const entry = (recipient: string, DetailType = 'RecordChanged.v1') => ({
      Source: 'concord.records',
      DetailType,
      Detail: JSON.stringify({ recipient }),
      EventBusName: 'concord',
    });
    const Entries = [entry('northside'), entry('lakeside', 'Another.v1'), entry('lakeside'), entry('lake'), entry('*')];
    await fetch(process.env.AWS_ENDPOINT_URL_EVENTBRIDGE ?? '', {
      method: 'POST',
      headers: { 'x-amz-target': 'AWSEvents.PutEvents' },
      body: JSON.stringify({ Entries }),
    });

    const { child, stdout } = startNode('infra/cli/events.ts', ['--all', '--recipient', 'lakeside'], environment);
    onTestFinished(() => void child.kill());

    // The last one that there is passes, so what stands before it was looked at by then.
    await expect.poll(stdout).toContain('"*"');
    expect(
      stdout()
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { detail: { recipient: string } }).detail.recipient),
    ).toEqual(['lakeside', '*']);
  });
});

describe('npm run import', () => {
  const files = () => {
    const folder = removedAfterTest();
    const bundle = {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [{ resource: { resourceType: 'Patient' }, request: { method: 'POST', url: 'Patient' } }],
    };
    writeFileSync(path.join(folder, 'a.json'), JSON.stringify(bundle));
    return folder;
  };

  it('posts as the application of Northside, ends with a table and status 0 when all was accepted', async () => {
    const callers: string[] = [];
    const { environment } = await stack((event) => {
      const { requestContext } = event as { requestContext: { authorizer: { claims: { application: string } } } };
      callers.push(requestContext.authorizer.claims.application);
      return { statusCode: 200, body: '{"resourceType":"Bundle","type":"transaction-response"}' };
    });

    const { status, stdout } = await runNode('infra/cli/import.ts', [files()], environment);

    expect(status).toBe(0);
    expect(stdout).toMatch(/type +accepted +refused\nPatient +1 +0\ntotal +1 +0\n$/);
    expect(callers).toEqual(['system@northside.example']);
  });

  it('goes on with one that broke off under its keys, and begins another one under others', async () => {
    const keys: unknown[] = [];
    const { environment } = await stack((event) => {
      const { headers } = event as { headers: Record<string, string> };
      keys.push(Object.entries(headers).find(([name]) => name.toLowerCase() === 'idempotency-key')?.[1]);
      return { statusCode: 200, body: '{"resourceType":"Bundle","type":"transaction-response"}' };
    });
    const folder = files();

    const first = await runNode('infra/cli/import.ts', [folder], environment);
    const name = /--resume (\S+)/.exec(first.stderr)?.[1] ?? '';
    await runNode('infra/cli/import.ts', [folder, '--resume', name], environment);
    await runNode('infra/cli/import.ts', [folder], environment);

    expect(keys[1]).toBe(keys[0]);
    expect(keys[2]).not.toBe(keys[0]);
  });

  it('has status 1 and says why when something was refused', async () => {
    const outcome = {
      resourceType: 'OperationOutcome',
      issue: [{ severity: 'error', code: 'invalid', details: { text: 'no' } }],
    };
    const { environment } = await stack(() => ({ statusCode: 400, body: JSON.stringify(outcome) }));

    const { status, stdout } = await runNode('infra/cli/import.ts', [files()], environment);

    expect(status).toBe(1);
    expect(stdout).toMatch(/total +0 +1\n\nrefused because\n1 × 400 no\n +in .*a\.json, entry 1\n$/);
  });

  it('refuses to begin with a wrong user, without files, or with a file that does not exist', async () => {
    const { environment } = await stack();
    const importing = (...args: string[]) => runNode('infra/cli/import.ts', args, environment);

    const finished = await Promise.all([
      importing(files(), '--user', 'x'),
      importing(),
      importing('/nowhere.json'),
      importing(removedAfterTest()),
    ]);

    expect(finished.map(({ status }) => status)).toEqual([1, 1, 1, 1]);
    expect(finished.map(({ stderr }) => stderr)).toEqual([
      expect.stringContaining('cannot sign in'),
      expect.stringContaining('Usage'),
      expect.stringContaining('no file or folder'),
      expect.stringContaining('Nothing to import'),
    ]);
  });
});
