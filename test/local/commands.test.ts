import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Handler } from '../../infra/local/lambda.ts';
import { bareStack } from '../support/concord.ts';
import { removedAfterTest } from '../support/removed-after-test.ts';
import { runNode, startNode } from '../support/run-node.ts';

const stack = async (handler?: Handler) => {
  const concord = await bareStack(
    handler
      ? {
          routes: [{ path: '/fhir', entry: 'functions/fixture.ts', open: false }],
          load: () => Promise.resolve(handler),
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
      const { requestContext } = event as { requestContext: { authorizer: { claims: { username: string } } } };
      callers.push(requestContext.authorizer.claims.username);
      return { statusCode: 200, body: '{"resourceType":"Bundle","type":"transaction-response"}' };
    });

    const { status, stdout } = await runNode('infra/cli/import.ts', [files()], environment);

    expect(status).toBe(0);
    expect(stdout).toMatch(/type +accepted +refused\nPatient +1 +0\ntotal +1 +0\n$/);
    expect(callers).toEqual(['system@northside.example']);
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
