import { offeredScopes } from './offered-scopes.ts';

/** Where and how tokens of one pool are had. */
interface PoolConfiguration {
  readonly issuer: string;
  readonly jwks_uri: string;
  readonly token_endpoint?: string;
  readonly authorization_endpoint?: string;
}

/** What SMART's discovery document says here. */
export interface SmartConfiguration extends PoolConfiguration {
  readonly grant_types_supported: readonly string[];
  readonly scopes_supported: readonly string[];
  readonly code_challenge_methods_supported: readonly string[];
  readonly capabilities: readonly string[];
  /** The same of the pool of patients, who sign in at pages of their own. SMART lets a server say more than it defines. */
  readonly patient_access: PoolConfiguration;
}

/**
 * Where and how to get a token, for apps: of staff and applications first, and of patients. The pools name themselves; their sign-in pages exist only where
 * STAFF_SIGN_IN and PATIENT_SIGN_IN are set. https://hl7.org/fhir/smart-app-launch/STU2.1/conformance.html
 */
export const smartConfiguration = (env: Readonly<Record<string, string | undefined>>): SmartConfiguration => ({
  ...poolConfiguration(env.STAFF_POOL_ID, env.STAFF_SIGN_IN),
  grant_types_supported: ['authorization_code', 'client_credentials'],
  scopes_supported: Object.values(offeredScopes).flat(),
  code_challenge_methods_supported: ['S256'],
  capabilities: [
    'permission-patient',
    'permission-user',
    'permission-v2',
    'client-public',
    'client-confidential-symmetric',
  ],
  patient_access: poolConfiguration(env.PATIENT_POOL_ID, env.PATIENT_SIGN_IN),
});

const poolConfiguration = (pool = '', domain?: string): PoolConfiguration => {
  const issuer = `https://cognito-idp.${pool.split('_')[0]}.amazonaws.com/${pool}`;
  return {
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    ...(domain === undefined
      ? {}
      : { authorization_endpoint: `${domain}/oauth2/authorize`, token_endpoint: `${domain}/oauth2/token` }),
  };
};
