import { RecordError } from '../../errors.ts';
import { refusal } from '../../fhir/operation-outcome.ts';
import { log } from '../../log.ts';
import { inParallel } from '../../store/in-parallel.ts';
import type { Answer } from '../context.ts';
import { changedLabelsAgain } from '../meta.ts';
import { carriedOutOnce, repeated } from '../once.ts';
import { tracingRefusals } from '../patch.ts';
import { entriesOf } from '../searchset.ts';
import { answerEntry } from './answer-entry.ts';
import { AnswerRoom } from './answer-room.ts';
import { askBefore } from './ask-before.ts';
import { writeAll } from './commit-entries.ts';
import { sameUrls } from './distinct-urls.ts';
import { concurrency } from './each-entry.ts';
import { type BundleContext, contextOf } from './entry.ts';
import { inEntry } from './in-entry.ts';
import { type RoutedEntry, routeEntry, writes } from './route-entry.ts';
import { withinAnswer } from './within-answer.ts';

/**
 * FHIR transaction: every entry or none. Entries may refer to each other in any order, by `fullUrl` and by conditional references.
 * https://hl7.org/fhir/R4/http.html#trules
 *
 * What entries ask is asked before anything is written: where one is refused, so is the transaction. What reads is carried out once more behind
 * the commit, so that it sees what was written; should others have made it fail in between, its own answer tells.
 *
 * @throws RecordError naming the entries that stand against it; nothing was written then.
 */
export const transaction = async (
  context: BundleContext,
  given: readonly unknown[],
  requestId: string,
): Promise<fhir4.Bundle> => {
  const entries = given.map((entry, index) => understood(context, entry, index));
  for (const error of sameUrls(entries).values()) throw error;
  const writing = entries.filter(writes);
  const asking = entries.filter((entry) => !writes(entry));
  const answers = new Map<number, Answer>();
  const results = await carriedOutOnce(context, {
    work: (own) =>
      tracingRefusals(own, async (looked) => {
        for (const [index, answer] of await askBefore(context, asking, writing)) answers.set(index, answer);
        return writeAll(own, writing, looked);
      }),
    answersOf: (result) => result,
    repeat: (kept) =>
      inParallel(concurrency, writing, async (entry, index) =>
        entry.plan
          ? changedLabelsAgain(contextOf(context, entry), entry.path[1] ?? '', kept[index])
          : repeated(contextOf(context, entry), kept[index], entry.request.prefer.return === 'representation'),
      ),
  });
  for (const [index, { index: at }] of writing.entries()) answers.set(at, results[index] ?? { statusCode: 200 });
  const room = new AnswerRoom();
  await inParallel(concurrency, asking, async (entry) => {
    if (!answers.has(entry.index)) answers.set(entry.index, await asked(context, entry, room, requestId));
  });
  return {
    resourceType: 'Bundle',
    type: 'transaction-response',
    ...entriesOf(
      withinAnswer(
        entries.map((entry) => answerEntry(entry, answers.get(entry.index) ?? { statusCode: 200 })),
        requestId,
      ),
    ),
  };
};

const understood = (context: BundleContext, given: unknown, index: number): RoutedEntry => {
  try {
    const entry = routeEntry(context, given, index);
    if (entry.writesAlone)
      throw new RecordError('invalid', 'Ask this by itself or in a batch, and not in a transaction', {
        reason: 'not-in-bundle',
        expression: `Bundle.entry[${index}].request.url`,
      });
    return entry;
  } catch (error) {
    throw inEntry(error, index);
  }
};

/** What is refused behind the commit is told in its own answer: the rest is written. */
const asked = async (
  context: BundleContext,
  entry: RoutedEntry,
  room: AnswerRoom,
  requestId: string,
): Promise<Answer> => {
  try {
    room.require(entry);
    const answer = await entry.carryOut(context);
    room.keep(answerEntry(entry, answer), entry.index);
    return answer;
  } catch (error) {
    const { statusCode, outcome } = refusal(inEntry(error, entry.index), requestId);
    if (statusCode === 500) log.fault('transaction entry failed', error, { requestId });
    return { statusCode, resource: outcome };
  }
};
