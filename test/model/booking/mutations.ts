import type { Mutation } from './explore.ts';

/** A write of a row of a calendar or of a record, as it stands in a transaction. */
interface Write {
  ConditionExpression?: string;
  UpdateExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
}

/** Changes the writes of a transaction: of days of calendars, or of records. */
const changed =
  (kind: 'Update' | 'Put', change: (write: Write) => Partial<Write>): Mutation =>
  (call) => {
    const { TransactItems } = call.input;
    if (call.name !== 'TransactWrite') return call;
    const items = (TransactItems as Record<string, Write>[]).map((item) => {
      const write = item[kind];
      return write ? { ...item, [kind]: { ...write, ...change(write) } } : item;
    });
    return { ...call, input: { ...call.input, TransactItems: items } };
  };

/** Parts of a list that say nothing of attributes with such names. */
const without = (
  { ExpressionAttributeNames = {} }: Write,
  list: string | undefined,
  separator: string,
  named: RegExp,
): string | undefined =>
  list
    ?.split(separator)
    .filter((part) => !named.test(ExpressionAttributeNames[/#\w+/.exec(part)?.[0] ?? ''] ?? ''))
    .join(separator);

const unconditioned = (named: RegExp): Mutation =>
  changed('Update', (write) => ({
    ConditionExpression: without(write, write.ConditionExpression, ' AND ', named) ?? '',
  }));

/** Each rule of the protocol, left out: the name of a case that needs it, and the invariant that breaks. */
export const mutations: Readonly<Record<string, readonly [mutation: Mutation, caseName: string, invariant: string]>> = {
  'time is taken only where quarters are as they were read': [
    unconditioned(/^q/),
    'three who want the same time',
    'nobody is booked twice',
  ],
  'who takes time counts its quarters up': [
    changed('Update', (write) => {
      const [, sets = '', removes = ''] = /^SET (.+?)( REMOVE .+)?$/.exec(write.UpdateExpression ?? '') ?? [];
      return { UpdateExpression: `SET ${without(write, sets, ', ', /^q/)}${removes}` };
    }),
    'three who want the same time',
    'nobody is booked twice',
  ],
  'what has lapsed is taken away only where its owner has not come back': [
    unconditioned(/^@/),
    'a hold that lapses and is confirmed, cancelled and swept by who books another time',
    'calendars say what records hold',
  ],
  'who gives time back gives all of it': [
    changed('Update', ({ UpdateExpression = '' }) => ({
      UpdateExpression: UpdateExpression.replace(/ REMOVE .+$/, ''),
    })),
    'a booking that is cancelled and moved at once, and one who wants its time',
    'calendars say what records hold',
  ],
  'a version replaces the one that was read': [
    changed('Put', ({ ConditionExpression = '' }) => ({
      ConditionExpression: ConditionExpression.replace('version = :previous AND ', ''),
    })),
    'a booking that is cancelled and moved at once, and one who wants its time',
    'what is acknowledged is there, and nothing else',
  ],
};
