import { RecordError } from '../errors.ts';
import type { Resource } from '../fhir/resource.ts';
import { recordNamed } from '../store/index-rows.ts';
import { isProxy } from './asking-for.ts';
import type { RequestContext } from './context.ts';

/** Search parameter that names who speaks, in the types that a patient may write. */
const speaker: Readonly<Record<string, string>> = {
  Communication: 'sender',
  Consent: 'consentor',
  QuestionnaireResponse: 'author',
  Task: 'requester',
};

/**
 * Requires that a patient writes in the own name: a message, a consent, an answer or a request names the patient as its author, and nobody
 * else. What staff wrote stays theirs, also in the patient's own chart. Staff are not concerned.
 *
 * Who acts for a patient writes no Consent: it would open to others what is hidden from its writer, and outlive the right.
 *
 * @throws RecordError `forbidden` naming the element.
 */
export const requireOwnWords = ({ asking, recordType }: RequestContext, resource: Resource): void => {
  if (asking.caller.organization !== undefined) return;
  if (recordType.name === 'Consent' && isProxy(asking.caller))
    throw new RecordError('forbidden', 'Who acts for a patient writes no Consent', { reason: 'consent-by-proxy' });
  const code = speaker[recordType.name] ?? '';
  const named = (recordType.parameter(code)?.values(resource) ?? []).map(({ value }) =>
    recordNamed((value as fhir4.Reference).reference ?? ''),
  );
  if (named.length > 0 && named.every((reference) => reference === asking.caller.fhirUser)) return;
  throw new RecordError('forbidden', 'You may write only in your own name', {
    reason: 'not-own-words',
    expression: `${recordType.name}.${code === 'consentor' ? 'performer' : code}`,
  });
};

/** Whether the patient, by the own token, does nothing but end what somebody has said in the patient's name. */
export const isWithdrawn = (
  { asking: { caller }, recordType }: Pick<RequestContext, 'asking' | 'recordType'>,
  before: Resource | undefined,
  next: Resource,
): boolean =>
  caller.patient !== undefined &&
  !isProxy(caller) &&
  before !== undefined &&
  (recordType.isWithdrawal?.(before, next) ?? false);
