import { type End, follow, type Standing, type Told, type Work } from './client.ts';
import { asText, type Call, type Outcome, perform, type Table, textOf } from './table.ts';

/** Three clients at one table, and what may befall them. */
export interface Scenario {
  /** What is there before they begin. */
  readonly table: Table;
  readonly works: readonly Work[];
  /** Milliseconds since 1970. */
  readonly now: number;
  /** To when the clock may be put forward, at any moment. A client has the time at which it began. */
  readonly later: number;
  /** How many transactions may be turned away as busy, and how many answers to them may be lost. */
  readonly faults: { readonly busy?: number; readonly lost?: number };
}

/** Left out or changed before a call is carried out: a rule that the protocol relies on, if it is none of the scenario's. */
export type Mutation = (call: Call) => Call;

/** What the table, the clients and the clock are at one moment. */
export interface Moment {
  readonly table: Table;
  readonly clock: number;
  /** How each client ended; undefined while it is at work, or has not begun. */
  readonly ends: readonly (End | undefined)[];
}

/** Says what is wrong at a moment, and when all have ended. */
export interface Invariants {
  readonly always: (moment: Moment) => string | undefined;
  readonly atRest: (moment: Moment) => string | undefined;
  /** Whether a client could be refused by what stands at this moment, by the clock that it began with. */
  readonly isTaken: (table: Table, client: number, now: number) => boolean;
}

export interface Exploration {
  readonly states: number;
  /** Orders in which all calls can come. */
  readonly interleavings: number;
  /** How the clients end, in each way that is possible. */
  readonly endings: ReadonlySet<string>;
  readonly violation: { readonly invariant: string; readonly schedule: readonly string[] } | undefined;
}

/** Nobody who gets through needs as many calls. */
const mostCalls = 24;

/** A client so far: when it began, what it was told, and where that has led it. */
interface Client {
  readonly number: number;
  readonly now: number | undefined;
  readonly told: readonly Told[];
  /** Stands for all that it was told: what it does next follows from that and from when it began. */
  readonly history: number;
  readonly standing: Standing | undefined;
  /** Whether somebody had its time at a moment since it began. */
  readonly wasTaken: boolean;
}

interface State {
  readonly table: Table;
  readonly clock: number;
  readonly clients: readonly Client[];
  /** Transactions that were carried out, by client and token. */
  readonly tokens: readonly string[];
  readonly busy: number;
  readonly lost: number;
}

/**
 * Follows every order in which the calls of the clients can reach the table, with the clock going on and faults at any moment, and stops at the first state that breaks an
 * invariant. States that are equal in all that decides what follows are followed once.
 */
