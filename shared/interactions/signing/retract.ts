import { RecordError } from '../../errors.ts';
import type { Resource } from '../../fhir/resource.ts';
import {
  memberOf,
  retractionOf,
  signaturesOf,
  signatureUrl,
  withMarks,
  withoutMarks,
} from '../../signing/signature.ts';
import { answerTo } from '../answers.ts';
import type { PlannedInteraction } from '../context.ts';
import { readInput } from '../operation-input.ts';
import { planUpdate } from '../plan-write.ts';
import { recordToChange } from '../record-to-change.ts';
import { retractInput } from './input.ts';
import { requireSigner } from './signer.ts';

const shortestReason = 10;
const longestReason = 2_000;

/**
 * `{type}/{id}/$retract`: what was signed was in error, such as in the wrong chart. It says so from then on and stays as it is; the signed version stays in the history, and its hash holds there.
 *
 * @throws RecordError `forbidden`; `not-found`; `version-conflict`; `invalid`; `business-rule` for what was not signed.
 */
export const planRetracted: PlannedInteraction = async (context, { id }) => {
  const signer = requireSigner(context);
  const { reason } = readInput(context, retractInput);
  const because = reason.trim();
  if (because.length < shortestReason || because.length > longestReason)
    throw new RecordError('invalid', `The reason has ${shortestReason} to ${longestReason} letters`, {
      expression: 'reason',
    });
  const current = await recordToChange(context, id, '$retract');
  const [first] = signaturesOf(current.resource);
  if (!first)
    throw new RecordError('business-rule', 'This was not signed: mark it as entered in error', {
      reason: 'not-signed',
      expression: current.type,
    });
  const { requireChange: _byHand, keeps: _byServer, ...recordType } = context.recordType;
  const version = memberOf(first, 'version')?.valuePositiveInt ?? current.version;
  const resource = withMarks(inError(withoutMarks(current.resource, ({ url }) => url === signatureUrl)), [
    retractionOf(signer, context.now, because, version),
  ]);
  const plan = await planUpdate({ ...context, recordType }, { resource, warnings: [] }, current);
  const planned = { ...plan, recordType: context.recordType };
  return { plans: [planned], answer: answerTo(context, planned) };
};

const inError = (resource: Resource): Resource => ({
  ...resource,
  status: 'entered-in-error',
  ...(resource.resourceType === 'DocumentReference' ? { docStatus: 'entered-in-error' } : {}),
});
