import { RecordError } from '../../errors.ts';
import { careTimeOf } from '../../record-types/care-dates.ts';
import { dateInterval } from '../../search/date-range.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { Answer, RequestContext } from '../context.ts';
import { readInput } from '../operation-input.ts';
import { requireTypeAccess } from '../require-access.ts';
import { askedPage } from '../searchset.ts';
import { addressed, type Everything, everythingInput, showEverything } from './everything.ts';

export const everythingOfPatientInput = { start: { type: 'date' }, end: { type: 'date' }, ...everythingInput } as const;

/**
 * `Patient/{id}/$everything`: the patient and every record of the patient's chart that the caller may see, those of linked charts among them, and
 * what these refer to. https://hl7.org/fhir/R4/patient-operation-everything.html
 */
export const everythingOfPatient = async (
  context: RequestContext,
  id: string,
  { readPage }: Pick<Everything, 'readPage'>,
): Promise<Answer> => {
  requireTypeAccess(context, 'r');
  if (context.store.isReduced) {
    throw new RecordError('forbidden', 'Your role does not allow taking out a whole chart', {
      reason: 'forbidden-role',
    });
  }
  const page = askedPage(context);
  const asked = readInput(context, everythingOfPatientInput, page?.query);
  const { start, end } = asked;
  const holds = start === undefined && end === undefined ? undefined : givenWithin(start, end);
  return showEverything(context, { id, address: await addressed(context, id), holds, input: asked, readPage }, page);
};

/** Whether care was given within the two dates, the days of both included. What tells of no time of care always counts: a lost allergy harms. */
const givenWithin = (start: string | undefined, end: string | undefined): ((record: StoredRecord) => boolean) => {
  const from = (start === undefined ? undefined : dateInterval(start)?.start) ?? Number.NEGATIVE_INFINITY;
  const to = (end === undefined ? undefined : dateInterval(end)?.end) ?? Number.POSITIVE_INFINITY;
  if (from >= to) throw new RecordError('invalid', 'The end is before the start', { expression: 'end' });
  return ({ resource }) => {
    const time = resource && careTimeOf(resource);
    return time === undefined || (time.start < to && time.end > from);
  };
};
