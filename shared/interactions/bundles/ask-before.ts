import { RecordError } from '../../errors.ts';
import type { Answer } from '../context.ts';
import { answerEntry } from './answer-entry.ts';
import { AnswerRoom } from './answer-room.ts';
import { eachEntry } from './each-entry.ts';
import type { BundleContext, Entry } from './entry.ts';
import { phaseOf, type RoutedEntry, readingPhase } from './route-entry.ts';

/**
 * Carries out what a transaction asks before it writes. What would be refused afterwards would stand beside what is written, and of a transaction
 * every entry succeeds or none. https://hl7.org/fhir/R4/http.html#trules
 *
 * @param asking - entries that do not write.
 * @param writing - those that do. What they write themselves is not read here: it may not be there yet.
 * @returns the answers that hold, by the index of their entry: of operations by POST, which come before what reads; and of all, if nothing is
 *   written.
 * @throws RecordError naming the entry that is refused.
 */
export const askBefore = async (
  context: BundleContext,
  asking: readonly RoutedEntry[],
  writing: readonly Entry[],
): Promise<Map<number, Answer>> => {
  const written = new Map(writing.flatMap((entry) => (entry.path[1] === undefined ? [] : [[named(entry), entry]])));
  const answers = new Map<number, Answer>();
  const room = new AnswerRoom();
  const entries = asking.filter((entry) => {
    const writer = written.get(named(entry));
    return writer === undefined || (writer.method === 'DELETE' && entry.interaction === 'read');
  });
  await eachEntry(entries, async (entry) => {
    const deletion = written.get(named(entry));
    if (deletion) {
      throw new RecordError('deleted', `Entry ${deletion.index} deletes what entry ${entry.index} reads`, {
        expression: `Bundle.entry[${entry.index}].request.url`,
      });
    }
    room.require(entry);
    const answer = await entry.carryOut(context);
    room.keep(answerEntry(entry, answer), entry.index);
    if (writing.length === 0 || phaseOf(entry) < readingPhase) answers.set(entry.index, answer);
  });
  return answers;
};

/** `Type/id` of the record that a URL names. */
const named = ({ path: [type, id] }: RoutedEntry | Entry): string => `${type}/${id}`;
