import type { Role } from '../../access/caller.ts';
import { RecordError } from '../../errors.ts';
import { parseReference } from '../../fhir/references.ts';
import { isReplaced, linked, unlinked } from '../../people/links.ts';
import { planLink, planUnlink } from '../../store/chart-links.ts';
import { answerTo } from '../answers.ts';
import type { Answer, Interaction, RequestContext } from '../context.ts';
import { lookAgain } from '../look-again.ts';
import { readInput } from '../operation-input.ts';
import { type PlannedWrite, planUpdate } from '../plan-write.ts';
import { type ReadableRecord, recordToChange } from '../record-to-change.ts';
import { requireTypeAccess } from '../require-access.ts';
import { save } from '../save.ts';
import { mergeInput } from './input.ts';

/** Who decides that two records are one person's: who treats the person, and who registers people. */
const mergers: ReadonlySet<Role> = new Set(['physician', 'nurse', 'frontdesk', 'system']);

/**
 * `Patient/{id}/$merge`: another record of the organisation is this person's, too. Its records keep their ids and their home; searches in one chart find those of both, and the other Patient says which one stands
 * for it. Nothing is copied, so it can be undone.
 *
 * @throws RecordError `forbidden`; `not-found`; `business-rule` if one of them is replaced already, for more than eight charts, or of another organisation.
 * @see https://hl7.org/fhir/R4/patient.html#links
 */
export const merge: Interaction = async (context, { id }) =>
  lookAgain(async () => {
    const [kept, gone] = await planMerge(context, id);
    await save(context, [kept, gone]);
    return answerTo(context, kept);
  });

/** Plans what `$merge` writes: the patient who stands for both, and the other one. */
export const planMerge = async (
  context: RequestContext,
  id: string,
): Promise<readonly [kept: PlannedWrite, gone: PlannedWrite]> => {
  const { target, source } = await bothOf(context, id, '$merge');
  if (isReplaced(target.resource) || isReplaced(source.resource))
    throw new RecordError('business-rule', 'One of the two is replaced by another record; merge that one', {
      reason: 'merged-already',
      expression: 'source',
    });
  const guards = await planLink(context.store, target, source);
  const kept = await update(context, target, linked(target.resource, 'replaces', source.id));
  const gone = await update(context, source, linked(source.resource, 'replaced-by', target.id));
  return [{ ...kept, guards }, gone];
};

/**
 * `Patient/{id}/$unmerge`: the other record is another person's after all. Each has the records that it had, and those that came later by the patient whom they name.
 *
 * @throws RecordError as `merge`; `business-rule` if the two are not merged.
 */
export const unmerge: Interaction = async (context, { id }) => {
  let takeDownSigns = async (): Promise<void> => {};
  const answer = await lookAgain(async (): Promise<Answer> => {
    const { target, source } = await bothOf(context, id, '$unmerge');
    const [one, other] = [target, source].map(({ chart, id: patient }) => ({ chart, patient })) as [End, End];
    const unlinking = await planUnlink(context.store, one, other);
    if (unlinking.changes.length === 0)
      throw new RecordError('business-rule', 'These two are not merged', {
        reason: 'not-merged',
        expression: 'source',
      });
    const { baseUrl } = context.request;
    const kept = await update(context, target, unlinked(target.resource, source.id, baseUrl));
    const again = await update(context, source, unlinked(source.resource, target.id, baseUrl));
    await save(context, [{ ...kept, guards: unlinking.changes }, again]);
    takeDownSigns = unlinking.takeDownSigns;
    return answerTo(context, kept);
  });
  await takeDownSigns();
  return answer;
};

interface End {
  readonly chart: string;
  readonly patient: string;
}

/** What is kept of a merge stands aside for what makes one. */
const update = async (context: RequestContext, current: ReadableRecord, resource: ReadableRecord['resource']) => {
  const { keeps: _byServer, ...recordType } = context.recordType;
  const plan = await planUpdate({ ...context, recordType }, { resource, warnings: [] }, current);
  return { ...plan, recordType: context.recordType };
};

const bothOf = async (
  context: RequestContext,
  id: string,
  operation: '$merge' | '$unmerge',
): Promise<{ target: ReadableRecord; source: ReadableRecord }> => {
  requireTypeAccess(context, 'u');
  if (!context.asking.caller.roles.some((role) => mergers.has(role)))
    throw new RecordError('forbidden', 'This is for who treats patients or registers them', {
      reason: 'forbidden-role',
    });
  const { source } = readInput(context, mergeInput);
  const named = parseReference(source.reference ?? '', context.request.baseUrl);
  if (named.kind !== 'record' || named.type !== 'Patient')
    throw new RecordError('invalid', 'The source is a Patient of this server', { expression: 'source' });
  if (named.id === id)
    throw new RecordError('invalid', 'A patient is not merged with itself', { expression: 'source' });
  const target = await recordToChange(context, id, operation);
  // A version that is asked for is the target's.
  const request = { ...context.request, ifMatch: undefined };
  return { target, source: await recordToChange({ ...context, request }, named.id, operation) };
};
