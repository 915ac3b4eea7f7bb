import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { useDummyCredentials } from '../../infra/local/dummy-credentials.ts';
import { canaryOnSchedule } from '../../shared/canary/on-schedule.ts';
import { sharedConcord } from '../support/concord.ts';
import { runNode } from '../support/run-node.ts';

it('npm run canary lives its day at the running server, and says how long each step took', async () => {
  const { port } = await sharedConcord();

  const { status, stdout, stderr } = await runNode('infra/cli/canary.ts', [], { PORT: String(port) });

  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^ *\d+ ms {2}describe$[\s\S]*^ *\d+ ms {2}be told of it$[\s\S]*^ *\d+ ms {2}tidy up$/m);
});

it('the canary of a deployment shows its token as its application, and fails where its day does', async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += String(chunk);
    });
    request.on('end', () => {
      const { 'x-amz-target': target, authorization } = request.headers;
      asked.push([request.url, target ?? authorization, body].join(' '));
      if (request.url === '/') response.end(JSON.stringify({ SecretString: secretOf(endpoint) }));
      else if (request.url === '/oauth2/token') response.end(JSON.stringify({ access_token: 'a-token' }));
      else response.writeHead(503).end();
    });
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  useDummyCredentials();
  vi.stubEnv('AWS_ENDPOINT_URL', endpoint);
  vi.stubEnv('API_URL', `${endpoint}/fhir`);
  vi.stubEnv('CANARY_SECRET', 'arn:aws:secretsmanager:us-east-1:111122223333:secret:canary');
  onTestFinished(() => void vi.unstubAllEnvs());

  await expect(canaryOnSchedule()()).rejects.toThrow('describe: answered 503');

  const basic = Buffer.from('canary-client:kept').toString('base64');
  expect(asked.slice(0, 3)).toEqual([
    '/ secretsmanager.GetSecretValue {"SecretId":"arn:aws:secretsmanager:us-east-1:111122223333:secret:canary"}',
    `/oauth2/token Basic ${basic} grant_type=client_credentials&scope=system%2F*.cruds`,
    '/fhir/metadata Bearer a-token ',
  ]);
});

const secretOf = (endpoint: string) =>
  JSON.stringify({
    tokenUrl: `${endpoint}/oauth2/token`,
    clientId: 'canary-client',
    clientSecret: 'kept',
    scope: 'system/*.cruds',
  });
