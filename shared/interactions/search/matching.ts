import { RecordError } from '../../errors.ts';
import type { SearchType } from '../../record-types/search-type.ts';
import { beside } from '../../search/joins.ts';
import { matches } from '../../search/matches.ts';
import { meaningAll } from '../../search/same-patient.ts';
import type { Condition } from '../../search/search-query.ts';
import { candidates } from '../../store/candidates/candidates.ts';
import type { Candidate, Plan, Position } from '../../store/candidates/plan.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { Run } from './run.ts';

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
  /** Told, before any record comes, if the chart's order is not that of the type's date. */
  readonly onDisorder?: (() => void) | undefined;
}

/** A type, and what its records must meet. */
export interface Sought {
  readonly recordType: SearchType;
  readonly conditions: readonly Condition[];
}

/**
 * Records of a type that meet the conditions and that the caller may find, in the order of the plan, each once. What does not match comes
 * without its record, so that a page knows how far it has come.
 */
export const matching = (
  run: Run,
  recordType: SearchType,
  { conditions, plan }: { readonly conditions: readonly Condition[]; readonly plan: Plan },
  reading: Reading = {},
): AsyncGenerator<Candidate> => matchingAny(run, [{ recordType, conditions }], plan, reading);

/**
 * The same for records of several types, that one plan finds.
 *
 * @throws RecordError `invalid` where a link goes on with a plan of another kind: its place means nothing to this one.
 */
export async function* matchingAny(
  run: Run,
  sought: readonly [Sought, ...Sought[]],
  plan: Plan,
  { from, ...reading }: Reading = {},
): AsyncGenerator<Candidate> {
  const [kind, ...place] = from ?? [];
  if (kind !== undefined && kind !== plan.kind) {
    throw new RecordError('invalid', 'What this page goes on with is found in another way by now; search again', {
      reason: 'page-link',
      expression: '_page',
    });
  }
  const begun = { ...reading, from: from && place };
  for await (const { position, ...candidate } of placed(run, sought, plan, begun)) {
    yield { ...candidate, position: [plan.kind, ...position] };
  }
}

async function* placed(
  run: Run,
  sought: readonly [Sought, ...Sought[]],
  plan: Plan,
  { from, rowLimit, pauseAt = Number.POSITIVE_INFINITY, onDisorder }: Reading,
): AsyncGenerator<Candidate> {
  let meant: SoughtByType = new Map(sought.map((each) => [each.recordType.name, each]));
  const [first, ...others] = sought;
  const types = [first.recordType, ...others.map(({ recordType }) => recordType)] as const;
  const read = candidates(run.context.store, types, plan, from, {
    rowLimit,
    onDisorder,
    spend: run.spend,
    ahead: (chart) => (others.length === 0 ? run.ahead.get(`${first.recordType.name} ${chart}`) : undefined),
    left: () => pauseAt - run.calls,
    // Who keeps nothing of a chart and is shown nothing need not read the rest behind the first record, and nobody learns how many there are.
    mayEnter: async (record) => {
      const of = meant.get(record.type);
      if (of && run.needsConsidering(record)) await run.consider([record]);
      const may = of && run.mayEnter(of.recordType, record);
      // The chart of another patient may show records of one's own: of both. These do not depend on what else is there.
      return may || run.context.asking.caller.organization !== undefined ? may : undefined;
    },
    onLinked: (linked) => {
      const patients = linked.map(({ patient }) => patient);
      meant = new Map(
        [...meant].map(([name, each]) => [name, { ...each, conditions: meaningAll(each.conditions, patients) }]),
      );
    },
  });
  const joined = sought.some(({ conditions }) => beside(conditions).length > 0);
  if (!joined) {
    for await (const { record, position } of read) {
      if (record && run.needsConsidering(record)) await run.consider([record]);
      yield { record: record && meets(run, meant, record) ? noted(run, record) : undefined, position };
    }
    return;
  }
  let batch: Candidate[] = [];
  let promising = 0;
  for await (const { record, position } of read) {
    if (record && run.needsConsidering(record)) await run.consider([record]);
    const meeting = record && meets(run, meant, record, looksNowhereElse) ? record : undefined;
    batch.push({ record: meeting, position });
    if (meeting) promising++;
    if (promising < batchSize && batch.length < largestBatch && run.calls < pauseAt) continue;
    yield* await judged(run, meant, batch);
    batch = [];
    promising = 0;
  }
  yield* await judged(run, meant, batch);
}

type SoughtByType = ReadonlyMap<string, Sought>;

/** Whether a record is one of those that are sought: of a chart, other types come along. */
const meets = (
  run: Run,
  meant: SoughtByType,
  record: StoredRecord,
  which: (condition: Condition) => boolean = () => true,
): boolean => {
  const sought = meant.get(record.type);
  if (!sought || !run.mayFind(sought.recordType, record)) return false;
  const { resource } = run.context.view.of(record);
  const facts = run.factsOf({ id: record.id, lastUpdated: record.updated });
  return resource !== undefined && matches(sought.conditions.filter(which), resource, facts);
};

const looksNowhereElse = (condition: Condition): boolean => beside([condition]).length === 0;

/** Follows the references of candidates that meet what they tell themselves. */
const judged = async (run: Run, meant: SoughtByType, promising: readonly Candidate[]): Promise<Candidate[]> => {
  const byType = Map.groupBy(
    promising.flatMap(({ record }) => record ?? []),
    ({ type }) => type,
  );
  for (const [type, records] of byType) {
    const sought = meant.get(type);
    if (sought) await run.lookUp(sought.recordType, records.flatMap(run.heldOf), sought.conditions);
  }
  return promising.map(({ record, position }, index) => ({
    record: record && meets(run, meant, record) ? noted(run, record) : undefined,
    position,
    othersFollow: index < promising.length - 1,
  }));
};

const noted = ({ notes }: Run, record: StoredRecord): StoredRecord => {
  notes?.matched(record);
  return record;
};
