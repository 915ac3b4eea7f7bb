/**
 * Categories by which scopes may be narrowed, as US Core has certified servers offer it.
 * https://hl7.org/fhir/us/core/STU7/scopes.html
 */
const categories: Readonly<Record<string, readonly string[]>> = {
  Condition: [
    'http://terminology.hl7.org/CodeSystem/condition-category|encounter-diagnosis',
    'http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item',
    'http://hl7.org/fhir/us/core/CodeSystem/condition-category|health-concern',
  ],
  Observation: [
    'http://hl7.org/fhir/us/core/CodeSystem/us-core-category|sdoh',
    'http://terminology.hl7.org/CodeSystem/observation-category|social-history',
    'http://terminology.hl7.org/CodeSystem/observation-category|laboratory',
    'http://terminology.hl7.org/CodeSystem/observation-category|survey',
    'http://terminology.hl7.org/CodeSystem/observation-category|vital-signs',
  ],
};

/** Encoded, for the name of a scope in Cognito may hold no slash; a narrowed scope is read as a search is, which decodes it. */
const narrowed = Object.entries(categories).flatMap(([type, tokens]) =>
  tokens.map((token) => `${type}.rs?category=${encodeURIComponent(token)}`),
);

const scopes = {
  user: ['*.cruds', '*.rs', ...narrowed],
  system: ['*.cruds', '*.rs'],
  patient: ['*.rs', 'Consent.cruds', 'Task.cruds', 'Communication.cruds', 'QuestionnaireResponse.cruds', ...narrowed],
} as const;

/**
 * The scope that the gateway asks for. The pre-token triggers add it to each token that they give, and no application may ask for it: what has not passed one of them is
 * refused at the door, and what a token's clinical scopes permit is decided in one place, behind it. To list all of these with every method of the gateway took a template of more than the
 * megabyte that there may be.
 */
export const gatewayScope = 'concord/api';

export type ScopeLevel = keyof typeof scopes;

/**
 * Clinical scopes that an application may ask the deployment for, by level. Cognito knows scopes by their whole text alone, a hundred a level and fifty a client at most:
 * https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html
 */
export const offeredScopes: Readonly<Record<ScopeLevel, readonly string[]>> = {
  user: scopes.user.map((scope) => `user/${scope}`),
  system: scopes.system.map((scope) => `system/${scope}`),
  patient: scopes.patient.map((scope) => `patient/${scope}`),
};
