import type { PreTokenGenerationV2TriggerEvent, PreTokenGenerationV3TriggerEvent } from 'aws-lambda';
import { type Role, roles } from './caller.ts';

/** The pool sends the shape of version 3 for people too. */
export type TokenEvent = PreTokenGenerationV2TriggerEvent | PreTokenGenerationV3TriggerEvent;

/**
 * What Cognito's pre-token trigger, version 3, answers: adds to an access token who its bearer is to Concord. Roles are the user's groups; the rest
 * are attributes that only an administrator can write. A user of whom something is missing gets no token at all.
 *
 * @throws Error naming what is missing. Cognito shows the message to the person who signs in.
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html
 */
export const withTokenClaims = (event: TokenEvent): TokenEvent => {
  const { triggerSource, request } = event;
  if (triggerSource === 'TokenGeneration_ClientCredentials') {
    throw new Error('Applications get no token here: nothing says which organization they belong to');
  }
  const named = rolesOf(request.groupConfiguration.groupsToOverride ?? []);
  const patient = named.includes('patient');
  const attribute = (name: string): string => {
    const value = request.userAttributes[`custom:${name}`];
    if (value === undefined || value.trim() === '') throw new Error(`The user has no attribute "${name}"`);
    return value;
  };
  const response = {
    claimsAndScopeOverrideDetails: {
      accessTokenGeneration: {
        claimsToAddOrOverride: {
          roles: named,
          fhirUser: attribute('fhirUser'),
          ...(patient
            ? { patient: chosenPatient(request.clientMetadata) ?? attribute('patient') }
            : { organization: attribute('organization') }),
          // The service takes lists; the published type knows only text.
        } as unknown as Record<string, string>,
        scopesToSuppress: foreignScopes(request.scopes ?? [], named),
      },
    },
  };
  return { ...event, response } as TokenEvent;
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

/** Groups that are no roles, such as those of a federated sign-in, do not matter. */
const rolesOf = (groups: readonly string[]): Role[] => {
  const found = roles.filter((role) => groups.includes(role));
  if (found.length === 0) throw new Error('The user is in no group that is a role');
  for (const alone of ['patient', 'system'] as const) {
    if (found.includes(alone) && found.length > 1) throw new Error(`The role "${alone}" stands alone`);
  }
  return found;
};

/** Clinical scopes of another kind of caller than this one. */
const foreignScopes = (scopes: readonly string[], [role]: readonly Role[]): string[] => {
  const level = role === 'patient' || role === 'system' ? role : 'user';
  return scopes.filter((scope) => /^(patient|user|system)\//.test(scope) && !scope.startsWith(`${level}/`));
};
