import { RecordError } from '../../errors.ts';
import type { Answer, RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { mayAccess, requireTypeAccess } from '../require-access.ts';
import { answerEntry } from './answer-entry.ts';
import { AnswerRoom } from './answer-room.ts';
import { eachEntry } from './each-entry.ts';
import { type BundleContext, contextOf, type Entry } from './entry.ts';
import { phaseOf, type RoutedEntry, readingPhase } from './route-entry.ts';

/**
 * Carries out what a transaction asks before it writes. What would be refused afterwards would stand beside what is written, and of a transaction
 * every entry succeeds or none. https://hl7.org/fhir/R4/http.html#trules
 *
 * @param asking - entries that do not write.
 * @param writing - those that do. What they write themselves is not read here: it may not be there yet. So far as it can be told beforehand, it is seen
 *   to that it may be read then, and that the version is there which is asked for.
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
  await eachEntry(asking, async (entry) => {
    const writer = written.get(named(entry));
    if (writer) return requireForeseeable(context, entry, writer);
    room.require(entry);
    const answer = await entry.carryOut(context);
    room.keep(answerEntry(entry, answer), entry.index);
    if (writing.length === 0 || phaseOf(entry) < readingPhase) answers.set(entry.index, answer);
  });
  return answers;
};

/** Reads of one record, all of which take the same right. */
const reading: ReadonlySet<string> = new Set(['read', 'vread', 'history-instance']);

/**
 * Refuses what is bound to be refused behind the commit.
 *
 * @param entry - asks for the record that `writer` writes.
 */
const requireForeseeable = async (context: BundleContext, entry: RoutedEntry, writer: Entry): Promise<void> => {
  const { interaction } = entry;
  if (!reading.has(interaction)) return;
  if (interaction === 'read' && writer.method === 'DELETE') {
    throw new RecordError('deleted', `Entry ${writer.index} deletes what entry ${entry.index} reads`, {
      expression: `Bundle.entry[${entry.index}].request.url`,
    });
  }
  const { recordType } = writer;
  const own = contextOf(context, { ...entry, recordType });
  requireTypeAccess(own, 'r');
  if (interaction !== 'vread') return;
  context.budget.begin();
  if (!(await isToBe(own, entry, writer))) await entry.carryOut(context);
};

/** Whether a version is the one that is about to be written; of a record that the caller may not see none is. */
const isToBe = async (own: RequestContext, { path }: RoutedEntry, writer: Entry): Promise<boolean> => {
  if (writer.method === 'DELETE') return false;
  const [, id = '', , version] = path;
  const address = await locate(own, writer.recordType.name, id);
  const current = address && (await own.sharing.read(address));
  if (current && !mayAccess(own, 'r', current)) return false;
  return version === String((current?.version ?? 0) + 1);
};

/** `Type/id` of the record that a URL names. */
const named = ({ path: [type, id] }: RoutedEntry | Entry): string => `${type}/${id}`;
