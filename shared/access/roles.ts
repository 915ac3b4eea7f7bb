import type { Subject } from '../record-types/subjects.ts';
import type { Role } from './caller.ts';
import type { Action } from './scopes.ts';

/** Of codes by which a PractitionerRole tells in which of these roles somebody works (`$explain-access` looks there, and `$take-order` for who gave an order). What counts of a caller is the token. */
export const roleSystem = 'https://concord.example/fhir/CodeSystem/role';

/** Letters of `cruds`, or nothing. */
type Rights = string;

/** What everybody who is signed in may do: look up organisations, people, places and free times. */
const everybody: Partial<Record<Subject, Rights>> = { directory: 'rs', availability: 'rs', knowledge: 'rs' };

/**
 * Role × subject → actions: the minimum that each role needs, on its own organisation's records. What is not named is refused.
 * Readable as a table in docs/access.md.
 */
export const rights: Readonly<Record<Role, Readonly<Partial<Record<Subject, Rights>>>>> = {
  physician: {
    ...everybody,
    demographics: 'cruds',
    clinical: 'cruds',
    order: 'cruds',
    dispensing: 'cruds',
    laboratory: 'cruds',
    scheduling: 'cruds',
    messages: 'cruds',
    tasks: 'cruds',
    consent: 'cruds',
    provenance: 'crs',
    coverage: 'rs',
    billing: 'rs',
  },
  nurse: {
    ...everybody,
    demographics: 'crus',
    clinical: 'cruds',
    order: 'rs',
    dispensing: 'cruds',
    laboratory: 'cruds',
    scheduling: 'cruds',
    messages: 'cruds',
    tasks: 'cruds',
    consent: 'rs',
    provenance: 'crs',
  },
  pharmacist: {
    ...everybody,
    demographics: 'rs',
    clinical: 'rs',
    order: 'rs',
    dispensing: 'cruds',
    laboratory: 'rs',
    messages: 'crus',
    tasks: 'crus',
  },
  lab: { ...everybody, demographics: 'rs', order: 'rs', laboratory: 'cruds', messages: 'crus', tasks: 'crus' },
  frontdesk: {
    ...everybody,
    demographics: 'crus',
    coverage: 'crus',
    scheduling: 'cruds',
    availability: 'cruds',
    messages: 'crus',
    tasks: 'crus',
  },
  // Outsourced: what it may besides is below, type by type, and only under a delegation.
  support: { ...everybody },
  privacy: { ...everybody, audit: 'rs', consent: 'crus', tasks: 'crus' },
  admin: { ...everybody, directory: 'cruds', availability: 'cruds', subscriptions: 'cruds', knowledge: 'cruds' },
  system: {
    demographics: 'cruds',
    clinical: 'cruds',
    order: 'cruds',
    dispensing: 'cruds',
    laboratory: 'cruds',
    coverage: 'cruds',
    billing: 'cruds',
    scheduling: 'cruds',
    availability: 'cruds',
    messages: 'cruds',
    tasks: 'cruds',
    consent: 'cruds',
    provenance: 'cruds',
    directory: 'cruds',
    subscriptions: 'cruds',
    knowledge: 'cruds',
  },
  patient: {
    ...everybody,
    demographics: 'rs',
    clinical: 'rs',
    order: 'rs',
    dispensing: 'rs',
    laboratory: 'rs',
    coverage: 'rs',
    billing: 'rs',
    scheduling: 'rs',
    messages: 'crus',
    tasks: 'crus',
    consent: 'crus',
    provenance: 'rs',
    audit: 'rs',
  },
};

/** Single types in which a role's right differs from the rest of their subject. */
export const exceptions: Readonly<Partial<Record<Role, Readonly<Record<string, Rights>>>>> = {
  support: { Patient: 'rs', Appointment: 'rs', Communication: 'crs', Task: 'crs' },
  privacy: { Contract: 'rs' },
  patient: { QuestionnaireResponse: 'crus', CommunicationRequest: 'rs', Contract: 'rs' },
};

/** What a role may do besides by booking operations, which judge what they are given, and never by writing the record itself. */
export const byBooking: Readonly<Partial<Record<Role, Readonly<Record<string, Rights>>>>> = {
  support: { Appointment: 'cu' },
};

/**
 * Whether a role may do this with records of this type at all.
 *
 * @param booking - whether it is done by an operation that books.
 */
export const roleAllows = (role: Role, action: Action, type: string, subject: Subject, booking = false): boolean =>
  (exceptions[role]?.[type] ?? rights[role][subject] ?? '').includes(action) ||
  (booking && byBooking[role]?.[type]?.includes(action) === true);
