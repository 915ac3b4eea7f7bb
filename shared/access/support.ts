import type { Resource } from '../fhir/resource.ts';
import type { Caller } from './caller.ts';

// What support staff may see is decided by few elements, told here. What of a record they are shown is in support-view.ts.

/** Code system of what is administrative: messages by their category, tasks by their code. */
export const administrative = {
  system: 'https://concord.example/fhir/CodeSystem/work',
  code: 'administrative',
} as const;

/** Types of which support staff see more than everybody does, and only under a delegation. */
export const delegatedTypes: readonly string[] = ['Patient', 'Appointment', 'Communication', 'Task'];

export const isSupport = ({ roles }: Pick<Caller, 'roles'>): boolean => roles.includes('support');

/** Whether a concept is that something is administrative, and nothing else. */
export const isAdministrative = ({ coding = [] }: fhir4.CodeableConcept): boolean =>
  coding.length > 0 &&
  coding.every(({ system, code }) => system === administrative.system && code === administrative.code);

/** That a nurse or a physician has looked at what a patient wrote and found it administrative. The server alone writes it. */
export const clearedUrl = 'https://concord.example/fhir/StructureDefinition/administrative-by-triage';

/** Names somebody, in any version, who is neither the patient nor cares for one. */
const ofOthers =
  /(?:^|\/)(?!Patient\/|RelatedPerson\/)[A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64}(?:\/_history\/[A-Za-z0-9\-.]{1,64})?$/;

/** Whether a message is administrative alone. What a patient wrote, or somebody of whom nothing is understood, may be anything, whatever it calls itself, until somebody has looked at it. */
const isAdministrativeMessage = ({ category = [], sender, extension = [] }: Partial<fhir4.Communication>): boolean =>
  category.length > 0 &&
  category.every(isAdministrative) &&
  (sender === undefined ||
    ofOthers.test(sender.reference ?? '') ||
    extension.some(({ url, valueBoolean }) => url === clearedUrl && valueBoolean === true));

/** Whether a record of a type that is delegated is for a member of support, as far as what it says decides that. */
export const isForSupport = (type: string, resource: Resource | undefined, fhirUser: string): boolean => {
  switch (type) {
    case 'Communication':
      return isAdministrativeMessage((resource ?? {}) as Partial<fhir4.Communication>);
    case 'Task':
      return ((resource ?? {}) as Partial<fhir4.Task>).owner?.reference === fhirUser;
    default:
      return true;
  }
};

/** Confidentialities that restrict nobody who may see the type at all. */
const ordinary = ['U', 'L', 'M', 'N'].map((code) => `http://terminology.hl7.org/CodeSystem/v3-Confidentiality|${code}`);

/** Whether labels keep a record from support: whatever is sensitive, or not understood. */
export const isSensitive = (labels: readonly string[]): boolean => labels.some((label) => !ordinary.includes(label));
