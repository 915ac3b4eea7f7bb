import { isPsychotherapyNote } from '../labels.ts';
import type { Question, Verdict } from '../question.ts';

/**
 * Psychotherapy notes are for whoever wrote them and nobody else, in the same organisation and in the patient's own view as well, whatever opens the chart.
 * https://www.law.cornell.edu/cfr/text/45/164.501 https://www.law.cornell.edu/cfr/text/45/164.508
 */
export const psychotherapyNote = ({ asking, type, record }: Question): Verdict =>
  type.directory ||
  !(record.originators || record.labels.some(isPsychotherapyNote)) ||
  record.originators?.includes(asking.caller.fhirUser)
    ? undefined
    : 'originator';
