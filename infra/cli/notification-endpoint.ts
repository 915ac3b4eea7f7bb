import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as z from 'zod/mini';
import { verifySignature } from '../../shared/webhooks/signature.ts';

/** What a notification says. https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/StructureDefinition-backport-subscription-status-r4.html */
export interface ReceivedNotification {
  /** The same at every attempt. */
  readonly id: string;
  /** `handshake`, `heartbeat` or `event-notification`. */
  readonly type: string;
  readonly status: string;
  readonly events: readonly {
    readonly number: number;
    readonly timestamp: string | undefined;
    readonly focus: string | undefined;
  }[];
  /** What is in it besides its status. */
  readonly resources: readonly unknown[];
}

export interface EndpointOptions {
  /** What Concord signs with. */
  readonly secret: string;
  /** Whether every other notification of events is answered by 500, beginning with the first. */
  readonly fail: boolean;
  /** A notification that is new, and was taken. */
  readonly taken: (notification: ReceivedNotification) => void;
  /** What else happened, in words. */
  readonly say: (words: string) => void;
}

/** Where notifications come in. */
export interface NotificationEndpoint {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

const part = z.object({
  name: z.string(),
  valueCode: z.optional(z.string()),
  valueString: z.optional(z.string()),
  valueInstant: z.optional(z.string()),
  valueReference: z.optional(z.object({ reference: z.optional(z.string()) })),
});
const statusSchema = z.object({
  resourceType: z.literal('Parameters'),
  parameter: z.array(z.extend(part, { part: z.optional(z.array(part)) })),
});
const bundleSchema = z.object({
  resourceType: z.literal('Bundle'),
  entry: z.array(z.object({ resource: z.optional(z.unknown()) })).check(z.minLength(1)),
});

/** Bytes of a request. */
const longestBody = 10_000_000;

/** A receiver of notifications on this machine: believes what is signed alone, drops repeats, tells which event numbers never came. */
export const startNotificationEndpoint = async (options: EndpointOptions): Promise<NotificationEndpoint> => {
  const answer = answering(options);
  const server = createServer((request, response) => {
    void bodyOf(request).then(
      (body) => response.writeHead(body === undefined ? 413 : answer(request, body)).end(),
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/notifications`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

/** Gives the status of the answer to a request. */
const answering = ({ secret, fail, taken, say }: EndpointOptions) => {
  const seen = new Set<string>();
  let failNext = true;
  let expected = 1;
  return ({ method, headers }: Pick<IncomingMessage, 'method' | 'headers'>, body: string): number => {
    if (method !== 'POST') return 405;
    const verified = verifySignature(secret, headers, body, Date.now());
    if ('refused' in verified) {
      say(`Refused what is not signed: ${verified.refused}`);
      return 401;
    }
    const notification = notificationIn(verified.id, body);
    if (!notification) {
      say(`Refused what is no notification: ${verified.id}`);
      return 400;
    }
    const isOfEvents = notification.type === 'event-notification';
    if (fail && isOfEvents) {
      failNext = !failNext;
      if (!failNext) {
        say(`Answered 500 to ${verified.id}`);
        return 500;
      }
    }
    if (seen.has(verified.id)) {
      say(`Repeated: ${verified.id}`);
      return 200;
    }
    seen.add(verified.id);
    for (const { number } of notification.events) {
      if (number > expected) {
        say(
          `Missing are events ${expected} to ${number - 1}: $events?eventsSinceNumber=${expected}&eventsUntilNumber=${number - 1}`,
        );
      }
      expected = Math.max(expected, number + 1);
    }
    taken(notification);
    return 200;
  };
};

const bodyOf = async (request: IncomingMessage): Promise<string | undefined> => {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > longestBody) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};

const notificationIn = (id: string, body: string): ReceivedNotification | undefined => {
  const [first, ...others] = bundleSchema.safeParse(parsed(body)).data?.entry ?? [];
  const status = statusSchema.safeParse(first?.resource).data?.parameter;
  if (!status) return undefined;
  const code = (name: string) => status.find((each) => each.name === name)?.valueCode ?? '';
  return {
    id,
    type: code('type'),
    status: code('status'),
    events: status
      .filter(({ name }) => name === 'notification-event')
      .map(({ part: parts = [] }) => {
        const named = (name: string) => parts.find((each) => each.name === name);
        return {
          number: Number(named('event-number')?.valueString),
          timestamp: named('timestamp')?.valueInstant,
          focus: named('focus')?.valueReference?.reference,
        };
      }),
    resources: others.flatMap(({ resource }) => (resource === undefined ? [] : [resource])),
  };
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
