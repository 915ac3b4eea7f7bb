import { RecordError } from '../../errors.ts';
import { answerTo } from '../answers.ts';
import type { Answer } from '../context.ts';
import { answerDeletions } from '../delete.ts';
import { lookAgain } from '../look-again.ts';
import type { Look } from '../patch.ts';
import type { NewPlace, PlannedWrite } from '../plan-write.ts';
import { save } from '../save.ts';
import { type BundleContext, contextOf, type Entry } from './entry.ts';
import { expressionIn, inEntry } from './in-entry.ts';
import { nameOf } from './match-conditions.ts';
import { type Planned, planAll } from './plan-entries.ts';

/**
 * Writes what entries ask for, all or nothing.
 *
 * @param looked - as `tracingRefusals` gives it.
 * @returns an answer for each, in their order.
 * @throws RecordError naming the entry that something stands against.
 */
export const writeAll = async (
  context: BundleContext,
  writes: readonly Entry[],
  looked: Look[],
): Promise<readonly Answer[]> => {
  // A later try gives new places, and rewrites the references that an earlier one made.
  const places = new Map<Entry, NewPlace>();
  return lookAgain(async () => {
    const planned = (await planAll(context, writes, places, looked)).map(labelled);
    const plans = planned.flatMap((each) => each.plans);
    requireOneWriteEach(planned);
    const answers = () => planned.map(({ entry, plans, answer }) => answer ?? answerWrite(context, entry, plans));
    try {
      if (plans.length > 0) await save(context, plans, answers);
    } catch (error) {
      throw located(error, planned);
    }
    return answers();
  });
};

const answerWrite = (bundle: BundleContext, entry: Entry, plans: readonly PlannedWrite[]): Answer => {
  const context = contextOf(bundle, entry);
  if (entry.method === 'DELETE') return answerDeletions(context, plans);
  const [plan] = plans;
  if (!plan) throw new Error('An entry was neither planned nor answered');
  return answerTo(context, plan);
};

const requireOneWriteEach = (planned: readonly Planned[]): void => {
  const seen = new Map<string, number>();
  for (const { entry, next } of planned.flatMap(({ entry, plans }) => plans.map(({ next }) => ({ entry, next })))) {
    const name = nameOf(next);
    const first = seen.get(name);
    if (first !== undefined) {
      throw new RecordError('invalid', `Entries ${first} and ${entry.index} write the same record`, {
        expression: `Bundle.entry[${entry.index}].request.url`,
      });
    }
    seen.set(name, entry.index);
  }
};

/** Entries of one type refer to others by the same elements; so what is to be told of a reference tells the entry, too. */
const labelled = ({ entry, plans, ...answered }: Planned): Planned => ({
  ...answered,
  entry,
  plans: plans.map(({ checks, ...plan }) => ({
    ...plan,
    checks: checks.map(({ label, ...check }) => ({
      ...check,
      label: expressionIn(`Bundle.entry[${entry.index}]`, label),
    })),
  })),
});

/** A reference that led nowhere at the commit, and what stands against one record (`owner`), such as time that others have, is named with its entry. */
const located = (error: unknown, planned: readonly Planned[]): unknown => {
  const { owner } = error as { owner?: string };
  if (owner !== undefined) {
    const entry = planned.find(({ plans }) => plans.some(({ next }) => nameOf(next) === owner))?.entry;
    return entry ? inEntry(error, entry.index) : error;
  }
  if (!(error instanceof RecordError) || error.reason !== 'reference-not-found') return error;
  return new RecordError(error.kind, error.message, {
    reason: error.reason,
    details: error.details.map((detail) => ({
      ...detail,
      message: `Entry ${/\d+/.exec(detail.expression ?? '')?.[0]}: ${detail.message}`,
    })),
  });
};
