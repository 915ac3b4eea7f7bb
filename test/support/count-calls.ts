import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

/** What was asked of DynamoDB. */
export interface CallCounter {
  /** Names of the operations since the last reset, in the order in which they were sent. */
  readonly names: string[];
  /** Read units that the answers since the last reset say were consumed. */
  readonly readUnits: number;
  /** Write units likewise. A transaction that is refused consumes units too, but its refusal does not say how many. */
  readonly writeUnits: number;
  /** The longest chain of calls that waited for one another since the last reset. */
  readonly sequential: () => number;
  reset(): void;
}

interface Capacity {
  readonly CapacityUnits?: number;
}
interface Answer {
  readonly ConsumedCapacity?: Capacity | readonly Capacity[];
}

const reads = new Set(['GetItem', 'BatchGetItem', 'TransactGetItems', 'Query', 'Scan']);

const unitsIn = (output: unknown): number => {
  const { ConsumedCapacity = [] } = output as Answer;
  return [ConsumedCapacity].flat().reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0);
};

/** Counts the calls of a client, as they leave, and the units that they consume, as the answers tell. */
export const countCalls = (client: DynamoDBDocumentClient): CallCounter => {
  let names: string[] = [];
  let readUnits = 0;
  let writeUnits = 0;
  // Depths of calls: 1 for one that waited for no other. Only the deepest ones matter.
  let deepestFinished = 0;
  let deepestStarted = 0;
  // An answer to a call from before the last reset counts for nothing.
  let period = 0;
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const name = String(context.commandName).replace('Command', '');
      const startedIn = period;
      names.push(name);
      // A call follows another one if it was sent after that one had been answered.
      const depth = 1 + deepestFinished;
      deepestStarted = Math.max(deepestStarted, depth);
      try {
        const result = await next({ ...args, input: { ...args.input, ReturnConsumedCapacity: 'TOTAL' } });
        if (startedIn === period) {
          if (reads.has(name)) readUnits += unitsIn(result.output);
          else writeUnits += unitsIn(result.output);
        }
        return result;
      } finally {
        if (startedIn === period) deepestFinished = Math.max(deepestFinished, depth);
      }
    },
    { step: 'initialize', name: 'countCalls' },
  );
  return {
    get names() {
      return names;
    },
    get readUnits() {
      return readUnits;
    },
    get writeUnits() {
      return writeUnits;
    },
    sequential: () => deepestStarted,
    reset: () => {
      names = [];
      readUnits = 0;
      writeUnits = 0;
      deepestFinished = 0;
      deepestStarted = 0;
      period += 1;
    },
  };
};
