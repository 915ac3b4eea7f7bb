import { RecordError } from '../errors.ts';
import { criteriaOf } from '../search/joins.ts';
import type { Criterion } from '../search/search-query.ts';
import { bearersOf, guardedIds } from '../store/candidates.ts';
import type { UniqueChange } from '../store/commit.ts';
import { criteriaPartition, identifierPartition } from '../store/index-rows.ts';
import { guardKey } from '../store/keys.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { RequestContext } from './context.ts';
import { requireTypeAccess } from './require-access.ts';
import { matching } from './search/matching.ts';
import { openSearch } from './search/open.ts';

/** Reading more than this for one condition is refused: the sender is better served by an identifier. */
const mostCalls = 100;

/** Letters of a parameter's name that a refusal repeats in its text. */
const longestNameShown = 50;

/** What meets a condition now, and what must not have changed when something is created because nothing does. */
export interface ConditionalMatch {
  readonly matches: readonly StoredRecord[];
  /** Ids that the guard row named when the condition was looked at. */
  readonly guard: Pick<UniqueChange, 'key' | 'expected'>;
}

/**
 * Finds what meets the condition of a conditional create or reference. https://hl7.org/fhir/R4/http.html#ccreate
 *
 * @param condition - a search, as in `If-None-Exist`.
 * @param expression - where the condition stands, for a refusal.
 * @throws RecordError `multiple-matches` if several records meet it; `invalid` if it is no search, or an empty one.
 */
export const conditionalMatch = async (
  context: RequestContext,
  condition: string,
  expression = 'If-None-Exist',
): Promise<ConditionalMatch> => {
  requireTypeAccess(context, 's');
  try {
    return await find(context, condition);
  } catch (error) {
    throw refusedAt(expression, error);
  }
};

const find = async (context: RequestContext, condition: string): Promise<ConditionalMatch> => {
  const { recordType, store } = context;
  // A condition that is not understood must not be taken for a wider one.
  const sent = [...new URLSearchParams(condition.replace(/^\?/, ''))];
  const { run, query, planned } = await openSearch(context, sent, { strict: true });
  if (query.conditions.length === 0) {
    throw new RecordError('invalid', 'A condition names at least one search parameter');
  }
  const partition = guardPartition(context, criteriaOf(query.conditions), condition);
  const key = guardKey(partition);
  // The guard is read before the search: what is created between the two makes the guard differ at the commit.
  const expected = await guardedIds(store, key);
  const { plan } = await planned();
  const found: StoredRecord[] = [];
  const limit = run.calls + mostCalls;
  for await (const { record } of matching(run, recordType, { ...query, plan })) {
    if (record) found.push(record);
    if (run.calls > limit) throw new RecordError('too-costly', 'Too much would have to be read for this condition');
  }
  await trace(context, found, condition);
  const meant = found.length > 1 && recordType.directory ? ownerAmong(found, await bearersOf(store, partition)) : found;
  if (meant.length > 1) throw new RecordError('multiple-matches', 'Several records meet this condition');
  return { matches: meant, guard: { key, expected } };
};

/** A refusal of a condition names where it stands, and in its text the parameter. */
const refusedAt = (expression: string, error: unknown): unknown => {
  if (!(error instanceof RecordError)) return error;
  const details = error.details.map(({ expression: parameter, ...detail }) => ({
    ...detail,
    message:
      parameter === undefined || parameter === expression
        ? detail.message
        : `${parameter.slice(0, longestNameShown)}: ${detail.message}`,
    expression,
  }));
  return new RecordError(error.kind, error.message, { reason: error.reason, headers: error.headers, details });
};

/**
 * In the directory an identifier designates one entry: the first that bore it. Charts from elsewhere bring the same hospital again and
 * again; such entries are kept, but a condition on the identifier is not made ambiguous by them.
 */
const ownerAmong = (found: readonly StoredRecord[], bearers: readonly string[]): readonly StoredRecord[] => {
  const owner = found.find(({ id }) => id === bearers[0]);
  return owner ? [owner] : found;
};

/** What a condition finds is shown, or at least told of, so it leaves a trace like any search. */
const trace = async (
  { audit, recordType }: RequestContext,
  found: readonly StoredRecord[],
  condition: string,
): Promise<void> => {
  if (recordType.directory || recordType.subject === 'knowledge') return;
  const query = `${recordType.name}?${condition.replace(/^\?/, '')}`;
  await audit.record(
    found.map(({ type, id, chart }) => ({ interaction: 'search-type', chart, what: [`${type}/${id}`], query })),
  );
};

/** A condition on an identifier is guarded beside the identifier's bearers, however it is written; others by their text. */
const guardPartition = (
  { store, recordType, asking }: RequestContext,
  criteria: readonly Criterion[],
  condition: string,
): string => {
  const organization = asking.caller.organization ?? asking.chart ?? '';
  const identifier = criteria.find(
    ({ parameter, modifier }) => parameter.code === 'identifier' && modifier === undefined,
  );
  const [token, ...others] = identifier?.values ?? [];
  if (token?.type === 'token' && token.system !== undefined && token.code !== undefined && others.length === 0) {
    return identifierPartition(store, recordType, organization, token.system, token.code);
  }
  return criteriaPartition(store, recordType, organization, condition);
};
