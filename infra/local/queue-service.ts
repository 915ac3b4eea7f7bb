import { createHash, randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type JsonService, ServiceError } from './aws-services.ts';

/** A message that a consumer has taken: until its visibility ends nobody else is given it. */
export interface TakenMessage {
  readonly id: string;
  readonly body: string;
  /** How often it was taken, this time included. */
  readonly receives: number;
  /** Milliseconds since 1970. */
  readonly sent: number;
}

/** A standard queue of SQS on this machine, and the part of its API that is served. */
export interface LocalQueue {
  readonly url: string;
  readonly arn: string;
  readonly service: JsonService;
  /** Takes the message that has been visible longest; undefined if none is. */
  readonly take: () => TakenMessage | undefined;
  /** Removes a message that is dealt with. */
  readonly remove: (id: string) => void;
  /** When the next message becomes visible, in milliseconds since 1970; undefined if there is none. */
  readonly nextVisibleAt: () => number | undefined;
  /** Milliseconds since 1970, by the queue's clock. */
  readonly now: () => number;
  /** Calls somebody each time something was sent. */
  readonly onArrival: (listener: () => void) => void;
  /** The queue of messages that were taken too often, and their bodies. */
  readonly deadUrl: string;
  readonly deadArn: string;
  readonly dead: () => readonly string[];
}

export interface QueueOptions {
  readonly name: string;
  readonly region: string;
  readonly account: string;
  /** Of the service, such as `http://127.0.0.1:4566`. */
  readonly endpoint: string;
  /** Keeps what was sent, a line of JSON each. */
  readonly file: string;
  readonly visibilityTimeoutMs: number;
  /** Times that a message is given out before it goes to the dead ones. */
  readonly maxReceiveCount: number;
  readonly now?: () => number;
}

interface Message {
  readonly id: string;
  readonly body: string;
  readonly sent: number;
  visibleAt: number;
  receives: number;
}

type Kept = Pick<Message, 'id' | 'body' | 'sent' | 'visibleAt'>;
type Line = { readonly sent: Kept } | { readonly dead: Kept } | { readonly removed: string };

/** What a queue holds, and what was taken from it too often, each by id. */
interface Held {
  readonly messages: Map<string, Message>;
  readonly dead: Map<string, Message>;
}

const mostEntries = 10;
/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
const largestBatch = 1_048_576;
const longestDelaySeconds = 900;
/** Lines of the file that may be out of date. */
const linesKept = 1_000;

/**
 * Opens a queue and what it held. What was sent is written before it is acknowledged, so it outlives whoever is killed; it is given out again then, as SQS may do too.
 */
export const openQueue = (options: QueueOptions): LocalQueue => {
  const { name, region, account, endpoint, file, visibilityTimeoutMs, maxReceiveCount, now = Date.now } = options;
  mkdirSync(path.dirname(file), { recursive: true });
  const held = readMessages(file);
  const { messages, dead } = held;
  const url = `${endpoint}/${account}/${name}`;
  const arn = `arn:aws:sqs:${region}:${account}:${name}`;
  const [deadUrl, deadArn] = [`${url}-dead`, `${arn}-dead`];
  const arrivals = new EventEmitter();
  let lines = rewrite(file, held);

  const write = (added: readonly Line[]): void => {
    appendFileSync(file, added.map((line) => `${JSON.stringify(line)}\n`).join(''));
    lines += added.length;
    if (lines > messages.size + dead.size + linesKept) lines = rewrite(file, held);
  };
  const remove = (id: string): void => {
    if (messages.delete(id)) write([{ removed: id }]);
  };
  const visible = (): Message | undefined => {
    let first: Message | undefined;
    for (const each of messages.values()) if (!first || each.visibleAt < first.visibleAt) first = each;
    return first;
  };

  return {
    url,
    arn,
    deadUrl,
    deadArn,
    service: {
      target: 'AmazonSQS',
      operations: {
        SendMessageBatch: (input) => {
          const decided = decideBatch(input, url);
          const taken = decided.flatMap((each) =>
            'refused' in each
              ? []
              : [
                  {
                    entry: each.id,
                    message: {
                      id: randomUUID(),
                      body: each.body,
                      sent: now(),
                      visibleAt: now() + each.delaySeconds * 1_000,
                      receives: 0,
                    },
                  },
                ],
          );
          write(taken.map(({ message }) => ({ sent: keptOf(message) })));
          for (const { message } of taken) messages.set(message.id, message);
          if (taken.length > 0) arrivals.emit('arrival');
          return {
            Successful: taken.map(({ entry, message: { id, body } }) => ({
              Id: entry,
              MessageId: id,
              MD5OfMessageBody: createHash('md5').update(body).digest('hex'),
            })),
            Failed: decided.flatMap((each) =>
              'refused' in each ? [{ Id: each.id, SenderFault: true, ...each.refused }] : [],
            ),
          };
        },
        GetQueueAttributes: ({ QueueUrl }) => {
          const asked = new Map([
            [url, { of: messages, QueueArn: arn }],
            [deadUrl, { of: dead, QueueArn: deadArn }],
          ]).get(String(QueueUrl));
          if (!asked) throw noSuchQueue();
          return { Attributes: { QueueArn: asked.QueueArn, ApproximateNumberOfMessages: String(asked.of.size) } };
        },
        // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
        StartMessageMoveTask: ({ SourceArn }) => {
          if (SourceArn !== deadArn)
            throw refusal(
              'ResourceNotFoundException',
              "The resource that you specified for the SourceArn parameter doesn't exist.",
            );
          const moved = [...dead.values()].map((message): Message => ({ ...message, visibleAt: now(), receives: 0 }));
          write(moved.map((message) => ({ sent: keptOf(message) })));
          for (const message of moved) messages.set(message.id, message);
          dead.clear();
          if (moved.length > 0) arrivals.emit('arrival');
          return { TaskHandle: Buffer.from(randomUUID()).toString('base64') };
        },
      },
    },
    take: () => {
      for (;;) {
        const message = visible();
        if (!message || message.visibleAt > now()) return undefined;
        if (message.receives >= maxReceiveCount) {
          messages.delete(message.id);
          dead.set(message.id, message);
          write([{ dead: keptOf(message) }]);
          continue;
        }
        message.receives += 1;
        message.visibleAt = now() + visibilityTimeoutMs;
        const { id, body, receives, sent } = message;
        return { id, body, receives, sent };
      }
    },
    remove,
    nextVisibleAt: () => visible()?.visibleAt,
    now,
    onArrival: (listener) => void arrivals.on('arrival', listener),
    dead: () => [...dead.values()].map(({ body }) => body),
  };
};

