import type { Action } from '../access/scopes.ts';
import { RecordError } from '../errors.ts';
import { inOrder, stringifyJson } from '../fhir/json.ts';
import type { Route } from '../http/routes.ts';
import { hashed } from '../store/index-rows.ts';
import { type RowKey, requestKey } from '../store/keys.ts';
import { type KeptAnswer, readRequestKey, requestKeyRow } from '../store/request-keys.ts';
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
    if (!once.kept) await save(own, [], () => answersOf(result));
    return result;
  } catch (error) {
    if (!(error instanceof RecordError) || error.kind === 'incomplete') throw error;
    // Who sent the same at the same moment may have been first, and stand in the way of this one.
    const first = await keptUnder(context, once);
    if (!first) throw error;
    return repeat(first);
  }
};

/**
 * Carries out what a route that writes stands for, only once, as `carriedOutOnce` does.
 *
 * @param once - of an operation, how it is answered again; other interactions by their method.
 */
export const interactOnce = (
  context: RequestContext,
  interaction: Interaction,
  target: Target,
  once: Route['once'],
): Promise<Answer> =>
  carriedOutOnce(context, {
    work: (own) => interaction(own, target),
    answersOf: (answer) => [answer],
    repeat: async ([kept]) => {
      if (typeof once !== 'function') return repeated(context, kept, shows(context), once && { action: once, target });
      if (!kept) throw nothingKept();
      return once(context, target, kept);
    },
  });

const shows = ({ request }: RequestContext): boolean => request.prefer.return !== 'minimal';
const nothingKept = () => new Error('No answer was kept for the request');

const actions: Readonly<Record<string, Action>> = { POST: 'c', DELETE: 'd' };

/**
 * A kept answer as it was given, to who may still do what it answers. Its record is read back, in the version that was written, under the
 * access decision of now.
 *
 * @param operation - what it needs the right to, and the record that it is asked of.
 * @throws RecordError `forbidden` where role or scope does not allow such a write any more; whatever reading the version throws.
 */
export const repeated = async (
  context: RequestContext,
  kept: KeptAnswer | undefined,
  shown: boolean,
  operation?: { readonly action: Action; readonly target: Target },
): Promise<Answer> => {
  if (!kept) throw nothingKept();
  requireTypeAccess(context, operation?.action ?? actions[context.request.method] ?? 'u');
  const { id, version } = answeredVersion(kept, operation?.target.id);
  if (!shown || kept.resource || id === undefined || version === undefined) return kept;
  const request = { ...context.request, query: [], ifNoneMatch: undefined, ifModifiedSince: undefined };
  const { resource } = await readVersion({ ...context, request }, { id, version, type: '' });
  return { ...kept, ...(resource ? { resource } : {}) };
};

/** Where an answer's record is: by its `Location`; of an operation that found done what it was asked for, by the record that it was asked of and the version. */
const answeredVersion = (
  { headers = {} }: KeptAnswer,
  asked: string | undefined,
): { readonly id?: string | undefined; readonly version?: string | undefined } => {
  const [, id, version] = /\/([^/]+)\/_history\/(\d+)$/.exec(headers['Location'] ?? '') ?? [];
  return id === undefined && asked
    ? { id: asked, version: /^W\/"(\d+)"$/.exec(headers['ETag'] ?? '')?.[1] }
    : { id, version };
};

/** Whether a parameter is about what a request does, and not about how its answer is set out. */
const isAbout = ([name]: readonly [string, string]): boolean => name !== '_format' && name !== '_pretty';

/** The request as it is known again. */
interface Known extends Once {
  readonly key: RowKey;
  /** What it is, hashed: another one under the same key is refused. */
  readonly request: string;
}

const onceOf = ({ request: sent, asking, store, now }: Omit<RequestContext, 'recordType'>): Known | undefined => {
  const { idempotencyKey, method, path, query, ifMatch, ifNoneExist, body } = sent;
  if (idempotencyKey === undefined) return undefined;
  const { subject, organization } = asking.caller;
  const acting = organization ?? asking.chart ?? '';
  const key = requestKey(hashed(store, `request|${subject}|${acting}|${idempotencyKey}`));
  const request = hashed(
    store,
    stringifyJson([method, path, query.filter(isAbout), ifMatch, ifNoneExist, inOrder(body)]),
  );
  const rowFor = (answers: readonly Answer[]) => requestKeyRow(key, { request, answers: answers.map(keptOf) }, now);
  return { key, request, rowFor, kept: false };
};

/** The record itself is not kept a second time, nor what is told of a version of it. */
const keptOf = ({ statusCode, headers, updated, warnings, resource }: Answer): KeptAnswer => ({
  statusCode,
  ...(headers ? { headers } : {}),
  ...(updated === undefined ? {} : { updated }),
  ...(warnings ? { warnings } : {}),
  ...(resource?.resourceType === 'OperationOutcome' || (resource?.resourceType === 'Parameters' && !headers)
    ? { resource: resource as fhir4.OperationOutcome | fhir4.Parameters }
    : {}),
});

const keptUnder = async (
  { store, now }: Omit<RequestContext, 'recordType'>,
  once: Known,
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
