import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

/** What ended a function half-way. */
class BrokenOff extends Error {
  constructor() {
    super('broken off');
    this.name = 'BrokenOff';
  }
}

const reads = new Set(['GetItem', 'BatchGetItem', 'TransactGetItems', 'Query', 'Scan']);

/** Ends functions half-way: right before one of their writes, or right behind it, so that nobody hears that it was made. */
export class BreakingPoint {
  #left = Number.POSITIVE_INFINITY;
  #behind = false;
  /** Writes since it was set. */
  writes = 0;

  /** Lets so many writes pass, and ends the next one before it is made, or behind. */
  set(passing: number, behind: boolean): void {
    this.#left = passing;
    this.#behind = behind;
    this.writes = 0;
  }

  clear(): void {
    this.set(Number.POSITIVE_INFINITY, false);
  }

  /** Whether something was ended since it was set. */
  get isReached(): boolean {
    return this.#left < 0;
  }

  /** One write, or what is like one, such as events that are put on a bus. */
  async pass<T>(write: () => Promise<T>): Promise<T> {
    this.writes += 1;
    this.#left -= 1;
    // Once it has ended, nothing else of it is done: a process that ended does nothing.
    if (this.#left < 0 && !(this.#left === -1 && this.#behind)) throw new BrokenOff();
    const result = await write();
    if (this.#left < 0) throw new BrokenOff();
    return result;
  }

  /** Has all writes of a client pass here. */
  watch(client: DynamoDBDocumentClient): DynamoDBDocumentClient {
    client.middlewareStack.add(
      (next, context) => (args) =>
        reads.has(String(context.commandName).replace('Command', '')) ? next(args) : this.pass(() => next(args)),
      { step: 'initialize', name: 'breakingPoint' },
    );
    return client;
  }
}
