import { refusal } from '../../fhir/operation-outcome.ts';
import { log } from '../../log.ts';
import { inParallel } from '../../store/in-parallel.ts';
import { interact } from '../once.ts';
import { searchSystem } from '../search/system.ts';
import { entriesOf } from '../searchset.ts';
import { answerEntry } from './answer-entry.ts';
import { type BundleContext, parseEntry, parseEntryRequest } from './entry.ts';
import { inEntry } from './in-entry.ts';
import { withinAnswer } from './within-answer.ts';

/** Entries at work at the same time; each is a request of its own. */
const concurrency = 8;

/** FHIR batch: every entry on its own, answered one by one. https://hl7.org/fhir/R4/http.html#brules */
export const batch = async (
  context: BundleContext,
  entries: readonly unknown[],
  requestId: string,
): Promise<fhir4.Bundle> => {
  const answers = await inParallel(concurrency, entries, async (given, index): Promise<fhir4.BundleEntry> => {
    try {
      const asked = parseEntryRequest(context, given, index);
      if (asked.path.length === 0 && asked.method === 'GET') {
        return answerEntry(asked, await searchSystem({ ...context, request: asked.request }));
      }
      const entry = await parseEntry(context, given, index);
      const { route, target } = context.routeFor(entry.recordType, entry.request.method, entry.path.slice(1));
      const answer = await interact(
        { ...context, recordType: entry.recordType, request: entry.request },
        route,
        target,
      );
      return answerEntry(entry, answer);
    } catch (error) {
      const { statusCode, outcome } = refusal(inEntry(error, index), requestId);
      if (statusCode === 500) log.fault('batch entry failed', error, { requestId });
      return { response: { status: String(statusCode), outcome } };
    }
  });
  return { resourceType: 'Bundle', type: 'batch-response', ...entriesOf(withinAnswer(answers, requestId)) };
};
