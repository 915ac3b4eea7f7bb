import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Call, Interceptor } from './test-store.ts';

/** What becomes of a call: it goes through, or one of what DynamoDB and processes do. */
export type Fault =
  | 'none'
  /** Refused because of others' calls: TransactionConflict, or a table that is too busy. */
  | 'busy'
  /** Carried out, and the answer is lost. */
  | 'lost'
  /** Part of a batch is carried out. */
  | 'partial'
  /** The process ends here: this call and all later ones never happen. */
  | 'end'
  /** The call goes through, but the deadline of every transaction begun so far passes before it. */
  | 'time passes';

/** Work whose calls wait until the schedule lets them out. */
export class Process {
  readonly name: string;
  #waiting: ((fault: Fault) => Promise<void>)[] = [];
  #state: 'runs' | 'has ended' = 'runs';

  constructor(name: string) {
    this.name = name;
  }

  get hasEnded(): boolean {
    return this.#state === 'has ended';
  }

  /** Whether a call of it waits to be let out. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Runs the work. Never settles for a process that is ended in the midst of it, but for the error that says so. */
  async run(work: () => Promise<void>): Promise<void> {
    const ended = new Promise<never>((_, reject) => {
      this.#end = () => reject(new Error(`${this.name} has ended`));
    });
    try {
      await Promise.race([work(), ended]);
    } finally {
      this.#state = 'has ended';
    }
  }
  #end = (): void => {};

  /** Takes calls of the work. */
  readonly call: Interceptor = (call) =>
    new Promise((resolve, reject) => {
      if (this.hasEnded) return;
      this.#waiting.push((fault) => {
        if (fault === 'end') {
          this.#waiting = [];
          this.#end();
          return Promise.resolve();
        }
        return carriedOut(call, fault).then(resolve, reject);
      });
    });

  /** Lets one call out, and resolves when it is answered. */
  async letOut(which: number, fault: Fault): Promise<void> {
    const [call] = this.#waiting.splice(which % this.#waiting.length, 1);
    await call?.(fault);
  }
}

const carriedOut = async ({ name, input, send }: Call, fault: Fault): Promise<unknown> => {
  if (fault === 'busy') throw busyError(name);
  if (fault === 'partial') return partly({ name, input, send });
  const answer = await send();
  if (fault === 'lost') throw Object.assign(new Error('The connection was closed'), { name: 'TimeoutError' });
  return answer;
};

const busyError = (name: string): Error => {
  const error = (type: string, more: object = {}) => Object.assign(new Error('Busy'), { name: type, ...more });
  if (name === 'TransactWrite') {
    return error('TransactionCanceledException', {
      CancellationReasons: [{ Code: 'None' }, { Code: 'TransactionConflict' }],
    });
  }
  return error(name === 'Update' ? 'TransactionConflictException' : 'ProvisionedThroughputExceededException');
};

/** Does the first half of a batch. A call that is no batch goes through. */
const partly = async ({ name, input, send }: Call): Promise<unknown> => {
  const tables = Object.entries((input.RequestItems ?? {}) as Record<string, unknown[] | { Keys: unknown[] }>);
  const [table, requests] = tables[0] ?? [];
  const list = Array.isArray(requests) ? requests : (requests?.Keys ?? []);
  if (table === undefined || list.length < 2) return send();
  const [some, rest] = [list.slice(0, list.length >> 1), list.slice(list.length >> 1)];
  const those = (part: unknown[]) => ({ [table]: Array.isArray(requests) ? part : { ...requests, Keys: part } });
  const answer = (await send({ ...input, RequestItems: those(some) })) as object;
  return { ...answer, [name === 'BatchWrite' ? 'UnprocessedItems' : 'UnprocessedKeys']: those(rest) };
};

/** Turns of the event loop until whoever was answered has sent its next calls, or waits for a timer of no length. */
const settled = async (processes: readonly Process[]): Promise<void> => {
  do await nextTurn();
  while (processes.some(({ hasEnded, isWaiting }) => !hasEnded && !isWaiting));
  await nextTurn();
};

/** One stretch of a schedule: whose calls go next, how many of them, and what becomes of the first. */
export interface Step {
  readonly next: number;
  readonly times: number;
  readonly fault: Fault;
}

/**
 * Lets the calls of processes out one at a time, as the steps say, and when those are used up in turn and without faults. A process goes on
 * for some calls before the next one does: most errors need few changes between processes, but whole stretches of each.
 *
 * @param pass - puts the clock forward, by milliseconds.
 * @returns the faults that were met.
 */
export const runToTheEnd = async (
  processes: readonly Process[],
  steps: readonly Step[],
  pass: (milliseconds: number) => void,
): Promise<Set<Fault>> => {
  const met = new Set<Fault>();
  for (let step = 0; ; step++) {
    const { next, times, fault } = steps[step] ?? { next: step, times: 1, fault: 'none' };
    await settled(processes);
    const waiting = processes.filter(({ isWaiting, hasEnded }) => isWaiting && !hasEnded);
    const process = waiting[next % waiting.length];
    if (!process) return met;
    if (fault === 'time passes') pass(31_000);
    met.add(fault);
    for (let time = 0; time < times && process.isWaiting && !process.hasEnded; time++) {
      await process.letOut(next, time === 0 ? fault : 'none');
      await settled(processes);
    }
  }
};
