import { RecordError } from '../../errors.ts';
import { refusal } from '../../fhir/operation-outcome.ts';
import { log } from '../../log.ts';
import { inParallel } from '../../store/in-parallel.ts';
import type { Answer } from '../context.ts';
import { carriedOutOnce, repeated } from '../once.ts';
import { tracingRefusals } from '../patch.ts';
import { entriesOf } from '../searchset.ts';
import { answerEntry } from './answer-entry.ts';
import { writeAll } from './commit-entries.ts';
import { concurrency } from './each-entry.ts';
import { type BundleContext, contextOf, type Entry, parseEntry } from './entry.ts';
import { inEntry } from './in-entry.ts';
import { withinAnswer } from './within-answer.ts';

/**
 * FHIR transaction: every entry or none. Entries may refer to each other in any order, by `fullUrl` and by conditional references.
 * https://hl7.org/fhir/R4/http.html#trules
 *
 * Entries that read come after the commit: one that finds nothing says so in its own answer.
 *
 * @throws RecordError naming the entries that stand against it; nothing was written then.
 */
export const transaction = async (
  context: BundleContext,
  given: readonly unknown[],
  requestId: string,
): Promise<fhir4.Bundle> => {
  const entries = await Promise.all(given.map((entry, index) => understood(context, entry, index)));
  requireDistinct(entries);
  const writes = entries.filter(({ method }) => method !== 'GET' && method !== 'HEAD');
  const results = await carriedOutOnce(context, {
    work: (own) => tracingRefusals(own, (looked) => writeAll(own, writes, looked)),
    answersOf: (result) => result,
    repeat: (kept) =>
      inParallel(concurrency, writes, (entry, index) =>
        repeated(contextOf(context, entry), kept[index], entry.request.prefer.return === 'representation'),
      ),
  });
  const answers = new Map(writes.map((entry, index) => [entry.index, results[index] ?? { statusCode: 200 }]));
  for (const entry of entries.filter((candidate) => !writes.includes(candidate)))
    answers.set(entry.index, await read(context, entry, requestId));
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

/** An entry whose path is known to offer its method, before anything is written. */
const understood = async (context: BundleContext, given: unknown, index: number): Promise<Entry> => {
  try {
    const entry = await parseEntry(context, given, index);
    const { route } = context.routeFor(entry.recordType, entry.request.method, entry.path.slice(1));
    if (entry.method === 'POST' && route.name !== 'create') {
      throw new RecordError('invalid', 'A POST in a transaction creates', {
        expression: `Bundle.entry[${index}].request.url`,
      });
    }
    return entry;
  } catch (error) {
    throw inEntry(error, index);
  }
};

const read = async (bundle: BundleContext, entry: Entry, requestId: string): Promise<Answer> => {
  try {
    const { route, target } = bundle.routeFor(entry.recordType, entry.request.method, entry.path.slice(1));
    return await route.interaction(contextOf(bundle, entry), target);
  } catch (error) {
    const { statusCode, outcome } = refusal(inEntry(error, entry.index), requestId);
    if (statusCode === 500) log.fault('transaction entry failed', error, { requestId });
    return { statusCode, resource: outcome };
  }
};

/** https://hl7.org/fhir/R4/bundle.html#invs (bdl-7) */
const requireDistinct = (entries: readonly Entry[]): void => {
  const seen = new Map<string, number>();
  for (const { fullUrl, index } of entries) {
    if (fullUrl === undefined) continue;
    const first = seen.get(fullUrl);
    if (first !== undefined) {
      throw new RecordError('invalid', `Entries ${first} and ${index} have the same fullUrl`, {
        expression: `Bundle.entry[${index}].fullUrl`,
      });
    }
    seen.set(fullUrl, index);
  }
};