export const explore = async (
  scenario: Scenario,
  { always, atRest, isTaken }: Invariants,
  mutation: Mutation = (call) => call,
): Promise<Exploration> => {
  const { now, later, works, table, faults } = scenario;
  const interleavings = new Map<string, number>();
  const endings = new Set<string>();
  const standings = new Map<number, Promise<Standing>>();
  const numbers = new Map<string, number>();
  let violation: Exploration['violation'];

  /** A number for a text, the same for the same. */
  const numberOf = (text: string): number => {
    const number = numbers.get(text) ?? numbers.size;
    numbers.set(text, number);
    return number;
  };
  const standingOf = ({ number, now: begun, told, history }: Client): Promise<Standing> => {
    const work = works[number];
    if (begun === undefined || !work) throw new Error('Who has not begun stands nowhere');
    const known = standings.get(history) ?? follow(work, begun, told, (call) => fixed(table, call));
    standings.set(history, known);
    return known;
  };
  const keyOf = ({ table: rows, clock, clients, tokens, busy, lost }: State) => {
    const each = clients.map(({ history, wasTaken }) => `${history} ${wasTaken}`);
    return [numberOf(textOf(rows)), clock, busy, lost, ...tokens, ...each].join('\n');
  };

  /** Where a client that was told something stands then, beside all others. */
  const after = async (state: State, client: Client): Promise<State> => {
    const standing = await standingOf(client);
    const clients = state.clients.map((each) => (each.number === client.number ? { ...client, standing } : each));
    return {
      ...state,
      clients: clients.map((each) => ({
        ...each,
        wasTaken: each.wasTaken || (isAtWork(each) && isTaken(state.table, each.number, each.now ?? 0)),
      })),
    };
  };
  const told = (state: State, client: Client, which: number, outcome: Outcome) =>
    after(state, {
      ...client,
      told: [...client.told, { which, outcome }],
      history: numberOf(`${client.history} ${which} ${textOfOutcome(outcome)}`),
    });

  const stepsOf = async (state: State): Promise<[name: string, next: State][]> => {
    const steps: [string, State][] = [];
    if (state.clock < later) steps.push(['time passes', { ...state, clock: later }]);
    for (const client of state.clients) {
      const name = `client ${client.number + 1}`;
      if (client.now === undefined)
        steps.push([
          `${name} begins`,
          await after(state, { ...client, now: state.clock, history: numberOf(`${name} ${state.clock}`) }),
        ]);
      for (const [which, call] of (client.standing?.waiting ?? []).entries()) {
        const token = `${client.number} ${String(call.input.ClientRequestToken)}`;
        const isRepeated = state.tokens.includes(token);
        const { table: rows, outcome } = isRepeated
          ? { table: state.table, outcome: { answer: {} } }
          : perform(state.table, mutation(call));
        const isWrite = call.name === 'TransactWrite';
        const isDone = isWrite && 'answer' in outcome;
        const next = {
          ...state,
          table: rows,
          tokens: isDone && faults.lost ? [...new Set([...state.tokens, token])].sort() : state.tokens,
        };
        steps.push([`${name}: ${call.name}`, await told(next, client, which, outcome)]);
        if (isWrite && state.busy > 0)
          steps.push([
            `${name}: ${call.name}, busy`,
            await told({ ...state, busy: state.busy - 1 }, client, which, {
              error: isRepeated ? throttled() : conflict(),
            }),
          ]);
        if (isDone && state.lost > 0)
          steps.push([
            `${name}: ${call.name}, answer lost`,
            await told({ ...next, lost: state.lost - 1 }, client, which, { error: lostError() }),
          ]);
      }
    }
    return steps;
  };

  const visit = async (state: State, schedule: readonly string[]): Promise<number> => {
    const key = keyOf(state);
    const known = interleavings.get(key);
    if (known !== undefined) return known;
    const moment = { table: state.table, clock: state.clock, ends: state.clients.map(({ standing }) => standing?.end) };
    const wrong = always(moment) ?? wrongClient(state.clients);
    if (wrong) violation ??= { invariant: wrong, schedule };
    let ways = 0;
    for (const [name, next] of violation ? [] : await stepsOf(state)) {
      ways += await visit(next, [...schedule, name]);
      if (violation) return ways;
    }
    if (ways === 0 && !violation) {
      const wrongInTheEnd = atRest(moment);
      if (wrongInTheEnd) violation ??= { invariant: wrongInTheEnd, schedule };
      endings.add(moment.ends.join(' '));
      ways = 1;
    }
    interleavings.set(key, ways);
    return ways;
  };

  const clients = works.map(
    (_, number): Client => ({ number, now: undefined, told: [], history: -1, standing: undefined, wasTaken: false }),
  );
  const initial: State = { table, clock: now, clients, tokens: [], busy: faults.busy ?? 0, lost: faults.lost ?? 0 };
  const ways = await visit(initial, []);
  return { states: interleavings.size, interleavings: ways, endings, violation };
};

const isAtWork = ({ now, standing }: Client) => now !== undefined && standing?.end === undefined;

const wrongClient = (clients: readonly Client[]): string | undefined => {
  if (clients.some(({ told }) => told.length > mostCalls)) return 'every client ends';
  const refused = clients.filter(({ standing }) => standing?.end === 'taken');
  return refused.every(({ wasTaken }) => wasTaken) ? undefined : 'who is refused is refused for a reason';
};

/** Schedules of actors, which no booking changes: the time of such a call makes no difference. */
const fixed = (table: Table, call: Call): unknown => {
  if (call.name !== 'Query') return undefined;
  const { outcome } = perform(table, call);
  return 'answer' in outcome ? outcome.answer : undefined;
};

const textOfOutcome = (outcome: Outcome): string =>
  'error' in outcome
    ? `${outcome.error.name} ${asText((outcome.error as { CancellationReasons?: unknown }).CancellationReasons)}`
    : asText(outcome.answer);

/** Cancelled, because others write the same rows. One that was carried out is never cancelled when it is sent again: DynamoDB knows its token. */
const conflict = () =>
  Object.assign(new Error('Busy'), {
    name: 'TransactionCanceledException',
    CancellationReasons: [{ Code: 'TransactionConflict' }],
  });
/** Turned away before anybody has looked at it. */
const throttled = () => Object.assign(new Error('Busy'), { name: 'ThrottlingException' });
const lostError = () => Object.assign(new Error('The connection was closed'), { name: 'TimeoutError' });
