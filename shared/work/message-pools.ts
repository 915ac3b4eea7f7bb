import { administrative } from '../access/support.ts';

/** Pools that take on messages of patients. */
export type MessagePool = 'frontdesk' | 'nurse';

const work = administrative.system;
const topics = 'http://terminology.hl7.org/CodeSystem/communication-topic';

/** What a message is about, by its category or topic, that the front desk answers. Read as a table in docs/work.md. */
export const forFrontDesk: readonly Readonly<Required<Pick<fhir4.Coding, 'system' | 'code'>>>[] = [
  administrative,
  { system: work, code: 'scheduling' },
  { system: work, code: 'billing' },
  { system: topics, code: 'appointment-reminder' },
];

const isForFrontDesk = ({ coding = [] }: fhir4.CodeableConcept): boolean =>
  coding.length > 0 &&
  coding.every(({ system, code }) => forFrontDesk.some((each) => each.system === system && each.code === code));

/** The pool that answers a message of a patient: the front desk, if all that it says to be about is for the front desk, and it is not urgent; else the nurses, who hand it on. */
export const poolOf = ({
  category = [],
  topic,
  priority = 'routine',
}: Pick<fhir4.Communication, 'category' | 'topic' | 'priority'>): MessagePool => {
  const about = [...category, ...(topic ? [topic] : [])];
  return priority === 'routine' && about.length > 0 && about.every(isForFrontDesk) ? 'frontdesk' : 'nurse';
};
