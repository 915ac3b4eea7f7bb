import { RecordError } from '../errors.ts';
import { parseScopes, type Scope } from './scopes.ts';

export const roles = [
  'physician',
  'nurse',
  'pharmacist',
  'lab',
  'frontdesk',
  'support',
  'privacy',
  'admin',
  'system',
  'patient',
] as const;
export type Role = (typeof roles)[number];

/** Who asks, taken from a verified access token and from nothing else. */
export interface Caller {
  /** Cognito's `sub`; of an application its `client_id`. */
  readonly subject: string;
  /** Name to sign in with, or what an application is called; shown in the access log. */
  readonly name: string;
  /** The application that the token was issued to. */
  readonly client: string;
  /** Organisation that the caller works for; undefined for a patient. */
  readonly organization: string | undefined;
  readonly roles: readonly Role[];
  readonly scopes: readonly Scope[];
  /** Reference to the caller's own record, such as `Practitioner/northside-nurse`. */
  readonly fhirUser: string;
  /** Id of the patient in context; only for a patient. */
  readonly patient: string | undefined;
  /** Names of the token (`jti`), and of the sign-in that it came of (`origin_jti`), as far as the pool gives them. */
  readonly sessions?: readonly string[];
}

/**
 * Reads the caller from the claims of an access token.
 *
 * @throws RecordError `unauthenticated` naming the claim that is missing or malformed: a caller is never guessed.
 */
export const callerFrom = (claims: Readonly<Record<string, unknown>>): Caller => {
  const text = (claim: string): string => {
    const value = claims[claim];
    if (typeof value === 'string' && value.trim() !== '') return value;
    throw refused(claim, 'is missing or not a text');
  };
  // A reference to a record of this server, relative or as the address that SMART has it be: only the server that issues tokens gives it.
  const [, fhirUser] =
    /^(?:https?:\/\/[^\s?#]+\/)?([A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64})$/.exec(text('fhirUser')) ?? [];
  if (fhirUser === undefined) throw refused('fhirUser', 'is no reference to a record');
  const named = claims.roles;
  if (!Array.isArray(named) || named.length === 0) throw refused('roles', 'is missing or not a list');
  if (!named.every((role): role is Role => roles.some((known) => known === role)))
    throw refused('roles', 'names an unknown role');
  const patient = named.includes('patient');
  if (patient && named.length > 1) throw refused('roles', 'mixes patient and staff');
  // What support staff are shown is reduced as it is read: whoever wrote by another role would write it back.
  if (named.includes('support') && named.length > 1) throw refused('roles', 'mixes support with another role');
  const sessions = [claims.origin_jti, claims.jti].flatMap((name) => (isSession(name) ? [name] : []));
  return {
    subject: text('sub'),
    // An application by its own credentials is no user of the pool.
    name: text(claims.username === undefined && named.includes('system') ? 'application' : 'username'),
    client: text('client_id'),
    organization: patient ? undefined : text('organization'),
    roles: named,
    scopes: parseScopes(text('scope')),
    fhirUser,
    patient: patient ? text('patient') : undefined,
    ...(sessions.length === 0 ? {} : { sessions }),
  };
};

/** Whether a text has the form of a pool's name of a token or sign-in, a UUID. */
export const isSession = (name: unknown): name is string =>
  typeof name === 'string' && /^[A-Za-z0-9-]{1,64}$/.test(name);

const refused = (claim: string, what: string) =>
  new RecordError('unauthenticated', `The access token's claim "${claim}" ${what}`, {
    reason: 'token-claim',
    expression: 'Authorization',
  });
