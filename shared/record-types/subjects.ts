import { typesOfPatients } from './homes.ts';

/** What a record is about, as far as a role's right to it depends on that. The rights are in shared/access/roles.ts. */
export type Subject =
  | 'demographics' // who a patient is and who belongs to them
  | 'clinical' // histories, findings, treatment
  | 'order' // prescriptions and requests, which need a licence
  | 'dispensing' // what a pharmacist writes
  | 'laboratory' // what a laboratory writes
  | 'coverage' // who pays
  | 'billing' // claims and what became of them
  | 'scheduling' // appointments and their answers
  | 'availability' // schedules and slots, open to the network as free and busy time
  | 'messages' // words between people
  | 'tasks' // work to be done
  | 'consent' // who may see what
  | 'provenance' // where records come from
  | 'audit' // who saw what
  | 'directory' // organisations, people and places
  | 'subscriptions' // who is told of changes
  | 'knowledge'; // definitions that concern no patient

/** Types by subject. A type that is not named is clinical if it may belong to a patient, else knowledge. */
const typesBySubject: Readonly<Partial<Record<Subject, string>>> = {
  demographics: 'Patient RelatedPerson Person',
  clinical: 'Binary Group',
  order: 'MedicationRequest ServiceRequest DeviceRequest NutritionOrder VisionPrescription SupplyRequest RequestGroup',
  dispensing: 'MedicationDispense MedicationStatement',
  laboratory: 'Observation DiagnosticReport Specimen ImagingStudy Media MolecularSequence',
  coverage: 'Coverage CoverageEligibilityRequest CoverageEligibilityResponse EnrollmentRequest EnrollmentResponse',
  billing: 'Account ChargeItem Claim ClaimResponse ExplanationOfBenefit Invoice PaymentNotice PaymentReconciliation',
  scheduling: 'Appointment AppointmentResponse',
  availability: 'Schedule Slot',
  messages: 'Communication CommunicationRequest',
  tasks: 'Task',
  consent: 'Consent Contract',
  provenance: 'Provenance',
  audit: 'AuditEvent',
  directory: 'Organization Practitioner PractitionerRole Location HealthcareService Endpoint OrganizationAffiliation',
  subscriptions: 'Subscription',
};

const subjects: ReadonlyMap<string, Subject> = new Map(
  Object.entries(typesBySubject).flatMap(([subject, types]) =>
    types.split(' ').map((type): [string, Subject] => [type, subject as Subject]),
  ),
);

/** What records of a type are about. */
export const subjectOf = (type: string): Subject =>
  subjects.get(type) ?? (typesOfPatients.has(type) ? 'clinical' : 'knowledge');

/** Whether a type is the directory's: kept by the network as a whole and readable by everybody who is signed in. */
export const isDirectory = (type: string): boolean => {
  const subject = subjectOf(type);
  return subject === 'directory' || subject === 'availability';
};

/** What an access decision needs to know of a type. */
export const factsOfType = (name: string) => ({ name, subject: subjectOf(name), directory: isDirectory(name) });
