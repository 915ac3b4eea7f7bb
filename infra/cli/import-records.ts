import type { Answer, Poster } from './fhir-poster.ts';
import { type PlannedEntry, type Posting, typeOf, type Unpostable } from './import-plan.ts';

/** What became of one entry. */
export interface Result {
  readonly place: string;
  readonly type: string;
  /** Why it was refused; undefined if it was accepted. */
  readonly reason: string | undefined;
}

interface Refusal {
  readonly reason: string;
  /** Whether it may be accepted later, once other records are there. */
  readonly waits: boolean;
}

/** Requests under way at once: while the server works on one, the next is read and sent. */
const atOnce = 2;

/**
 * Posts everything, then again what waited on a record that was not there yet, as long as that helps.
 *
 * @param report - called with what is decided, as it is decided.
 */
export const importRecords = async (
  planned: AsyncIterable<Posting | Unpostable>,
  post: Poster,
  report: (results: readonly Result[]) => void,
): Promise<void> => {
  let round: AsyncIterable<Posting | Unpostable> | Iterable<Posting> = planned;
  for (;;) {
    const waiting = await importRound(round, post, report);
    if (waiting.length === 0) return;
    const postponed = waiting.map(({ posting }) => posting);
    // The second and later rounds end when none of those who waited gets any further.
    if (round !== planned && size(postponed) === size(round as Posting[])) {
      for (const { posting, reasons } of waiting) report(refusedBy(posting.entries, (index) => reasons[index] ?? ''));
      return;
    }
    round = postponed;
  }
};

interface Waiting {
  readonly posting: Posting;
  /** Why each of its entries was refused. */
  readonly reasons: readonly string[];
}

const size = (postponed: readonly Posting[]) => postponed.reduce((sum, { entries }) => sum + entries.length, 0);

const importRound = async (
  round: AsyncIterable<Posting | Unpostable> | Iterable<Posting>,
  post: Poster,
  report: (results: readonly Result[]) => void,
): Promise<Waiting[]> => {
  const waiting: Waiting[] = [];
  const running = new Set<Promise<void>>();
  let kind: Posting['type'] | undefined;
  for await (const posting of round) {
    if ('reason' in posting) {
      report([{ place: posting.place, type: 'unreadable', reason: posting.reason }]);
      continue;
    }
    // Transactions refer to what the batches hold, so all of these come first.
    if (posting.type !== kind || posting.type === 'batch') await Promise.all(running);
    kind = posting.type;
    if (running.size >= atOnce) await Promise.race(running);
    const one: Promise<void> = importOne(posting, post, report)
      .then((left) => {
        if (left) waiting.push(left);
      })
      .finally(() => running.delete(one));
    running.add(one);
  }
  await Promise.all(running);
  return waiting;
};

const importOne = async (
  posting: Posting,
  post: Poster,
  report: (results: readonly Result[]) => void,
): Promise<Waiting | undefined> => {
  const { type, entries } = posting;
  const answer = await post({ resourceType: 'Bundle', type, entry: entries.map(({ entry }) => entry) });
  const refusals = type === 'transaction' ? ofTransaction(answer, entries.length) : ofBatch(answer, entries.length);
  const decided = entries.flatMap((planned, index): Result[] =>
    refusals[index]?.waits ? [] : [resultOf(planned, refusals[index]?.reason)],
  );
  report(decided);
  const left = entries.flatMap((planned, index) => {
    const refusal = refusals[index];
    return refusal?.waits ? [{ planned, reason: refusal.reason }] : [];
  });
  if (left.length === 0) return undefined;
  return { posting: { type, entries: left.map(({ planned }) => planned) }, reasons: left.map(({ reason }) => reason) };
};

const resultOf = ({ place, entry }: PlannedEntry, reason: string | undefined): Result => ({
  place,
  type: typeOf(entry),
  reason,
});

const refusedBy = (entries: readonly PlannedEntry[], reason: (index: number) => string): Result[] =>
  entries.map((planned, index) => resultOf(planned, reason(index)));

/** A transaction is accepted or refused as a whole. */
const ofTransaction = ({ status, body }: Answer, entries: number): (Refusal | undefined)[] =>
  Array.from({ length: entries }, () => (status < 300 ? undefined : refusalFrom(String(status), body)));

/** A batch says of each entry what became of it. https://hl7.org/fhir/R4/http.html#transaction-response */
const ofBatch = ({ status, body }: Answer, entries: number): (Refusal | undefined)[] => {
  if (status >= 300) return Array.from({ length: entries }, () => refusalFrom(String(status), body));
  const answered = (body as fhir4.Bundle | undefined)?.entry ?? [];
  return Array.from({ length: entries }, (_, index) => {
    const response = answered[index]?.response;
    if (!response) return { reason: 'the server did not answer for this entry', waits: false };
    if (response.status.startsWith('2')) return undefined;
    const refusal = refusalFrom(response.status, response.outcome);
    // The report names the entry by its file; its number in the request would only make equal reasons look different.
    return { ...refusal, reason: refusal.reason.replaceAll(/\bBundle\.entry\[\d+\]\.?|\bEntry \d+: /g, '') };
  });
};

/** Codes of refusals that another record, or a little time, may put right. */
const passing = new Set(['reference-not-found', 'concurrent-change']);
const passingStatus = new Set(['409', '429', '503']);

/** Issues that are told of one refusal: the rest is mostly more of the same. */
const toldIssues = 3;

const refusalFrom = (status: string, outcome: unknown): Refusal => {
  const number = status.slice(0, 3);
  const issues = (outcome as fhir4.OperationOutcome | undefined)?.issue ?? [];
  const errors = issues.filter(({ severity }) => severity === 'error' || severity === 'fatal');
  const told = errors.slice(0, toldIssues).map(({ expression, details, diagnostics }) => {
    const text = details?.text ?? diagnostics ?? 'no reason given';
    return expression?.[0] === undefined ? text : `${expression[0]}: ${text}`;
  });
  const more = errors.length > told.length ? ` (and ${errors.length - told.length} more)` : '';
  const codes = errors.flatMap(({ details }) => (details?.coding ?? []).map(({ code }) => code ?? ''));
  return {
    reason: `${number} ${told.join('; ') || 'without a reason'}${more}`,
    waits: passingStatus.has(number) || codes.some((code) => passing.has(code)),
  };
};
