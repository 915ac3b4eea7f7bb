import { refusal } from '../../fhir/operation-outcome.ts';
import { log } from '../../log.ts';
import { inParallel } from '../../store/in-parallel.ts';
import { entriesOf } from '../searchset.ts';
import { answerEntry } from './answer-entry.ts';
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
  const refused = (error: unknown, index: number): fhir4.BundleEntry => {
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
        answers[index] = await entry.carryOut(context).then(
          (answer) => answerEntry(entry, answer),
          (error: unknown) => refused(error, index),
        );
      }
    });
  }
  return { resourceType: 'Bundle', type: 'batch-response', ...entriesOf(withinAnswer(answers, requestId)) };
};

/** Entries that change the same record take turns: at once they would stand in each other's way. */
const byRecord = (entries: readonly RoutedEntry[]): RoutedEntry[][] => {
  const turns = new Map<string, RoutedEntry[]>();
  for (const entry of entries) {
    const [type, id] = entry.path;
    const name = writes(entry) && id !== undefined ? `${type}/${id}` : `${entry.index}`;
    const others = turns.get(name);
    if (others) others.push(entry);
    else turns.set(name, [entry]);
  }
  return [...turns.values()];
};
