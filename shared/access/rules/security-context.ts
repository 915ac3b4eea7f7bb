import type { Question, Verdict } from '../question.ts';

/**
 * Whoever may not read the record whose rights this one is under may do nothing with this one.
 * https://hl7.org/fhir/R4/binary-definitions.html#Binary.securityContext
 *
 * @param decide - the whole decision, on that record.
 */
export const securityContext = (question: Question, decide: (question: Question) => Verdict): Verdict => {
  const { under, ...own } = question.record;
  if (under === undefined) return undefined;
  if (under === 'not-understood') return question.asking.caller.roles.includes('system') ? undefined : 'role';
  // What that record says is not known here, so neither a narrowed scope nor a Consent covers it. Whether it is hidden from a proxy is decided by its name.
  const asking = { ...question.asking, proxy: undefined };
  const verdict = decide({ ...question, asking, action: 'r', type: under, record: { ...own, resource: undefined } });
  return verdict === 'permit' ? undefined : verdict;
};
