import { RecordError } from '../errors.ts';
import { modest, parametersIn } from '../http/fhir-request.ts';
import { criteriaOf } from '../search/joins.ts';
import { isResultParameter } from '../search/result-parameters.ts';
import type { Criterion } from '../search/search-query.ts';
import { bearersOf, guardedIds } from '../store/bearers.ts';
import { criteriaPartition, identifierPartition } from '../store/index-rows.ts';
import { guardKey } from '../store/keys.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { ConditionalMatch } from './conditional-match.ts';
import type { RequestContext } from './context.ts';
import { matching } from './search/matching.ts';
import { openSearch } from './search/open.ts';
import { traced } from './search/trace.ts';

/** Reading more than this for one condition is refused: the sender is better served by an identifier. */
const mostCalls = 100;

/** Of the request around the condition. */
const formats: ReadonlySet<string> = new Set(['_format', '_pretty']);

/**
 * Finds what meets a condition (see conditional-match.ts), of which a refusal names the parameter alone.
 *
 * @throws RecordError `multiple-matches` if more than `most` do; `invalid` if it is no search, or an empty one; `too-costly`.
 */
export const meeting = async (
  context: RequestContext,
  condition: string,
  most: number,
  except?: (record: StoredRecord) => boolean,
): Promise<ConditionalMatch> => {
  const { recordType, store } = context;
  // A condition that is not understood must not be taken for a wider one.
  const sent = parametersIn(condition.replace(/^\?/, ''));
  modest(sent);
  const request = { ...context.request, path: [recordType.name], query: sent };
  const { run, query, planned } = await openSearch({ ...context, request }, sent, { strict: true });
  if (query.conditions.length === 0) {
    throw new RecordError('invalid', 'A condition names at least one search parameter');
  }
  // Whoever sends `_count=1` with a deletion means one: what only shapes a result has no place in a condition.
  const shaping = sent.find(([name]) => isResultParameter(name.replace(/[:.].*$/s, '')) && !formats.has(name));
  if (shaping) {
    throw new RecordError('invalid', 'A condition selects records; this only shapes how they are shown', {
      reason: 'not-supported',
      expression: shaping[0],
    });
  }
  const partition = guardPartition(context, criteriaOf(query.conditions), new URLSearchParams(sent).toString());
  const key = guardKey(partition);
  // The guard is read before the search: what is created between the two makes the guard differ at the commit.
  const expected = await guardedIds(store, key);
  const designates = recordType.directory && most === 1;
  const search = async (): Promise<StoredRecord[]> => {
    const { plan } = await planned();
    const found: StoredRecord[] = [];
    const limit = run.calls + mostCalls;
    for await (const { record } of matching(run, recordType, { ...query, plan })) {
      if (record && !except?.(record)) {
        run.hold(record, sent[0]?.[0] ?? '');
        found.push(record);
      }
      if (found.length > most && !designates) break;
      if (run.calls > limit) {
        throw new RecordError('too-costly', 'Too much would have to be read for this condition');
      }
    }
    return found;
  };
  // What a condition finds is shown, or at least told of, and so is that it finds nothing.
  const found = await traced(run, search, {
    sent,
    shown: (records) => records.map((record) => [recordType, record] as const),
    always: false,
  });
  const meant = found.length > 1 && designates ? ownerAmong(found, await bearersOf(store, partition)) : found;
  if (meant.length > most) {
    const message =
      most === 1 ? 'Several records meet this condition' : `More than ${most} records meet this condition`;
    throw new RecordError('multiple-matches', message);
  }
  return { matches: meant, guard: { key, expected } };
};

/**
 * In the directory an identifier designates one entry: the first that bore it. Charts from elsewhere bring the same hospital again and
 * again; such entries are kept, but a condition on the identifier is not made ambiguous by them.
 */
const ownerAmong = (found: readonly StoredRecord[], bearers: readonly string[]): readonly StoredRecord[] => {
  const owner = found.find(({ id }) => id === bearers[0]);
  return owner ? [owner] : found;
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
