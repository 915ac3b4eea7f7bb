import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { SQSEvent } from 'aws-lambda';
import { log } from '../../shared/log.ts';
import { type LoadHandler, lambdaContext } from './lambda.ts';
import type { LocalQueue, TakenMessage } from './queue-service.ts';

/** A function behind an event source mapping of a queue, which hands it one message at a time. */
export interface QueueConsumer {
  /** Of the queue, within the deployment. */
  readonly name: string;
  /** File whose export `handler` takes the messages, from the root of the project. */
  readonly entry: string;
  readonly timeoutMs: number;
  readonly visibilityTimeoutMs: number;
  /** Messages that are worked at once, at most. */
  readonly maximumConcurrency: number;
  /** Times that a message is given out before it counts as dead. */
  readonly maxReceiveCount: number;
}

export interface QueuePoller {
  /** Resolves once nothing is visible in the queue, and nothing is worked. What is delayed stays. */
  readonly idle: () => Promise<void>;
  /** Stops after what is worked, or after a moment. */
  readonly stop: () => Promise<void>;
}

const stopWithinMs = 1_000;
/** The longest that a timer waits. */
const longestWaitMs = 60_000;

/**
 * Hands messages to a function as Lambda does: many at once, each until the function has returned. One on which it throws becomes visible again when its time is over.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export const startQueuePoller = (
  queue: LocalQueue,
  { entry, timeoutMs, maximumConcurrency }: QueueConsumer,
  load: LoadHandler,
): QueuePoller => {
  const working = new Set<Promise<void>>();
  const waiting: (() => void)[] = [];
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const work = async (message: TakenMessage): Promise<void> => {
    try {
      await (await load(entry))(eventOf(queue, message), lambdaContext(entry, timeoutMs));
      queue.remove(message.id);
    } catch (error) {
      log.fault(`${entry} failed; its message will come again`, error);
    }
  };
  const pump = (): void => {
    clearTimeout(timer);
    if (stopped) return;
    while (working.size < maximumConcurrency) {
      const message = queue.take();
      if (!message) break;
      const run = work(message).finally(() => {
        working.delete(run);
        pump();
      });
      working.add(run);
    }
    const next = queue.nextVisibleAt();
    if (working.size === 0 && (next === undefined || next > queue.now()))
      for (const resolve of waiting.splice(0)) resolve();
    if (next !== undefined && working.size < maximumConcurrency)
      timer = setTimeout(pump, Math.min(Math.max(next - queue.now(), 1), longestWaitMs)).unref();
  };
  queue.onArrival(pump);
  pump();
  return {
    idle: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        pump();
      }),
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await Promise.race([Promise.all(working), delay(stopWithinMs, undefined, { ref: false })]);
    },
  };
};

/** https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event */
const eventOf = ({ arn }: LocalQueue, { id, body, receives, sent }: TakenMessage): SQSEvent => ({
  Records: [
    {
      messageId: id,
      receiptHandle: id,
      body,
      attributes: {
        ApproximateReceiveCount: String(receives),
        SentTimestamp: String(sent),
        SenderId: 'local',
        ApproximateFirstReceiveTimestamp: String(Date.now()),
      },
      messageAttributes: {},
      md5OfBody: createHash('md5').update(body).digest('hex'),
      eventSource: 'aws:sqs',
      eventSourceARN: arn,
      awsRegion: arn.split(':')[3] ?? '',
    },
  ],
});
