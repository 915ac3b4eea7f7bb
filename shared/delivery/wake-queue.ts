import { setTimeout as pause } from 'node:timers/promises';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod/mini';
import { inParallel } from '../store/in-parallel.ts';
import { signedRequests } from '../store/signed-requests.ts';
import type { SubscriptionName } from '../store/subscriptions/settings.ts';

/** A Subscription that delivery is to look at, and perhaps not before some seconds. */
export interface Wake extends SubscriptionName {
  /** 900 at most. */
  readonly delaySeconds?: number;
}

/** The body of a message: which Subscription, and nothing of what it is told. */
export const wakeMessage = z.strictObject({
  organization: z.string().check(z.minLength(1)),
  id: z.string().check(z.minLength(1)),
});

/** The longest that SQS delays a message. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
export const longestDelaySeconds = 900;

const mostEntries = 10;
/** Calls beside one another: a change of the directory wakes everybody. */
const concurrency = 8;
const attempts = 4;
const attemptMs = 5_000;
const firstPauseMs = 50;

/** The queue could not be told. The name says why in its own words, such as `QueueServiceQueueDoesNotExist`. */
export class QueueServiceError extends Error {
  override readonly name: string;
  constructor(reason: string) {
    super(`The queue answered ${reason}`);
    this.name = `QueueService${reason}`;
  }
}

export interface QueueOptions {
  readonly queueUrl: string;
  /** Of another service than the region's own, such as a stand-in; what the environment says if absent. */
  readonly endpoint?: string | undefined;
}

/**
 * Sends wakes, ten a call. Those that the queue takes only in part are sent again.
 *
 * @throws QueueServiceError where it did not take all of them: some may have been sent.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
 */
export const wakeQueue = (
  client: DynamoDBDocumentClient,
  { queueUrl, endpoint }: QueueOptions,
): ((wakes: readonly Wake[]) => Promise<void>) => {
  const send = signedRequests(client, 'sqs');
  const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'AmazonSQS.SendMessageBatch' };
  const sendOnce = async (
    url: URL,
    entries: readonly object[],
  ): Promise<{ left: readonly object[]; because: string }> => {
    const body = Buffer.from(JSON.stringify({ QueueUrl: queueUrl, Entries: entries }));
    const { statusCode, bytes } = await send({ method: 'POST', url, headers, body, timeoutMs: attemptMs });
    const answer = objectIn(bytes);
    if (statusCode === 200) {
      const failed = (answer.Failed ?? []) as readonly { readonly Id?: string; readonly Code?: string }[];
      const ids = new Set(failed.map(({ Id }) => Id));
      return {
        left: entries.filter((entry) => ids.has((entry as { Id: string }).Id)),
        because: failed[0]?.Code ?? '',
      };
    }
    const said = typeof answer['__type'] === 'string' ? answer['__type'].replace(/^.*#/, '') : undefined;
    const reason = said ?? (statusCode === 0 ? 'NoAnswer' : `Status${statusCode}`);
    if (statusCode !== 0 && statusCode < 500 && !/Throttl/i.test(reason)) throw new QueueServiceError(reason);
    return { left: entries, because: reason };
  };
  return async (wakes) => {
    if (wakes.length === 0) return;
    const url = await urlOf(client, endpoint);
    const all = wakes.map(({ organization, id, delaySeconds }, index) => ({
      Id: String(index),
      MessageBody: JSON.stringify({ organization, id }),
      ...(delaySeconds === undefined ? {} : { DelaySeconds: delaySeconds }),
    }));
    const batches = Array.from({ length: Math.ceil(all.length / mostEntries) }, (_, n) =>
      all.slice(n * mostEntries, (n + 1) * mostEntries),
    );
    await inParallel(concurrency, batches, async (batch) => {
      let left: readonly object[] = batch;
      for (let attempt = 1; ; attempt++) {
        const answered = await sendOnce(url, left);
        left = answered.left;
        if (left.length === 0) return;
        if (attempt === attempts) throw new QueueServiceError(answered.because);
        await pause(Math.random() * firstPauseMs * 4 ** attempt);
      }
    });
  };
};

const objectIn = (bytes: Buffer): Readonly<Record<string, unknown>> => {
  try {
    const found: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof found === 'object' && found !== null ? { ...found } : {};
  } catch {
    return {};
  }
};

const urlOf = async ({ config }: DynamoDBDocumentClient, endpoint: string | undefined): Promise<URL> => {
  const { AWS_ENDPOINT_URL_SQS, AWS_ENDPOINT_URL } = process.env;
  const other = endpoint ?? (AWS_ENDPOINT_URL_SQS || AWS_ENDPOINT_URL);
  return new URL(other || `https://sqs.${await config.region()}.amazonaws.com/`);
};
