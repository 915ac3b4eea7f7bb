// Who may do what, in the words of the project's contract with its users and written without a look at the code, so that tests can
// compare the two.

/** The groups of record types that the contract speaks of. */
export const typesCalled = {
  'patients’ demographics': 'Patient RelatedPerson',
  'clinical records and notes':
    'Encounter EpisodeOfCare Condition AllergyIntolerance FamilyMemberHistory Procedure Immunization CarePlan CareTeam Goal Flag ' +
    'ClinicalImpression RiskAssessment DetectedIssue Composition DocumentReference Binary QuestionnaireResponse Device ' +
    'SupplyDelivery Group List Basic MedicationAdministration',
  orders: 'MedicationRequest ServiceRequest',
  'dispenses and medication statements': 'MedicationDispense MedicationStatement',
  'specimens, results, reports': 'Specimen Observation DiagnosticReport ImagingStudy Media',
  coverage: 'Coverage',
  claims: 'Claim ExplanationOfBenefit',
  appointments: 'Appointment AppointmentResponse',
  'schedules and slots': 'Schedule Slot',
  messages: 'Communication CommunicationRequest',
  tasks: 'Task',
  consents: 'Consent',
  provenance: 'Provenance',
  audit: 'AuditEvent',
  directory: 'Organization Practitioner PractitionerRole Location HealthcareService Endpoint',
  subscriptions: 'Subscription',
  definitions: 'Medication Questionnaire',
} as const;

type Called = keyof typeof typesCalled;
type Expected = Readonly<Partial<Record<Called, string>>>;

/** Directory types are readable by every signed-in user. */
const signedIn: Expected = { directory: 'rs', 'schedules and slots': 'rs', definitions: 'rs' };

export const contractRoles = {
  physician: {
    ...signedIn,
    'patients’ demographics': 'cruds',
    'clinical records and notes': 'cruds',
    orders: 'cruds',
    'dispenses and medication statements': 'cruds',
    'specimens, results, reports': 'cruds',
    appointments: 'cruds',
    messages: 'cruds',
    tasks: 'cruds',
    consents: 'cruds',
    provenance: 'crs',
    coverage: 'rs',
    claims: 'rs',
  },
  nurse: {
    ...signedIn,
    'patients’ demographics': 'crus',
    'clinical records and notes': 'cruds',
    orders: 'rs', // clinical except prescribing and signing orders
    'dispenses and medication statements': 'cruds',
    'specimens, results, reports': 'cruds',
    appointments: 'cruds',
    messages: 'cruds',
    tasks: 'cruds',
    consents: 'rs',
    provenance: 'crs',
  },
  pharmacist: {
    ...signedIn,
    'patients’ demographics': 'rs',
    'clinical records and notes': 'rs',
    orders: 'rs',
    'dispenses and medication statements': 'cruds',
    'specimens, results, reports': 'rs',
    messages: 'crus',
    tasks: 'crus',
  },
  lab: {
    ...signedIn,
    'patients’ demographics': 'rs',
    orders: 'rs',
    'specimens, results, reports': 'cruds',
    messages: 'crus',
    tasks: 'crus',
  },
  frontdesk: {
    ...signedIn,
    'patients’ demographics': 'crus',
    coverage: 'crus',
    appointments: 'cruds',
    'schedules and slots': 'cruds',
    messages: 'crus',
    tasks: 'crus',
  },
  support: signedIn, // the rest only under a live delegation
  privacy: { ...signedIn, audit: 'rs', consents: 'crus', tasks: 'crus' },
  admin: {
    ...signedIn,
    directory: 'cruds',
    'schedules and slots': 'cruds',
    subscriptions: 'cruds',
    definitions: 'cruds',
  },
  system: {
    'patients’ demographics': 'cruds',
    'clinical records and notes': 'cruds',
    orders: 'cruds',
    'dispenses and medication statements': 'cruds',
    'specimens, results, reports': 'cruds',
    coverage: 'cruds',
    claims: 'cruds',
    appointments: 'cruds',
    'schedules and slots': 'cruds',
    messages: 'cruds',
    tasks: 'cruds',
    consents: 'cruds',
    provenance: 'cruds',
    directory: 'cruds',
    subscriptions: 'cruds',
    definitions: 'cruds', // everything but audit
  },
  patient: {
    ...signedIn,
    'patients’ demographics': 'rs',
    'clinical records and notes': 'rs',
    orders: 'rs',
    'dispenses and medication statements': 'rs',
    'specimens, results, reports': 'rs',
    coverage: 'rs',
    claims: 'rs',
    appointments: 'rs',
    messages: 'rs',
    tasks: 'rs',
    consents: 'rs',
    provenance: 'rs',
    audit: 'rs',
  },
} as const satisfies Readonly<Record<string, Expected>>;

/** What support staff may under a live delegation, and then only of what is administrative or their own. */
const delegated: Readonly<Record<string, string>> = {
  Patient: 'rs',
  Appointment: 'rs',
  Communication: 'crs',
  Task: 'crs',
};

/** What a patient may write: these four and nothing else. */
export const writtenByPatients = ['Consent', 'Task', 'Communication', 'QuestionnaireResponse'];

/** Letters of `cruds` that a role has for a type that the contract names. */
export const contractRights = (role: keyof typeof contractRoles, type: string): string => {
  const called = Object.entries(typesCalled).find(([, types]) => types.split(' ').includes(type))?.[0];
  if (called === undefined) throw new Error(`The contract names no ${type}`);
  if (role === 'patient' && writtenByPatients.includes(type)) return 'crus';
  const underDelegation = role === 'support' ? delegated[type] : undefined;
  if (underDelegation !== undefined) return underDelegation;
  const expected: Expected = contractRoles[role];
  return expected[called as Called] ?? '';
};
