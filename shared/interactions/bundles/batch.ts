import { refusal } from '../../fhir/operation-outcome.ts';
import { log } from '../../log.ts';
import { inParallel } from '../../store/in-parallel.ts';
import { conditionOf } from '../conditional-match.ts';
import { entriesOf } from '../searchset.ts';
import { answerEntry } from './answer-entry.ts';
import { AnswerRoom } from './answer-room.ts';
import { sameUrls } from './distinct-urls.ts';
import type { BundleContext } from './entry.ts';
import { inEntry } from './in-entry.ts';
import { phaseOf, type RoutedEntry, readingPhase, routeEntry, writes } from './route-entry.ts';
import { withinAnswer } from './within-answer.ts';

/** Entries at work at the same time; each is a request of its own. */
const concurrency = 8;

/**
 * FHIR batch: every entry on its own, answered one by one, in the order in which a transaction would carry them out.
 * https://hl7.org/fhir/R4/http.html#brules
 */
export const batch = async (
  context: BundleContext,
  given: readonly unknown[],
  requestId: string,
): Promise<fhir4.Bundle> => {
  const answers: fhir4.BundleEntry[] = [];
  const room = new AnswerRoom();
  const refused = (error: unknown, index: number): fhir4.BundleEntry => {
    context.onRefusal(error, given[index]);
    const { statusCode, outcome } = refusal(inEntry(error, index), requestId);
    if (statusCode === 500) log.fault('batch entry failed', error, { requestId });
    return { response: { status: String(statusCode), outcome } };
  };
  const understood = given.flatMap((entry, index) => {
    try {
      return [routeEntry(context, entry, index)];
    } catch (error) {
      answers[index] = refused(error, index);
      return [];
    }
  });
  const same = sameUrls(understood);
  for (const [index, error] of same) answers[index] = refused(error, index);
  for (let phase = 0; phase <= readingPhase; phase++) {
    const entries = understood.filter((entry) => !same.has(entry.index) && phaseOf(entry) === phase);
    await inParallel(concurrency, byRecord(entries), async (turns) => {
      for (const entry of turns) {
        const { index } = entry;
        try {
          room.require(entry);
          answers[index] = room.keep(answerEntry(entry, await entry.carryOut(context)), index);
        } catch (error) {
          answers[index] = refused(error, index);
        }
      }
    });
  }
  return { resourceType: 'Bundle', type: 'batch-response', ...entriesOf(withinAnswer(answers, requestId)) };
};

/** Entries that change the same record, or whatever meets the same condition, take turns: at once they would stand in each other's way. */
const byRecord = (entries: readonly RoutedEntry[]): RoutedEntry[][] => {
  const turns = new Map<string, RoutedEntry[]>();
  for (const entry of entries) {
    const name = (writes(entry) ? writtenBy(entry) : undefined) ?? `${entry.index}`;
    const others = turns.get(name);
    if (others) others.push(entry);
    else turns.set(name, [entry]);
  }
  return [...turns.values()];
};

/** What an entry writes, as far as it says so: a record, or what meets a condition; undefined for a new one. */
const writtenBy = ({ method, path: [type, id], request }: RoutedEntry): string | undefined => {
  if (id !== undefined) return `${type}/${id}`;
  if (method !== 'POST') return `${type}?${conditionOf(request)}`;
  const { ifNoneExist } = request;
  if (ifNoneExist === undefined) return undefined;
  return `${type}?${new URLSearchParams(ifNoneExist).toString()}`;
};
