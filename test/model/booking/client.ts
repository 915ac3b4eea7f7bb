import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { RecordError } from '../../../shared/errors.ts';
import type { Resource } from '../../../shared/fhir/resource.ts';
import { calendarsAhead, timeChanged } from '../../../shared/interactions/calendar-changes.lazy.ts';
import { appointment } from '../../../shared/record-types/appointment.ts';
import { commit } from '../../../shared/store/commit.ts';
import { CommitRefused } from '../../../shared/store/commit-refusal.ts';
import { RecordStore } from '../../../shared/store/record-store.ts';
import type { StoredRecord } from '../../../shared/store/rows.ts';
import { commitOf, nextOf } from '../../support/test-store.ts';
import type { Call, Outcome } from './table.ts';

/** What somebody does: makes a record, or makes something else of one that is there. */
export interface Work {
  readonly record: StoredRecord;
  /** What becomes of the Appointment that is read; absent for one that is made. */
  readonly change?: (appointment: fhir4.Appointment) => fhir4.Appointment;
}

/** How it ended: as the answer to a client would say it. */
export type End = 'done' | 'taken' | 'changed' | 'over' | 'busy';

/** Where a client stands: calls that wait for their answers, or how it ended. */
export interface Standing {
  readonly waiting: readonly Call[];
  readonly end: End | undefined;
}

/** What a client was told: an answer to the call of this place among those that waited. */
export interface Told {
  readonly which: number;
  readonly outcome: Outcome;
}

const keys = { ids: Buffer.alloc(32, 1), pages: Buffer.alloc(32, 2), index: Buffer.alloc(32, 3) };
export const tableName = 'model';

/** A store whose calls go wherever they are sent. */
export const storeOver = (send: (call: Call) => Promise<unknown>): RecordStore => {
  const client = {
    send: (command: { readonly input: Call['input'] }) =>
      send({ name: command.constructor.name.replace('Command', ''), input: command.input }),
  } as unknown as DynamoDBDocumentClient;
  const none = () => Promise.reject(new Error('No booking has an object'));
  return new RecordStore(client, tableName, keys, { at: { bucket: 'none' }, put: none, get: none, delete: none });
};

/**
 * Runs a client from its beginning by what it was told so far. It is the code that serves requests: what it does next follows from that alone.
 *
 * @param now - when its request began, in milliseconds since 1970.
 * @param atOnce - answers calls that nothing ever changes; undefined for others.
 */
export const follow = async (
  work: Work,
  now: number,
  told: readonly Told[],
  atOnce: (call: Call) => unknown,
): Promise<Standing> => {
  const waiting: { readonly call: Call; readonly settle: (outcome: Outcome) => void }[] = [];
  let end: End | undefined;
  let failure: { readonly cause: unknown } | undefined;
  const tokens = new Map<unknown, number>();
  const store = storeOver(async (call) => {
    const known = atOnce(call);
    if (known !== undefined) return known;
    return new Promise((resolve, reject) => {
      const settle = (outcome: Outcome) => ('error' in outcome ? reject(outcome.error) : resolve(outcome.answer));
      waiting.push({ call: withNumber(call, tokens), settle });
    });
  });
  carryOut(store, work, now).then(
    (how) => {
      end = how;
    },
    (cause: unknown) => {
      failure = { cause };
    },
  );
  const untilItWaits = async () => {
    do await nextTurn();
    while (!end && !failure && waiting.length === 0);
    await nextTurn();
  };
  await untilItWaits();
  for (const { which, outcome } of told) {
    const [answered] = waiting.splice(which, 1);
    if (!answered) throw new Error('A client makes other calls than before');
    answered.settle('error' in outcome ? outcome : { answer: structuredClone(outcome.answer) });
    if (waiting.length === 0) await untilItWaits();
    else await nextTurn();
  }
  if (failure) throw failure.cause;
  return { waiting: waiting.map(({ call }) => call), end };
};

/** A transaction's token, which is drawn anew each time, as the number that it has among those of the client. */
const withNumber = (call: Call, tokens: Map<unknown, number>): Call => {
  const { ClientRequestToken: token } = call.input;
  if (token === undefined) return call;
  const number = tokens.get(token) ?? tokens.size;
  tokens.set(token, number);
  return { ...call, input: { ...call.input, ClientRequestToken: number } };
};

/** As `$book`, `$hold`, `$reschedule` and `$cancel` do, without whatever has no part in who gets the time. */
const carryOut = async (store: RecordStore, { record, change }: Work, now: number): Promise<End> => {
  const context = { request: { baseUrl: 'https://concord.test/fhir' }, recordType: appointment, now, store };
  try {
    const previous = change ? await store.read(record) : undefined;
    const before = previous?.resource as fhir4.Appointment | undefined;
    if (change && (!before || !['pending', 'booked'].includes(before.status))) return 'over';
    const next =
      change && previous && before ? nextOf(previous, { resource: change(before) as unknown as Resource }) : record;
    const isBusy = (next.resource as { status?: string }).status !== 'cancelled';
    const calendars = isBusy && next.resource ? await calendarsAhead(context, next.resource) : undefined;
    const calendar = await timeChanged(context, [{ recordType: appointment, next, previous, calendars }]);
    await commit(store, commitOf({ writes: [{ next, previous }], calendar }));
    return 'done';
  } catch (error) {
    if (error instanceof RecordError) return 'busy';
    if (!(error instanceof CommitRefused)) throw error;
    return error.refusals.every(({ kind }) => kind === 'taken') ? 'taken' : 'changed';
  }
};
