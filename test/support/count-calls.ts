import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

/** What was asked of DynamoDB. */
export interface CallCounter {
  /** Names of the operations since the last reset, in the order in which they were sent. */
  readonly names: string[];
  /** The longest chain of calls that waited for one another since the last reset. */
  readonly sequential: () => number;
  reset(): void;
}

/** Counts the calls of a client, as they leave. */
export const countCalls = (client: DynamoDBDocumentClient): CallCounter => {
  let names: string[] = [];
  let finished: number[] = [];
  let started: { at: number; depth: number }[] = [];
  let clock = 0;
  client.middlewareStack.add(
    (next, context) => async (args) => {
      names.push(String(context.commandName).replace('Command', ''));
      // A call follows another one if it was sent after that one had been answered.
      const depth = 1 + Math.max(0, ...finished);
      const call = { at: clock++, depth };
      started.push(call);
      try {
        return await next(args);
      } finally {
        finished.push(depth);
      }
    },
    { step: 'initialize', name: 'countCalls' },
  );
  return {
    get names() {
      return names;
    },
    sequential: () => Math.max(0, ...started.map(({ depth }) => depth)),
    reset: () => {
      names = [];
      finished = [];
      started = [];
      clock = 0;
    },
  };
};
