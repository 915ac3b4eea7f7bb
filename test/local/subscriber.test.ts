import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { newSigningSecret, signatureHeaders } from '../../shared/webhooks/signature.ts';
import { runNode, startNode } from '../support/run-node.ts';

const subscriber = 'infra/cli/subscriber.ts';

interface Asked {
  readonly method: string;
  readonly path: string;
  /** The stand-in's tokens are the names of users. */
  readonly user: string;
  readonly body: fhir4.Subscription | undefined;
}

type Answer = (asked: Asked) => { readonly status: number; readonly body?: object };

/** A server that signs in everybody and keeps Subscriptions as the test likes, and what it was asked. */
const serving = async (answer: Answer) => {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      const text = Buffer.concat(chunks).toString('utf8');
      const say = (status: number, body?: object) => response.writeHead(status).end(body && JSON.stringify(body));
      if (path === '/_local') return say(200, local());
      if (path === '/cognito') {
        const { AuthParameters } = JSON.parse(text) as { AuthParameters: { USERNAME: string } };
        return say(200, { AuthenticationResult: { AccessToken: AuthParameters.USERNAME, ExpiresIn: 3_600 } });
      }
      if (path === '/cognito/oauth2/token') {
        const [client] = Buffer.from((headers.authorization ?? '').slice(6), 'base64')
          .toString()
          .split(':');
        return say(200, { access_token: client, expires_in: 3_600 });
      }
      const user = (headers.authorization ?? '').replace('Bearer ', '');
      const one = { method, path, user, body: text ? (JSON.parse(text) as fhir4.Subscription) : undefined };
      asked.push(one);
      const { status, body } = answer(one);
      return say(status, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  const local = () => ({
    cognito: `${origin}/cognito`,
    clientId: 'c',
    patientClientId: 'c',
    events: origin,
    dynamodb: origin,
    table: 't',
    objects: origin,
    digests: 'd',
    keys: origin,
    digestKey: 'k',
  });
  return { asked, environment: { PORT: String(port) } };
};

const notification = (type: string, events: readonly number[] = [], resources: readonly object[] = []) =>
  JSON.stringify({
    resourceType: 'Bundle',
    type: 'history',
    entry: [
      {
        resource: {
          resourceType: 'Parameters',
          parameter: [
            { name: 'status', valueCode: 'active' },
            { name: 'type', valueCode: type },
            ...events.map((number) => ({
              name: 'notification-event',
              part: [
                { name: 'event-number', valueString: String(number) },
                { name: 'timestamp', valueInstant: '2026-11-27T10:00:00.000Z' },
                { name: 'focus', valueReference: { reference: `http://localhost/fhir/Patient/${number}` } },
              ],
            })),
          ],
        },
      },
      ...resources.map((resource) => ({ resource })),
    ],
  });

const created: Answer = ({ method }) =>
  method === 'POST' ? { status: 201, body: { resourceType: 'Subscription', id: 's1' } } : { status: 204 };

/** Starts the command, and sends to the endpoint that it has opened. */
const subscribed = async (args: readonly string[], answer: Answer = created) => {
  const { asked, environment } = await serving(answer);
  const { child, finished, stdout, stderr } = startNode(subscriber, args, environment);
  onTestFinished(() => void child.kill('SIGKILL'));
  await expect.poll(stderr).toContain('Ctrl-C removes it');
  const { channel } = asked[0]?.body ?? {};
  const secret = channel?.extension?.[0]?.valueString ?? '';
  const send = async (id: string, body: string, by = secret) => {
    const headers = { ...signatureHeaders(by, { id, timestamp: Math.floor(Date.now() / 1_000), body }) };
    return (await fetch(channel?.endpoint ?? '', { method: 'POST', headers, body })).status;
  };
  const lines = () =>
    stdout()
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { asked, child, finished, lines, stderr, send };
};

describe('npm run subscriber', () => {
  it('subscribes, believes what is signed alone, prints each notification once, and unsubscribes at its end', async () => {
    const topic = 'https://concord.example/fhir/SubscriptionTopic/Patient';
    const { asked, child, finished, lines, stderr, send } = await subscribed(
      ['--as=system@lakeside.example', `--criteria=${topic}`, '--filter=Patient?gender=female'].concat(
        '--payload=full-resource',
        '--heartbeat=60',
        '--header=X-Route: 7',
      ),
    );
    const patient = { resourceType: 'Patient', id: '1' };

    const statuses = [
      await send('n-0', notification('handshake')),
      await send('n-1', notification('event-notification', [1], [patient])),
      await send('n-1', notification('event-notification', [1], [patient])),
      await send('n-2', notification('event-notification', [4])),
      await send('n-3', notification('event-notification', [5]), newSigningSecret()),
      await send('n-4', '{}'),
    ];
    child.kill('SIGINT');

    expect(statuses).toEqual([200, 200, 200, 200, 401, 400]);
    expect(await finished).toMatchObject({ status: 0 });
    expect(lines()).toMatchObject([
      { id: 'n-0', type: 'handshake', events: [] },
      { id: 'n-1', events: [{ number: 1, focus: 'http://localhost/fhir/Patient/1' }], resources: [patient] },
      { id: 'n-2', events: [{ number: 4 }], resources: [] },
    ]);
    for (const words of [
      'Repeated: n-1',
      'Missing are events 2 to 3',
      'not signed: wrong-signature',
      'no notification: n-4',
    ]) {
      expect(stderr()).toContain(words);
    }
    expect(asked.map(({ method, path, user }) => [method, path, user])).toEqual([
      ['POST', '/fhir/Subscription', 'lakesidesystem'],
      ['DELETE', '/fhir/Subscription/s1', 'lakesidesystem'],
    ]);
    expect(asked[0]?.body).toMatchObject({
      status: 'requested',
      criteria: topic,
      _criteria: { extension: [{ valueString: 'Patient?gender=female' }] },
      channel: {
        type: 'rest-hook',
        header: ['X-Route: 7'],
        extension: [{}, { valueUnsignedInt: 60 }],
        _payload: { extension: [{ valueCode: 'full-resource' }] },
      },
    });
  });

  it('answers every other notification of events by 500 where it is told to, and never a handshake', async () => {
    const { lines, send } = await subscribed(['--fail']);
    const one = notification('event-notification', [1]);

    const statuses = [
      await send('n-0', notification('handshake')),
      await send('n-1', one),
      await send('n-1', one),
      await send('n-2', one),
    ];

    expect(statuses).toEqual([200, 500, 200, 500]);
    await expect.poll(() => lines().map(({ id }) => id)).toEqual(['n-0', 'n-1']);
  });

  it('says why the server refuses the Subscription, or its removal', async () => {
    const body = { resourceType: 'OperationOutcome', issue: [{ details: { text: 'no such topic' } }] };
    const { environment } = await serving(() => ({ status: 422, body }));
    const refused = await runNode(subscriber, [], environment);
    const kept = await subscribed([], (asked) => (asked.method === 'POST' ? created(asked) : { status: 403, body }));
    kept.child.kill('SIGINT');

    expect(refused).toMatchObject({
      status: 1,
      stderr: 'The Subscription was refused with status 422: no such topic\n',
    });
    expect(await kept.finished).toMatchObject({ status: 1 });
    expect(kept.stderr()).toContain('could not be removed: no such topic');
  });

  it('says how it is used where it is told something else', async () => {
    expect(await runNode(subscriber, ['--what'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('Usage') as string,
    });
  });
});
