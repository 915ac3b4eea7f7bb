import type { Action } from '../access/scopes.ts';
import { RecordError } from '../errors.ts';
import { inOrder, stringifyJson } from '../fhir/json.ts';
import { hashed } from '../store/index-rows.ts';
import { requestKey } from '../store/keys.ts';
import { type KeptAnswer, readRequestKey } from '../store/request-keys.ts';
import type { Answer, Interaction, Once, RequestContext, Target } from './context.ts';
import { requireTypeAccess } from './require-access.ts';
import { overtaken, save } from './save.ts';
import { readVersion } from './vread.ts';

/** How a request is carried out, and how its answer is given again. */
interface Repeatable<C, T> {
  readonly work: (context: C) => Promise<T>;
  /** The answers in what `work` returns, to be kept. */
  readonly answersOf: (result: T) => readonly Answer[];
  readonly repeat: (kept: readonly KeptAnswer[]) => Promise<T>;
}

/**
 * Carries out a request that writes; one that bears a key only once, however often it is sent in a day. What it was answered with is kept in the
 * transaction that writes, so there is no moment in which one is there without the other, and none in which a crash would leave the
 * key behind. What is refused is not kept: nothing was written.
 *
 * @throws RecordError `business-rule` if the key was another request's; `conflict` with Retry-After while the first is under way; whatever
 *   `work` and `repeat` throw.
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 */
export const carriedOutOnce = async <C extends Omit<RequestContext, 'recordType'>, T>(
  context: C,
  { work, answersOf, repeat }: Repeatable<C, T>,
): Promise<T> => {
  const once = onceOf(context);
  if (!once) return work(context);
  const before = await keptUnder(context, once);
  if (before) return repeat(before);
  const own = { ...context, once };
  try {
    const result = await work(own);
    if (!once.kept) await save(own, [], answersOf(result));
    return result;
  } catch (error) {
    if (!(error instanceof RecordError) || error.kind === 'incomplete') throw error;
    // Who sent the same at the same moment may have been first, and stand in the way of this one.
    const first = await keptUnder(context, once);
    if (!first) throw error;
    return repeat(first);
  }
};

/** Carries out what a route that writes stands for, only once, as `carriedOutOnce` does. */
export const interactOnce = (context: RequestContext, interaction: Interaction, target: Target): Promise<Answer> =>
  carriedOutOnce(context, {
    work: (own) => interaction(own, target),
    answersOf: (answer) => [answer],
    repeat: ([kept]) => repeated(context, kept, context.request.prefer.return !== 'minimal'),
  });

const actions: Readonly<Record<string, Action>> = { POST: 'c', DELETE: 'd' };

/**
 * A kept answer as it was given, to who may still do what it answers. Its record is read back, in the version that was written, under the
 * access decision of now.
 *
 * @throws RecordError `forbidden` where role or scope does not allow such a write any more; whatever reading the version throws.
 */
export const repeated = async (
  context: RequestContext,
  kept: KeptAnswer | undefined,
  shows: boolean,
): Promise<Answer> => {
  if (!kept) throw new Error('No answer was kept for the request');
  requireTypeAccess(context, actions[context.request.method] ?? 'u');
  const [, id, version] = /\/([^/]+)\/_history\/(\d+)$/.exec(kept.headers?.Location ?? '') ?? [];
  if (!shows || kept.resource || id === undefined || version === undefined) return kept;
  const request = { ...context.request, query: [], ifNoneMatch: undefined, ifModifiedSince: undefined };
  const { resource } = await readVersion({ ...context, request }, { id, version, type: '' });
  return { ...kept, ...(resource ? { resource } : {}) };
};

/** Whether a parameter is about what a request does, and not about how its answer is set out. */
const isAbout = ([name]: readonly [string, string]): boolean => name !== '_format' && name !== '_pretty';

const onceOf = ({ request, asking, store }: Omit<RequestContext, 'recordType'>): Once | undefined => {
  const { idempotencyKey, method, path, query, ifMatch, ifNoneExist, body } = request;
  if (idempotencyKey === undefined) return undefined;
  const { subject, organization } = asking.caller;
  const acting = organization ?? asking.chart ?? '';
  return {
    key: requestKey(hashed(store, `request|${subject}|${acting}|${idempotencyKey}`)),
    request: hashed(store, stringifyJson([method, path, query.filter(isAbout), ifMatch, ifNoneExist, inOrder(body)])),
    kept: false,
  };
};

const keptUnder = async (
  { store, now }: Omit<RequestContext, 'recordType'>,
  once: Once,
): Promise<readonly KeptAnswer[] | undefined> => {
  const kept = await readRequestKey(store, once.key, now);
  if (kept === 'under way') throw overtaken();
  if (kept && kept.request !== once.request) {
    throw new RecordError('business-rule', 'This key was used for another request; use a new one for each', {
      reason: 'idempotency-key-reused',
      expression: 'Idempotency-Key',
    });
  }
  return kept?.answers;
};
