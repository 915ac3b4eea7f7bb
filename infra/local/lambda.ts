import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Context } from 'aws-lambda';
import { localAccount } from './event-bus.ts';

/** What a function exports as `handler`. */
export type Handler = (event: unknown, context: Context) => unknown;

/** Finds the handler of an entry such as `functions/records/patient.ts`. */
export type LoadHandler = (entry: string) => Promise<Handler>;

/** The largest event and the largest answer of a synchronous invocation, in bytes of JSON. */
export const largestPayload = 6_291_556;

const root = path.resolve(import.meta.dirname, '../..');

/** Loads a function when it is first called, as Lambda does. A function that failed to load is tried again at the next call. */
export const importHandler: LoadHandler = async (entry) => {
  const loaded = (await import(pathToFileURL(path.join(root, entry)).href).catch((error: unknown) => {
    console.error(`${entry} could not be loaded:`, error); // at this point it has seen no request, so no patient either
    throw error;
  })) as { handler?: unknown };
  if (typeof loaded.handler !== 'function') throw new Error(`${entry} has no export named handler`);
  return loaded.handler as Handler;
};

/**
 * The context that Lambda gives to a function.
 *
 * @param timeoutMs - time that the function has.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html
 */
export const lambdaContext = (entry: string, timeoutMs: number, requestId: string = randomUUID()): Context => {
  const functionName = path.basename(entry, '.ts');
  const deadline = Date.now() + timeoutMs;
  const legacy = () => undefined;
  return {
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:${process.env.AWS_REGION ?? ''}:${localAccount}:function:${functionName}`,
    memoryLimitInMB: '1024',
    awsRequestId: requestId,
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: 'local',
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    done: legacy,
    fail: legacy,
    succeed: legacy,
  };
};
