import { AsyncLocalStorage } from 'node:async_hooks';
import path from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { grantsOf, type Places } from '../../grants/function-grants.ts';
import type { LoadHandler } from '../lambda.ts';
import { type Account, askedBy, type Outgoing, serviceOf } from './asked-of-services.ts';
import { keyUsesOf } from './key-uses.ts';
import { type Asked, type Policy, policyOf } from './policy.ts';
import { type Refusal, refusalOf } from './refusal.ts';

/** A function's role: whoever calls in its name is judged by its statements. */
export interface Role {
  readonly entry: string;
  readonly policy: Policy;
  readonly places: Places;
  readonly account: Account;
}

/** The handler of requests that the SDK's clients have in common, and what asks by their means. */
interface RequestHandler {
  handle: (this: RequestHandler, request: Outgoing, options?: unknown) => Promise<{ readonly response: unknown }>;
}

const acting = new AsyncLocalStorage<Role>();

/** The role of an entry, of the statements that the stacks make its policy of. */
export const roleOf = (entry: string, places: Places, account: Account): Role => ({
  entry,
  policy: policyOf(grantsOf(entry, places)),
  places,
  account,
});

/**
 * Lets something run in the name of a role: what it asks of AWS, and what it sets going, is judged by the role's statements, and refused as AWS refuses it. What runs in nobody's name, such as the
 * local stack itself, is not judged.
 */
export const inNameOf = <Result>(role: Role, run: () => Result): Result => {
  standAtTheDoor();
  return acting.run(role, run);
};

/** Functions that run in the name of their roles. */
export const underGrants = (load: LoadHandler, places: Places, account: Account): LoadHandler => {
  const roles = new Map<string, Role>();
  const roleFor = (entry: string): Role => {
    const known = roles.get(entry) ?? roleOf(entry, places, account);
    roles.set(entry, known);
    return known;
  };
  return async (entry) => {
    const role = roleFor(entry);
    const handler = await load(entry);
    return (event, context) => inNameOf(role, () => handler(event, context));
  };
};

let stands = false;

/**
 * All clients of the SDK, and what borrows its connections, send by one class. There a request is whole, and it is still known who sends it; behind it only bytes are. A proxy before the embedded
 * DynamoDB would cost a tenth of a millisecond of CPU a call, this costs some microseconds.
 */
const standAtTheDoor = (): void => {
  if (stands) return;
  stands = true;
  const client = new DynamoDBClient({});
  const door = Object.getPrototypeOf(client.config.requestHandler) as RequestHandler;
  client.destroy();
  const { handle } = door;
  door.handle = function pass(this: RequestHandler, request, options) {
    const role = acting.getStore();
    const refused = role && refusedTo(role, request);
    return refused ? Promise.resolve({ response: refused }) : handle.call(this, request, options);
  };
};

const refusedTo = ({ entry, policy, places, account }: Role, request: Outgoing): Refusal | undefined => {
  const asked = askedBy(request, account);
  const service = serviceOf(request);
  // All parts of a call to DynamoDB use the one key of the one table.
  const usingKeys = service === 'dynamodb' ? asked.slice(0, 1) : asked;
  for (const one of [...asked, ...usingKeys.flatMap((each) => keyUsesOf(each, places))]) {
    const decision = policy.decide(one);
    if (decision === 'allowed') continue;
    tell(entry, one);
    const name = path.basename(entry, '.ts');
    const caller = `arn:aws:sts::${account.id}:assumed-role/${name}/${name}`;
    return refusalOf(service, caller, one, decision === 'denied');
  }
  return undefined;
};

/** Tells whoever develops what is missing. Of rows it tells what their partitions begin with, which names nobody. */
const tell = (entry: string, { action, resource, context }: Asked): void => {
  const partitions = action.startsWith('dynamodb:') ? (context('dynamodb:LeadingKeys') ?? []) : [];
  const kinds = [...new Set(partitions.map((partition) => /^\W?[^#]{0,12}#?/.exec(partition)?.[0].slice(0, 3)))];
  console.error(
    `${entry} may not ${action}${kinds.length > 0 ? ` rows of ${kinds.join(' ')}` : ''} on ${resource}: see infra/grants/`,
  );
};
