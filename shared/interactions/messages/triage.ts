import { administrative, clearedUrl } from '../../access/support.ts';
import { RecordError } from '../../errors.ts';
import type { Resource } from '../../fhir/resource.ts';
import { withExtensions } from '../../work/message-marks.ts';
import { isPooled } from '../../work/pools.ts';
import { triageExtension, triageUrl } from '../../work/triage.ts';
import { answerTo } from '../answers.ts';
import type { Answer, Interaction, RequestContext } from '../context.ts';
import { readInput } from '../operation-input.ts';
import { recordToChange } from '../record-to-change.ts';
import { requireTypeAccess } from '../require-access.ts';
import { save } from '../save.ts';
import { requireAlone } from '../uploading/alone.ts';
import { triageInput } from './input.ts';
import { planMarked } from './plan-marked.ts';

/** Who may tell that words of a patient are not clinical. */
const clinicians: readonly string[] = ['nurse', 'physician'];

/**
 * `POST Communication/{id}/$triage`: gives a message that somebody has looked through to another pool, whose task it is from then on, and says whether it is administrative, so that support staff may see it. One read, one transaction.
 *
 * @throws RecordError `not-found`; `forbidden` to all but staff, and to who is neither nurse nor physician for what is administrative; `invalid` without either, or for a role that forms no pool; `business-rule` (`not-sent`) for
 *   what is not completed; `version-conflict`, `conflict`.
 */
export const triage: Interaction = async (context, { id }): Promise<Answer> => {
  requireAlone(context);
  requireTypeAccess(context, 'u');
  const { pool, administrative: isAdministrative } = readInput(context, triageInput);
  requireStaff(context, isAdministrative);
  if (pool === undefined && isAdministrative === undefined)
    throw new RecordError('invalid', 'Say to which pool it is given, or whether it is administrative', {
      expression: 'pool',
    });
  if (pool !== undefined && !isPooled(pool))
    throw new RecordError('invalid', 'A pool is a role of staff', { expression: 'pool' });
  const current = await recordToChange(context, id, '$triage');
  const message = current.resource as unknown as fhir4.Communication;
  if (message.status !== 'completed')
    throw new RecordError('business-rule', 'A message that was not sent, or was withdrawn, is not triaged', {
      reason: 'not-sent',
      expression: 'Communication.status',
    });
  const by = context.asking.caller.fhirUser;
  const others = (message.extension ?? []).filter(
    ({ url }) => url !== triageUrl && (isAdministrative === undefined || url !== clearedUrl),
  );
  const marked = withExtensions(current.resource, [
    ...others,
    triageExtension({ by, at: context.now, pool }),
    ...(isAdministrative ? [{ url: clearedUrl, valueBoolean: true }] : []),
  ]);
  const next = isAdministrative ? ({ ...marked, category: [{ coding: [administrative] }] } as Resource) : marked;
  const plan = await planMarked(context, current, next);
  await save(context, [plan]);
  return answerTo(context, plan);
};

const requireStaff = ({ asking }: RequestContext, isAdministrative: boolean | undefined): void => {
  const { organization, roles } = asking.caller;
  if (organization === undefined)
    throw new RecordError('forbidden', 'Staff triage messages', { reason: 'forbidden-role' });
  if (isAdministrative !== undefined && !roles.some((role) => clinicians.includes(role)))
    throw new RecordError('forbidden', 'A nurse or a physician says whether words are administrative', {
      reason: 'forbidden-role',
      expression: 'administrative',
    });
};
