/**
 * `npm run subscriber`: subscribes at the running server, receives what it sends on loopback, checks its signatures and prints it, one JSON object a line.
 * Ctrl-C removes the Subscription.
 */
import { parseArgs } from 'node:util';
import * as z from 'zod/mini';
import {
  backportExtensions,
  signingSecretExtension,
  subscriptionProfile,
} from '../../shared/subscriptions/backport.ts';
import { newSigningSecret } from '../../shared/webhooks/signature.ts';
import { whenNpmEnds } from '../local/npm-parent.ts';
import { localPassword } from '../local/users.ts';
import { CommandFailed, runCommand } from './command.ts';
import { startNotificationEndpoint } from './notification-endpoint.ts';
import { findRunningServer } from './running-server.ts';
import { signIn, tokenSource } from './sign-in.ts';

const usage = `Usage: npm run subscriber -- [--as <user>] [--password <password>] [--criteria <search or topic>] [--filter <search>]…
  [--payload empty|id-only|full-resource] [--heartbeat <seconds>] [--header '<Name>: <value>']… [--fail]
Criteria are a search such as 'Observation?code=http://loinc.org|4548-4' (Patient, if absent), or the address of a topic, which filters narrow.
With --fail every other notification of events is answered by 500.`;

const options = () => {
  try {
    const { values } = parseArgs({
      options: {
        as: { type: 'string', default: 'system@northside.example' },
        password: { type: 'string', default: localPassword },
        criteria: { type: 'string', default: 'Patient' },
        filter: { type: 'string', multiple: true, default: [] },
        payload: { type: 'string', default: 'id-only' },
        heartbeat: { type: 'string' },
        header: { type: 'string', multiple: true, default: [] },
        fail: { type: 'boolean', default: false },
      },
    });
    return values;
  } catch (error) {
    throw new CommandFailed(`${(error as Error).message}\n${usage}`);
  }
};

type Options = ReturnType<typeof options>;

const subscriptionFor = (
  { criteria, filter, payload, heartbeat, header }: Options,
  endpoint: string,
  secret: string,
): fhir4.Subscription => ({
  resourceType: 'Subscription',
  meta: { profile: [subscriptionProfile] },
  status: 'requested',
  reason: 'npm run subscriber',
  criteria,
  ...(filter.length === 0
    ? {}
    : { _criteria: { extension: filter.map((each) => ({ url: backportExtensions.filter, valueString: each })) } }),
  channel: {
    extension: [
      { url: signingSecretExtension, valueString: secret },
      ...(heartbeat === undefined ? [] : [{ url: backportExtensions.heartbeat, valueUnsignedInt: Number(heartbeat) }]),
    ],
    type: 'rest-hook',
    endpoint,
    payload: 'application/fhir+json',
    _payload: { extension: [{ url: backportExtensions.content, valueCode: payload }] },
    ...(header.length === 0 ? {} : { header }),
  },
});

const subscriptionSchema = z.object({ resourceType: z.literal('Subscription'), id: z.string() });
const outcomeSchema = z.object({
  issue: z.array(
    z.object({ details: z.optional(z.object({ text: z.optional(z.string()) })), diagnostics: z.optional(z.string()) }),
  ),
});

const reasonIn = (body: unknown): string | undefined =>
  outcomeSchema
    .safeParse(body)
    .data?.issue.map(({ details, diagnostics }) => details?.text ?? diagnostics)
    .join('; ');

/** Resolves when somebody wants this to end. */
const endAsked = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
    whenNpmEnds(resolve);
  });

runCommand(async () => {
  const chosen = options();
  const ended = endAsked();
  const server = await findRunningServer();
  const token = tokenSource(() => signIn(server, chosen.as, chosen.password));
  const ask = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${server.url}/${path}`, {
      method,
      headers: { authorization: `Bearer ${await token()}`, 'content-type': 'application/fhir+json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer: unknown = await response.json().catch(() => undefined);
    return { status: response.status, ok: response.ok, answer };
  };
  const secret = newSigningSecret();
  const endpoint = await startNotificationEndpoint({
    secret,
    fail: chosen.fail,
    taken: (notification) => {
      if (notification.type === 'handshake') console.error('The handshake is signed; the Subscription becomes active.');
      console.log(JSON.stringify(notification));
    },
    say: (words) => console.error(words),
  });
  try {
    const made = await ask('POST', 'Subscription', subscriptionFor(chosen, endpoint.url, secret));
    const subscription = subscriptionSchema.safeParse(made.answer);
    if (!made.ok || !subscription.success) {
      throw new CommandFailed(
        `The Subscription was refused with status ${made.status}: ${reasonIn(made.answer) ?? 'no reason was given'}`,
      );
    }
    const path = `Subscription/${subscription.data.id}`;
    console.error(`${server.url}/${path} sends to ${endpoint.url}; Ctrl-C removes it.`);
    await ended;
    const removed = await ask('DELETE', path).catch(() => undefined);
    if (removed?.ok) return 0;
    throw new CommandFailed(
      `${server.url}/${path} could not be removed${removed ? `: ${reasonIn(removed.answer) ?? removed.status}` : ', since nothing answers'}`,
    );
  } finally {
    await endpoint.stop();
  }
});
