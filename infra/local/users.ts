import { offeredScopes } from '../../shared/access/offered-scopes.ts';

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

/** Somebody who can sign in to the local stack, or an application that can. */
export interface LocalUser {
  /** Also the e-mail address. */
  readonly username: string;
  readonly organization: OrganizationId;
  readonly role: StaffRole | 'system';
  /** Reference to their own record, which the seeded directory holds. */
  readonly fhirUser: string;
}

/** Scopes of tokens that people get here, by their pool. Applications get those that they ask for. */
export const localScopes = {
  staff: ['user/*.cruds'],
  patients: ['patient/*.rs', ...offeredScopes.patient.filter((scope) => scope.endsWith('.cruds'))],
} as const;

const staffOf = (organization: OrganizationId): LocalUser[] =>
  staffRoles.map((role) => ({
    username: `${role}@${organization}.example`,
    organization,
    role,
    fhirUser: `Practitioner/${organization}-${role}`,
  }));

const applicationOf = (organization: OrganizationId): LocalUser => ({
  username: `system@${organization}.example`,
  organization,
  role: 'system',
  fhirUser: `Device/${organization}-system`,
});

/** All who can sign in: each staff role at both organisations, and one application of each. */
export const localUsers: readonly LocalUser[] = organizations.flatMap(({ id }) => [...staffOf(id), applicationOf(id)]);

/** A patient of a store with demo patients, who sees the own record. */
export const patientUsername = 'patient@home.example';

/** Who acts for a child of the demo. What is recorded in the child's chart decides what that opens. */
export const proxyUsername = 'parent@home.example';

/** The pool at which somebody signs in. */
export const poolOf = (username: string): 'staff' | 'patients' =>
  [patientUsername, proxyUsername].includes(username) ? 'patients' : 'staff';

/** What the pool calls the application of a name such as `system@northside.example`; undefined for a person. Its secret is the common password. */
export const localClientOf = (username: string): string | undefined =>
  localUsers.some((user) => user.username === username && user.role === 'system')
    ? username.replace(/^system@(\w+)\.example$/, '$1system')
    : undefined;