type Decided =
  | { readonly id: string; readonly body: string; readonly delaySeconds: number }
  | { readonly id: string; readonly refused: { readonly Code: string; readonly Message: string } };

/**
 * Decides on a request as SQS does: whole requests fail for their queue, number, ids or size, entries fail one by one.
 *
 * @throws ServiceError.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
 */
const decideBatch = (input: Readonly<Record<string, unknown>>, url: string): Decided[] => {
  const { QueueUrl, Entries } = input;
  if (QueueUrl !== url) throw noSuchQueue();
  if (!Array.isArray(Entries) || Entries.length === 0)
    throw refusal('EmptyBatchRequest', 'There should be at least one SendMessageBatchRequestEntry in the request.');
  if (Entries.length > mostEntries)
    throw refusal('TooManyEntriesInBatchRequest', `Maximum number of entries per request are ${mostEntries}.`);
  const entries = (Entries as unknown[]).map((entry) => new Map(Object.entries(entry ?? {})));
  const ids = entries.map((entry) => entry.get('Id'));
  for (const id of ids) {
    if (typeof id !== 'string' || !/^[A-Za-z0-9_-]{1,80}$/.test(id))
      throw refusal(
        'InvalidBatchEntryId',
        'A batch entry id can only contain alphanumeric characters, hyphens and underscores.',
      );
  }
  if (new Set(ids).size < ids.length) throw refusal('BatchEntryIdsNotDistinct', 'Two ids are the same.');
  const bodies = entries.map((entry) => entry.get('MessageBody'));
  const size = bodies.reduce((sum: number, body) => sum + (typeof body === 'string' ? Buffer.byteLength(body) : 0), 0);
  if (size > largestBatch)
    throw refusal('BatchRequestTooLong', `Batch requests cannot be longer than ${largestBatch} bytes.`);
  return entries.map((entry): Decided => {
    const [id, body, delay] = [String(entry.get('Id')), entry.get('MessageBody'), entry.get('DelaySeconds') ?? 0];
    const refused = (Code: string, Message: string) => ({ id, refused: { Code, Message } });
    if (typeof body !== 'string' || body === '')
      return refused('MissingParameter', 'The request must contain the parameter MessageBody.');
    if (!isAllowed(body))
      return refused('InvalidMessageContents', 'The message contains characters outside the allowed set.');
    if (typeof delay !== 'number' || !Number.isInteger(delay) || delay < 0 || delay > longestDelaySeconds)
      return refused(
        'InvalidParameterValue',
        `Value for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= ${longestDelaySeconds}.`,
      );
    return { id, body, delaySeconds: delay };
  });
};

/** `#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF` */
const isAllowed = (body: string): boolean => !/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u.test(body);

const noSuchQueue = () => refusal('QueueDoesNotExist', 'The specified queue does not exist.');

const refusal = (name: string, message: string): ServiceError => new ServiceError(`com.amazonaws.sqs#${name}`, message);

const keptOf = ({ id, body, sent, visibleAt }: Message): Kept => ({ id, body, sent, visibleAt });

const readMessages = (file: string): Held => {
  const messages = new Map<string, Message>();
  const dead = new Map<string, Message>();
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  // What stands behind the last line break was being written when the process was killed, and was never acknowledged.
  for (const line of text.slice(0, text.lastIndexOf('\n') + 1).split('\n')) {
    if (line === '') continue;
    const said = JSON.parse(line) as Line;
    const id = 'removed' in said ? said.removed : 'dead' in said ? said.dead.id : said.sent.id;
    messages.delete(id);
    dead.delete(id);
    if ('sent' in said) messages.set(id, { ...said.sent, receives: 0 });
    if ('dead' in said) dead.set(id, { ...said.dead, receives: 0 });
  }
  return { messages, dead };
};

/** Writes the file anew. Returns its number of lines. */
const rewrite = (file: string, { messages, dead }: Held): number => {
  const written = `${file}.new`;
  const lines: Line[] = [
    ...[...messages.values()].map((message) => ({ sent: keptOf(message) })),
    ...[...dead.values()].map((message) => ({ dead: keptOf(message) })),
  ];
  writeFileSync(written, lines.map((line) => `${JSON.stringify(line)}\n`).join(''), { mode: 0o600 });
  renameSync(written, file);
  return lines.length;
};
