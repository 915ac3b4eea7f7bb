import { denialOf, withholdingGrounds, withholdingSystem } from '../access/withholding.ts';
import { RecordError } from '../errors.ts';
import { parseReference } from '../fhir/references.ts';
import { isDirectory } from '../record-types/subjects.ts';
import type { ExistenceCheck } from '../store/commit.ts';
import type { KeptAnswer } from '../store/request-keys.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { Withholding, WithholdingReason } from '../store/seal.ts';
import { ofVersion } from './answers.ts';
import type { Answer, Interaction, PlannedInteraction, RequestContext } from './context.ts';
import { locate } from './locate.ts';
import { lookAt } from './look-at.ts';
import { changeLabels } from './meta.ts';
import { readInput } from './operation-input.ts';
import { planLabels, referenceError } from './plan-write.ts';
import { type ReadableRecord, recordToChange } from './record-to-change.ts';
import { mayAccess, notFound, requireReadable, requireTypeAccess } from './require-access.ts';
import { withholdInput } from './withholding-input.ts';

/** Who determines it says why in some words. */
const fewestLetters = 10;

const isGround = (code: string): code is WithholdingReason => Object.hasOwn(withholdingGrounds, code);

/**
 * `{type}/{id}/$withhold`: a physician of the organisation that keeps a record determines that its patient is not to see it for now. It is a
 * determination about one record, with its ground and who reviews it. https://www.law.cornell.edu/cfr/text/45/164.524
 */
const planWithheld: PlannedInteraction = async (context, { id }) => {
  requirePhysician(context);
  const { ground, reason, reviewer } = readInput(context, withholdInput);
  if (!isGround(ground)) {
    const known = Object.keys(withholdingGrounds).join(', ');
    throw new RecordError('invalid', `The ground is a code of ${withholdingSystem}: ${known}`, {
      expression: 'ground',
    });
  }
  if (reason.trim().length < fewestLetters)
    throw new RecordError('invalid', 'Say why, in ten letters at least', { expression: 'reason' });
  const current = await recordToChange(context, id, '$withhold');
  if (current.place === '' || isAlwaysShown(context)) {
    throw new RecordError('business-rule', 'This is no record of care in the chart of a patient', {
      reason: 'not-withholdable',
    });
  }
  const { review, checks } = await reviewed(context, reviewer);
  const withheld = { by: context.asking.caller.fhirUser, at: context.now, reason: ground, text: reason, review };
  return planned(context, current, withheld, checks);
};

/** `{type}/{id}/$release`: the patient may see a record again, in all its versions. What is not withheld stays as it is. */
const planReleased: PlannedInteraction = async (context, { id }) => {
  requirePhysician(context);
  readInput(context, {});
  const current = await recordToChange(context, id, '$release');
  return current.withheld
    ? planned(context, current, undefined, [])
    : { plans: [], answer: answerOf(current, undefined) };
};

/** The operations by name. */
export const withholding: Readonly<Record<'$withhold' | '$release', Interaction>> = {
  $withhold: changeLabels(planWithheld),
  $release: changeLabels(planReleased),
};

/**
 * The answer of either that is sent again: whether the record is withheld by now, of the version that it made or found then, to who may still determine it.
 *
 * @throws RecordError `forbidden`, `not-found`.
 */
export const withheldAgain = async (context: RequestContext, id: string, { headers }: KeptAnswer): Promise<Answer> => {
  requirePhysician(context);
  const { name } = context.recordType;
  const address = await locate(context, name, id);
  const version = Number(/^W\/"(\d+)"$/.exec(headers?.['ETag'] ?? '')?.[1]);
  if (!address) throw notFound(context);
  const may = (last: StoredRecord) => mayAccess(context, 'u', last);
  const what = [`${name}/${id}/_history/${version}`];
  const look = { interaction: 'vread', what, version, may } as const;
  const found = await lookAt(context, address, look, (record) => requireReadable(context, record));
  return answerOf(requireReadable(context, found), found?.withheld);
};

/** @throws RecordError `forbidden` for who is no physician, or may not change records of the type. */
const requirePhysician = (context: RequestContext): void => {
  requireTypeAccess(context, 'u');
  if (context.asking.caller.roles.includes('physician')) return;
  throw new RecordError('forbidden', 'A physician determines what is withheld from a patient', {
    reason: 'forbidden-role',
  });
};

/** Who the patient is, and what the patient has determined, is never withheld: nothing of a chart could be seen without it. */
const isAlwaysShown = ({ recordType: { subject } }: RequestContext): boolean =>
  subject === 'demographics' || subject === 'consent';

/**
 * Whom the patient asks: somebody of the directory, or words.
 *
 * @throws RecordError `invalid` for a reference to nobody; `business-rule` for the one who determines it.
 */
const reviewed = async (
  context: RequestContext,
  { reference, display }: fhir4.Reference,
): Promise<{ review: string; checks: ExistenceCheck[] }> => {
  const { asking, request } = context;
  if (reference === undefined) {
    if (!display?.trim()) throw new RecordError('invalid', 'Say who reviews it', { expression: 'reviewer' });
    return { review: display.trim(), checks: [] };
  }
  const named = parseReference(reference, request.baseUrl);
  const address =
    named.kind === 'record' && isDirectory(named.type) ? await locate(context, named.type, named.id) : undefined;
  if (named.kind !== 'record' || !address) throw referenceError([{ expression: 'reviewer' }]);
  const review = `${named.type}/${named.id}`;
  if (review === asking.caller.fhirUser) {
    throw new RecordError('business-rule', 'Who determines it does not review it', {
      reason: 'reviewer-determined',
      expression: 'reviewer',
    });
  }
  return { review, checks: [{ address, custodian: undefined, label: 'reviewer' }] };
};

/** The next version, with nothing else changed. */
const planned = async (
  context: RequestContext,
  current: ReadableRecord,
  withheld: Withholding | undefined,
  checks: readonly ExistenceCheck[],
): ReturnType<PlannedInteraction> => {
  const plan = await planLabels(context, current, current.resource);
  const next = { ...plan.next, withheld };
  return { plans: [{ ...plan, interaction: 'privilege', checks, next }], answer: answerOf(next, withheld) };
};

/** Whether it is withheld, and then the denial, to be given to the patient in writing. */
const answerOf = (record: StoredRecord, withheld: Withholding | undefined): Answer => ({
  statusCode: 200,
  resource: {
    resourceType: 'Parameters',
    parameter: [
      { name: 'withheld', valueBoolean: withheld !== undefined },
      ...(withheld ? [{ name: 'denial', valueString: denialOf(withheld) }] : []),
    ],
  },
  ...ofVersion(record),
});
