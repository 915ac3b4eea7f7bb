import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { expect } from 'vitest';
import { type Content, notificationFaults, statusFaults, statusIn } from './backport-guide.ts';
import { scratchFolder } from './dynamodb.ts';
import type { StackAnswer, StackRequest } from './guide-stack.ts';
import { type Received, type WebhookReceiver, webhookReceiver } from './webhook-receiver.ts';

// Concord with subscribers of it, and a clock that can be put forward. What is asked for is written as the guide writes it, and not by our names for it.

export const definition = (name: string) => `http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/${name}`;
export const topicOf = (type: string) => `https://concord.example/fhir/SubscriptionTopic/${type}`;
const signing = 'https://concord.example/fhir/StructureDefinition/webhook-signing-secret';

/** What a subscriber wants. */
export interface Wanted {
  /** The topic of patients, if absent. */
  readonly criteria?: string;
  readonly filters?: readonly string[];
  readonly content?: Content;
  readonly secret?: string;
  readonly heartbeatSeconds?: number;
  readonly maxCount?: number;
  readonly elements?: Partial<fhir4.Subscription>;
  readonly channel?: Partial<fhir4.SubscriptionChannel>;
}

/** A Subscription as a subscriber writes it. */
export const subscriptionTo = (endpoint: string, wanted: Wanted = {}): fhir4.Subscription => {
  const { criteria = topicOf('Patient'), filters = [], content = 'id-only', elements, channel } = wanted;
  const { secret, heartbeatSeconds, maxCount } = wanted;
  const extension: fhir4.Extension[] = [
    ...(secret === undefined ? [] : [{ url: signing, valueString: secret }]),
    ...(heartbeatSeconds === undefined
      ? []
      : [{ url: definition('backport-heartbeat-period'), valueUnsignedInt: heartbeatSeconds }]),
    ...(maxCount === undefined ? [] : [{ url: definition('backport-max-count'), valuePositiveInt: maxCount }]),
  ];
  const narrowing = filters.map((valueString) => ({ url: definition('backport-filter-criteria'), valueString }));
  return {
    resourceType: 'Subscription',
    meta: { profile: [definition('backport-subscription')] },
    status: 'requested',
    reason: 'The cases of the guide',
    criteria,
    ...(narrowing.length === 0 ? {} : { _criteria: { extension: narrowing } }),
    channel: {
      ...(extension.length === 0 ? {} : { extension }),
      type: 'rest-hook',
      endpoint,
      payload: 'application/fhir+json',
      _payload: { extension: [{ url: definition('backport-payload-content'), valueCode: content }] },
      ...channel,
    },
    ...elements,
  };
};

/** A family of its own for each test, so that none is told of another's patients. */
export const newFamily = (): string => `F${randomUUID().replaceAll('-', '')}`;

export const patientOf = (family: string, elements: Partial<fhir4.Patient> = {}): fhir4.Patient => ({
  resourceType: 'Patient',
  name: [{ family }],
  ...elements,
});

/** A Subscription, and who receives for it. */
export interface Subscriber {
  readonly receiver: WebhookReceiver;
  readonly id: string;
  /** `Subscription/<id>` */
  readonly path: string;
  /** What came of a type of notifications, found to be as the guide has it. */
  readonly judged: (type: string) => readonly Received[];
}

/** Starts the stack, and gives what asks it. */
const startStack = async () => {
  const child = fork(path.join(import.meta.dirname, 'guide-stack.ts'), [scratchFolder()], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const waiting = new Map<number, { resolve: (answer: string) => void; reject: (error: Error) => void }>();
  const answerOf = (number: number) =>
    new Promise<string>((resolve, reject) => void waiting.set(number, { resolve, reject }));
  child.on('message', ({ number, answer = '', error }: StackAnswer) => {
    const { resolve, reject } = waiting.get(number) ?? {};
    waiting.delete(number);
    if (error === undefined) resolve?.(answer);
    else reject?.(new Error(error));
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', (status) => {
      for (const { reject } of waiting.values()) reject(new Error(`The stack has ended with status ${status}`));
      resolve();
    });
  });
  let number = 0;
  const url = await answerOf(number);
  const ask = (request: Asked): Promise<string> => {
    number += 1;
    const answer = answerOf(number);
    child.send({ ...request, number });
    return answer;
  };
  const stop = async () => {
    child.send({ ask: 'stop', number: -1 });
    await ended;
  };
  return { url, ask, stop };
};

