import type { Role } from '../access/caller.ts';
import { roleSystem } from '../access/roles.ts';

const snomed = 'http://snomed.info/sct';

/** Whoever of an organisation is a nurse takes on such a task. https://hl7.org/fhir/R4/task-definitions.html#Task.performerType */
export const nurses: fhir4.CodeableConcept = {
  coding: [{ system: snomed, code: '106292003', display: 'Professional nurse' }],
};

/** Whoever of an organisation prescribes takes on such a task. */
export const physicians: fhir4.CodeableConcept = {
  coding: [{ system: snomed, code: '309343006', display: 'Physician' }],
};

/** Whoever of an organisation dispenses takes on such a task. */
export const pharmacists: fhir4.CodeableConcept = {
  coding: [{ system: snomed, code: '46255001', display: 'Pharmacist' }],
};

const work = 'https://concord.example/fhir/CodeSystem/work';

/** Privacy officers, who have no code of their own in SNOMED CT. */
export const privacyOfficers: fhir4.CodeableConcept = {
  coding: [{ system: work, code: 'privacy-officer' }],
  text: 'Privacy officer',
};

/** What is to be done with a time that was offered to somebody who waits. */
export const waitlistOffer: fhir4.CodeableConcept = { coding: [{ system: work, code: 'waitlist-offer' }] };

/** Whoever receives patients and books for them: by the role itself, which SNOMED CT has no narrow code for. */
export const frontDesk: fhir4.CodeableConcept = {
  coding: [{ system: roleSystem, code: 'frontdesk', display: 'Front desk' }],
};

/** Whoever of an organisation works in its laboratory. */
export const laboratory: fhir4.CodeableConcept = {
  coding: [{ system: roleSystem, code: 'lab', display: 'Laboratory' }],
};

const bySnomed: Readonly<Record<string, Role>> = {
  '106292003': 'nurse',
  '309343006': 'physician',
  '46255001': 'pharmacist',
};

const roleOf = (system: string | undefined, code: string): string | undefined => {
  if (system === snomed) return bySnomed[code];
  if (system === work) return code === 'privacy-officer' ? 'privacy' : undefined;
  return system === roleSystem ? code : undefined;
};

/** The pool of a role's members, as a task names it. */
export const poolNamed = (role: string): fhir4.CodeableConcept => {
  if (role === 'nurse') return nurses;
  if (role === 'frontdesk') return frontDesk;
  if (role === 'lab') return laboratory;
  return { coding: [{ system: roleSystem, code: role }] };
};

/** Whether members of a role form a pool. */
export const isPooled = (role: string): boolean => pooled.includes(role);

/** Roles whose members form pools of their own organisation. */
const pooled: readonly string[] = ['physician', 'nurse', 'pharmacist', 'lab', 'frontdesk', 'privacy', 'admin'];

/** The pools that a task is for, by its performerType: roles of access. None for types that no role stands for. */
export const poolsOf = ({ performerType = [] }: Pick<fhir4.Task, 'performerType'>): readonly string[] => [
  ...new Set(
    performerType.flatMap(({ coding = [] }) =>
      coding.flatMap(({ system, code = '' }) => {
        const role = roleOf(system, code);
        return role !== undefined && pooled.includes(role) ? [role] : [];
      }),
    ),
  ),
];
