/** The organisations of the local stack. */
export const organizations = [
  { id: 'northside', name: 'Northside Clinic' },
  { id: 'lakeside', name: 'Lakeside Hospital' },
] as const;
export type OrganizationId = (typeof organizations)[number]['id'];

/** The password of every local user. It protects nothing: the local stack listens on loopback alone. */
export const localPassword = 'concord';

/** Roles of the people who work for an organisation, in the order in which they are printed. */
export const staffRoles = [
  'physician',
  'nurse',
  'pharmacist',
  'lab',
  'frontdesk',
  'support',
  'privacy',
  'admin',
] as const;
export type StaffRole = (typeof staffRoles)[number];

/** Somebody who can sign in to the local stack. */
export interface LocalUser {
  /** Also the e-mail address. */
  readonly username: string;
  readonly organization: OrganizationId;
  readonly role: StaffRole | 'system';
  /** SMART scopes of their tokens, separated by blanks. */
  readonly scope: string;
  /** Reference to their own record, which the seeded directory holds. */
  readonly fhirUser: string;
}

const staffOf = (organization: OrganizationId): LocalUser[] =>
  staffRoles.map((role) => ({
    username: `${role}@${organization}.example`,
    organization,
    role,
    scope: 'user/*.cruds',
    fhirUser: `Practitioner/${organization}-${role}`,
  }));

const applicationOf = (organization: OrganizationId): LocalUser => ({
  username: `system@${organization}.example`,
  organization,
  role: 'system',
  scope: 'system/*.cruds',
  fhirUser: `Device/${organization}-system`,
});

/** All who can sign in: each staff role at both organisations, and one application of each. */
export const localUsers: readonly LocalUser[] = organizations.flatMap(({ id }) => [...staffOf(id), applicationOf(id)]);

/** A patient who can sign in, and sees the own record, or somebody who acts for one. */
export interface PatientUser {
  readonly username: string;
  readonly role: 'patient';
  readonly scope: string;
  readonly fhirUser: string;
  /** Id of the patient's record. */
  readonly patient: string;
}

export const patientUsername = 'patient@home.example';

/** The patient user of a store with demo patients. */
export const patientUser = (patient: string): PatientUser => ({
  username: patientUsername,
  role: 'patient',
  scope: [
    'patient/*.rs',
    ...['Consent', 'Task', 'Communication', 'QuestionnaireResponse'].map((type) => `patient/${type}.cruds`),
  ].join(' '),
  fhirUser: `Patient/${patient}`,
  patient,
});

export const proxyUsername = 'parent@home.example';

/**
 * The user who acts for a child of the demo. What is recorded in the child's chart decides what that opens.
 *
 * @param person - reference to the user's own record.
 */
export const proxyUser = (patient: string, person: string): PatientUser => ({
  ...patientUser(patient),
  username: proxyUsername,
  fhirUser: person,
});