type Asked = StackRequest extends infer Each ? (Each extends StackRequest ? Omit<Each, 'number'> : never) : never;

export const guideWorld = async () => {
  const concord = await startStack();
  let ahead = 0;
  const open: Subscriber[] = [];

  const tokens = new Map<string, Promise<string>>();
  const tokenOf = (user: string): Promise<string> => {
    const token = tokens.get(user) ?? concord.ask({ ask: 'token', user });
    tokens.set(user, token);
    return token;
  };
  const ask = async (method: string, path: string, body?: object, as = 'system@northside.example') => {
    const response = await fetch(`${concord.url}/${path}`, {
      method,
      headers: { authorization: `Bearer ${await tokenOf(as)}`, 'content-type': 'application/fhir+json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    return { status: response.status, body: (text ? JSON.parse(text) : {}) as unknown };
  };
  const delivered = async (): Promise<void> => void (await concord.ask({ ask: 'delivered' }));
  const made = async <Kind extends fhir4.Resource>(resource: Kind): Promise<Kind & { id: string }> => {
    const { status, body } = await ask('POST', resource.resourceType, resource);
    expect([status, body]).toEqual([201, expect.anything()]);
    return body as Kind & { id: string };
  };
  const read = async <Kind>(path: string): Promise<Kind> => {
    const { status, body } = await ask('GET', path);
    expect([status, body]).toEqual([200, expect.anything()]);
    return body as Kind;
  };
  /** Subscribes, and does not wait for the handshake. */
  const subscriber = async (wanted: Wanted = {}, answers = () => 200): Promise<Subscriber> => {
    const receiver = await webhookReceiver();
    receiver.answers = answers;
    const { id } = await made(subscriptionTo(receiver.url, wanted));
    const judged = (type: string) => {
      const found = receiver.of(type);
      for (const { bundle } of found) expect(notificationFaults(bundle, wanted.content ?? 'id-only')).toEqual([]);
      return found;
    };
    const one = { receiver, id, path: `Subscription/${id}`, judged };
    open.push(one);
    return one;
  };

  return {
    url: concord.url,
    ask,
    made,
    read,
    subscriber,
    /** The same, behind the handshake. */
    subscribed: async (...wanted: readonly Wanted[]): Promise<Subscriber[]> => {
      const all = await Promise.all(wanted.map((each) => subscriber(each)));
      await delivered();
      expect(all.map(({ receiver }) => receiver.of('handshake').length)).toEqual(all.map(() => 1));
      return all;
    },
    /** The only status in an answer of `$status`. */
    statusOf: async ({ path }: Subscriber) => {
      const { type, entry = [] } = await read<fhir4.Bundle>(`${path}/$status`);
      const [only] = entry;
      expect([type, entry.length, statusFaults(only?.resource)]).toEqual(['searchset', 1, []]);
      return statusIn(only?.resource);
    },
    /** Waits until all that was written has been told. */
    delivered,
    /** By the clock of the stack, in milliseconds since 1970. */
    now: () => Date.now() + ahead,
    /** Lets time pass, and what the clock brings about happen: nobody waits for three days. */
    pass: async (seconds: number) => {
      ahead += seconds * 1_000;
      tokens.clear();
      await concord.ask({ ask: 'pass', ms: seconds * 1_000 });
    },
    /** Ends all Subscriptions, so that what comes next is told to nobody else. */
    unsubscribe: async () => {
      for (const { path, receiver } of open.splice(0)) {
        await ask('DELETE', path);
        receiver.stop();
      }
    },
    stop: concord.stop,
  };
};

export type GuideWorld = Awaited<ReturnType<typeof guideWorld>>;
