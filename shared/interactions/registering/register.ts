import { RecordError } from '../../errors.ts';
import type { Resource } from '../../fhir/resource.ts';
import type { ValidationIssue } from '../../fhir/validation-issue.ts';
import { motherOf } from '../../people/mother.ts';
import { isNamed, temporarilyNamed } from '../../people/temporary-name.ts';
import { relatedPerson } from '../../record-types/related-person.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { answerTo } from '../answers.ts';
import type { Interaction, RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { lookAt } from '../look-at.ts';
import { readInput } from '../operation-input.ts';
import { parseBody } from '../parse-body.ts';
import { newPlace, type PlannedWrite, planCreate } from '../plan-write.ts';
import { named } from '../record-named.ts';
import { mayAccess, notFound, requireReadable, requireTypeAccess } from '../require-access.ts';
import { save } from '../save.ts';
import { possibleDuplicates, traceDuplicates } from './duplicates.ts';
import { registerInput } from './input.ts';

/**
 * `Patient/$register`: a new patient, unless it may be one who is there already. Who has no name gets one for the time being; a newborn is named after the
 * mother, who is told of in the newborn's chart in the same transaction. Nothing is written into the mother's.
 *
 * @throws RecordError `forbidden`; `not-found` for a mother whom the caller may not read; `conflict` with `possible-duplicate` if it is not confirmed that
 *   the patient is none of those who match; `invalid`.
 */
export const register: Interaction = async (context) => {
  requireTypeAccess(context, 'c');
  requireTypeAccess(context, 's');
  const { patient, confirmed = false, mother } = readInput(context, registerInput);
  const { resource: sent, warnings } = parseBody(context.recordType, patient);
  if (mother) requireTypeAccess({ ...context, recordType: relatedPerson }, 'c');
  const herRecord = mother && (await motherNamed(context, mother));
  const her = herRecord?.resource as unknown as fhir4.Patient | undefined;
  const told = sent as unknown as fhir4.Patient;
  const resource = isNamed(told) ? told : temporarilyNamed(told, context.now, her);
  const { duplicates, remarks } = await possibleDuplicates(context, resource);
  const said = duplicates.map(({ record, grade }) => `Patient/${record.id} may be this person: ${grade}`);
  await traceDuplicates(context, duplicates);
  if (said.length > 0 && !confirmed)
    throw new RecordError('conflict', 'This patient may be registered already', {
      reason: 'possible-duplicate',
      details: said.map((message) => ({ expression: 'patient', message, code: 'duplicate' })),
    });
  const place = await newPlace(context, resource as unknown as Resource);
  const plan = await planCreate(
    context,
    {
      resource: resource as unknown as Resource,
      warnings: [...[...said, ...remarks].map(warning), ...warnings],
    },
    place,
  );
  const plans = [plan, ...(herRecord ? [await planMother(context, plan, herRecord)] : [])];
  await save(context, plans);
  return answerTo(context, plan);
};

const warning = (message: string): ValidationIssue => ({
  severity: 'warning',
  code: 'value',
  expression: 'Patient',
  message,
});

/** The mother's record, if the caller may read it. The look at it leaves its trace. */
const motherNamed = async (context: RequestContext, mother: fhir4.Reference): Promise<StoredRecord> => {
  requireTypeAccess(context, 'r');
  const what = named(context, mother, 'mother', 'Patient');
  const address = await locate(context, 'Patient', what.slice('Patient/'.length));
  if (!address) throw notFound(context);
  const look = {
    interaction: 'operation',
    what: [what],
    query: 'Patient/$register',
    may: (last: StoredRecord) => mayAccess(context, 'r', last),
  } as const;
  const found = await lookAt(context, address, look, (record) => void requireReadable(context, record));
  return requireReadable(context, found);
};

/** Who the newborn's mother is, in the newborn's chart. */
const planMother = async (
  context: RequestContext,
  { next }: PlannedWrite,
  mother: StoredRecord,
): Promise<PlannedWrite> => {
  const own = {
    ...context,
    recordType: relatedPerson,
    known: new Map([...context.known, [`Patient/${next.id}`, next] as const]),
  };
  const resource = motherOf(next.id, mother.id, mother.resource as unknown as fhir4.Patient);
  return planCreate(own, { resource, warnings: [] }, await newPlace(own, resource));
};
