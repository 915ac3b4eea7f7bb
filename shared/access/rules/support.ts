import type { Asking, Question, TypeQuestion, Verdict } from '../question.ts';
import { delegatedTypes, isForSupport, isSensitive, isSupport } from '../support.ts';

/** Support staff see patients' records only under a live delegation. */
export const delegation = ({ asking, type }: TypeQuestion): Verdict =>
  isSupport(asking.caller) && delegatedTypes.includes(type.name) && !asking.delegation ? 'delegation' : undefined;

/** Whether a delegation opens what stands in a chart. Who has a task of their own has it whoever calls. */
const opens = ({ delegation: given }: Asking, type: string, chart: string): boolean =>
  !given?.callsOnly || type === 'Task' || chart === given.calling;

/** Under a delegation, what its organisation keeps, is not sensitive, and is for support: administrative messages, and own tasks. */
export const support = ({ asking, type, record }: Question): Verdict => {
  const { caller } = asking;
  if (!isSupport(caller) || !delegatedTypes.includes(type.name)) return undefined;
  const theirs =
    record.custodian === caller.organization && !isSensitive(record.labels) && opens(asking, type.name, record.chart);
  return theirs && isForSupport(type.name, record.resource, caller.fhirUser) ? 'permit' : 'custodian';
};
