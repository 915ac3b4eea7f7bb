import type { SearchType } from '../../record-types/search-type.ts';
import { beside } from '../../search/joins.ts';
import { matches } from '../../search/matches.ts';
import { meaningAll } from '../../search/same-patient.ts';
import type { Condition } from '../../search/search-query.ts';
import { type Candidate, candidates, type Plan, type Position } from '../../store/candidates.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { heldOf, type Run } from './run.ts';

/** Candidates whose references are followed together: those alone that meet what they tell themselves. */
const batchSize = 30;
/** As many as wait at most for others whose references are followed with theirs. */
const largestBatch = 10 * batchSize;

export interface Reading {
  readonly from?: Position | undefined;
  /** Rows that a chart's first call reads at most. */
  readonly rowLimit?: number | undefined;
  /** Calls of the run behind which no more is read before what was read is judged. */
  readonly pauseAt?: number;
}

/**
 * Records of a type that meet the conditions and that the caller may find, in the order of the plan, each once. What does not match comes
 * without its record, so that a page knows how far it has come.
 */
export async function* matching(
  run: Run,
  recordType: SearchType,
  { conditions: asked, plan }: { readonly conditions: readonly Condition[]; readonly plan: Plan },
  { from, rowLimit, pauseAt = Number.POSITIVE_INFINITY }: Reading = {},
): AsyncGenerator<Candidate> {
  let conditions = asked;
  const read = candidates(run.context.store, recordType, plan, from, {
    rowLimit,
    spend: run.spend,
    left: () => pauseAt - run.calls,
    // All records of a chart have one custodian: the first tells whether the rest is worth reading, and nobody learns how many there are.
    mayEnter: (record) => run.mayFind(recordType, record),
    onLinked: (linked) => {
      conditions = meaningAll(
        conditions,
        linked.map(({ patient }) => patient),
      );
    },
  });
  const joined = asked.some((condition) => beside([condition]).length > 0);
  if (!joined) {
    for await (const { record, position } of read) {
      yield { record: record && meets(run, recordType, record, conditions) ? record : undefined, position };
    }
    return;
  }
  const plain = () => conditions.filter((condition) => beside([condition]).length === 0);
  let batch: Candidate[] = [];
  let promising = 0;
  for await (const { record, position } of read) {
    const meeting = record && meets(run, recordType, record, plain()) ? record : undefined;
    batch.push({ record: meeting, position });
    if (meeting) promising++;
    if (promising < batchSize && batch.length < largestBatch && run.calls < pauseAt) continue;
    yield* await judged(run, recordType, batch, conditions);
    batch = [];
    promising = 0;
  }
  yield* await judged(run, recordType, batch, conditions);
}

const meets = (run: Run, recordType: SearchType, record: StoredRecord, conditions: readonly Condition[]): boolean =>
  run.mayFind(recordType, record) &&
  record.resource !== undefined &&
  matches(conditions, record.resource, run.factsOf({ id: record.id, lastUpdated: record.updated }));

/** Follows the references of candidates that meet what they tell themselves. */
const judged = async (
  run: Run,
  recordType: SearchType,
  promising: readonly Candidate[],
  conditions: readonly Condition[],
): Promise<Candidate[]> => {
  const held = promising.flatMap(({ record }) => (record ? heldOf(record) : []));
  if (held.length > 0) await run.lookUp(recordType, held, conditions);
  return promising.map(({ record, position }) => ({
    record: record && meets(run, recordType, record, conditions) ? record : undefined,
    position,
  }));
};
