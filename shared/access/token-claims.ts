import type { PreTokenGenerationV2TriggerEvent, PreTokenGenerationV3TriggerEvent } from 'aws-lambda';
import type { Application } from '../store/applications.ts';
import { type Role, roles } from './caller.ts';
import { refuseDemoUser } from './demo-users.ts';
import { type Federation, hospitalOf, rolesByGroups } from './federation.ts';
import { gatewayScope } from './offered-scopes.ts';

// What Cognito's pre-token trigger, version 3, answers: adds to an access token who its bearer is to Concord. Who lacks something gets no token at all; Cognito
// shows the message to the person who signs in.
// https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html

/** The pool sends the shape of version 3 for people too. */
export type TokenEvent = PreTokenGenerationV2TriggerEvent | PreTokenGenerationV3TriggerEvent;

/** Whether an application asks by its own credentials, and nobody signs in. */
export const isOfApplication = ({ triggerSource }: TokenEvent): boolean =>
  triggerSource === 'TokenGeneration_ClientCredentials';

/** A group that is not there is not the pool's business, so it is no staff's role. */
const noStaff: readonly Role[] = ['patient', 'system'];

/**
 * Adds organisation, roles and `fhirUser` of staff. Roles are the user's groups, or what the groups of a hospital's own sign-on come to; the rest are attributes that
 * only an administrator can write.
 *
 * @throws Error naming what is missing, or that this is nobody who gets a token.
 */
export const withStaffClaims = (event: TokenEvent, federation: Federation): TokenEvent => {
  refuseDemoUser(event.userPoolId, [event.userName, event.request.userAttributes.email]);
  const { userAttributes } = event.request;
  const hospital = hospitalOf(userAttributes.identities, federation);
  const named = staffRoles(event, federation);
  if (named.length === 0) throw new Error('The user is in no group that is a role');
  if (named.some((role) => noStaff.includes(role))) throw new Error('The user is in a group that is for no staff');
  return answer(event, 'user', {
    roles: named,
    fhirUser: attributeOf(event, 'fhirUser'),
    organization: hospital?.organization ?? attributeOf(event, 'organization'),
  });
};

/** The roles of who is staff; none for who is not. Groups that are no roles, such as the one of a federated sign-in, do not matter. */
export const staffRoles = ({ request }: TokenEvent, federation: Federation): Role[] => {
  const hospital = hospitalOf(request.userAttributes.identities, federation);
  if (hospital) return rolesByGroups(request.userAttributes['custom:groups'], hospital);
  return roles.filter((role) => request.groupConfiguration.groupsToOverride?.includes(role));
};

/**
 * Adds the patient in context, and who it is that asks. All who sign in at the pool of patients are patients or act for one, whatever groups somebody has made there.
 *
 * @throws Error naming what is missing, or that this is nobody who gets a token.
 */
export const withPatientClaims = (event: TokenEvent): TokenEvent => {
  refuseDemoUser(event.userPoolId, [event.userName, event.request.userAttributes.email]);
  const own = attributeOf(event, 'patient');
  return answer(event, 'patient', {
    roles: ['patient'],
    fhirUser: attributeOf(event, 'fhirUser'),
    patient: chosenPatient(event.request.clientMetadata) ?? own,
  });
};

/**
 * Adds whose application it is that asks by its own credentials. The pool knows its secret and its scopes, and nothing of organisations: that an administrator has entered.
 *
 * @param application - what is entered of the client; undefined if nothing is.
 * @throws Error for an application that nobody has entered, or whose access has ended.
 */
export const withApplicationClaims = (event: TokenEvent, application: Application | undefined): TokenEvent => {
  if (!application) throw new Error('Nothing says which organization this application belongs to');
  if (application.revoked !== undefined) throw new Error('The access of this application has ended');
  refuseDemoUser(event.userPoolId, [application.name]);
  const { organization, fhirUser, name } = application;
  return answer(event, 'system', { roles: ['system'], fhirUser, organization, application: name });
};

const answer = (
  event: TokenEvent,
  level: 'patient' | 'user' | 'system',
  claims: Readonly<Record<string, string | readonly string[]>>,
): TokenEvent => {
  const response = {
    claimsAndScopeOverrideDetails: {
      accessTokenGeneration: {
        // The service takes lists; the published type knows only text.
        claimsToAddOrOverride: claims as unknown as Record<string, string>,
        scopesToAdd: [gatewayScope],
        scopesToSuppress: foreignScopes(event.request.scopes ?? [], level),
      },
    },
  };
  return { ...event, response } as TokenEvent;
};

const attributeOf = ({ request }: TokenEvent, name: string): string => {
  const value = request.userAttributes[`custom:${name}`];
  if (value === undefined || value.trim() === '') throw new Error(`The user has no attribute "${name}"`);
  return value;
};

/**
 * The patient whom an application asks for, as SMART's `launch/patient` has it, for somebody who acts for several. Any may be named: where it is not the user's own
 * record, a right that is recorded in the chart opens it, and nothing else does. https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
 */
const chosenPatient = (metadata: Readonly<Record<string, string>> | undefined): string | undefined => {
  const patient = metadata?.patient;
  if (patient === undefined) return undefined;
  if (!/^[A-Za-z0-9\-.]{1,64}$/.test(patient)) throw new Error('The patient in context is no id');
  return patient;
};

/** Clinical scopes of another kind of caller than this one. */
const foreignScopes = (scopes: readonly string[], level: string): string[] =>
  scopes.filter((scope) => /^(patient|user|system)\//.test(scope) && !scope.startsWith(`${level}/`));
