import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ScheduledEvent } from 'aws-lambda';
import { log } from '../../shared/log.ts';
import { remindEveryMs } from '../../shared/store/reminder-rows.ts';
import { localAccount } from './event-bus.ts';
import { type LoadHandler, lambdaContext } from './lambda.ts';

/** A function that EventBridge runs on a schedule. */
export interface ScheduledFunction {
  /** File whose export `handler` is run, from the root of the project. */
  readonly entry: string;
  /** Milliseconds from the end of one run to the next. */
  readonly everyMs: number;
  /** Time that a run has, in milliseconds. */
  readonly timeoutMs: number;
  /** Milliseconds from the start of the local stack to the first run; at once if absent. */
  readonly firstAfterMs?: number;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** The functions of the stack that run on a schedule. */
export const scheduledFunctions: readonly ScheduledFunction[] = [
  { entry: 'functions/sweep-transactions.ts', everyMs: minuteMs, timeoutMs: minuteMs },
  { entry: 'functions/tick-subscriptions.ts', everyMs: minuteMs, timeoutMs: minuteMs },
  // As long as Lambda lets a function run.
  { entry: 'functions/write-digests.ts', everyMs: hourMs, timeoutMs: 15 * minuteMs },
  { entry: 'functions/verify-digests.ts', everyMs: 24 * hourMs, timeoutMs: 15 * minuteMs, firstAfterMs: 10 * minuteMs },
  { entry: 'functions/file-held-accesses.ts', everyMs: 5 * minuteMs, timeoutMs: 5 * minuteMs },
  { entry: 'functions/remind.ts', everyMs: remindEveryMs, timeoutMs: remindEveryMs },
  { entry: 'functions/retry-parked.ts', everyMs: 5 * minuteMs, timeoutMs: 5 * minuteMs, firstAfterMs: minuteMs },
  { entry: 'functions/reconcile-feed.ts', everyMs: hourMs, timeoutMs: 15 * minuteMs, firstAfterMs: 10 * minuteMs },
  { entry: 'functions/purge-by-policy.ts', everyMs: hourMs, timeoutMs: 15 * minuteMs },
];

const stopWithinMs = 1_000;

/** Runs each function at once, or when its first time has come, and then again and again. A run that fails is logged, and the next one comes all the same. */
export const startScheduler = (functions: readonly ScheduledFunction[], load: LoadHandler) => {
  const stopping = new AbortController();
  const run = async ({ entry, everyMs, timeoutMs, firstAfterMs }: ScheduledFunction) => {
    const wait = (ms: number) => delay(ms, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
    if (firstAfterMs !== undefined) await wait(firstAfterMs);
    while (!stopping.signal.aborted) {
      try {
        await (await load(entry))(scheduledEvent(), lambdaContext(entry, timeoutMs));
      } catch (error) {
        log.fault(`${entry} failed`, error);
      }
      await wait(everyMs);
    }
  };
  const running = Promise.all(functions.map(run));
  return {
    stop: async () => {
      stopping.abort();
      await Promise.race([running, delay(stopWithinMs, undefined, { ref: false })]);
    },
  };
};

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html */
const scheduledEvent = (): ScheduledEvent => ({
  id: randomUUID(),
  version: '0',
  account: localAccount,
  time: `${new Date().toISOString().slice(0, 19)}Z`,
  region: process.env.AWS_REGION ?? '',
  resources: [],
  source: 'aws.events',
  'detail-type': 'Scheduled Event',
  detail: {},
});
