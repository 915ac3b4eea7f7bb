/** What SMART's discovery document says here. */
export interface SmartConfiguration {
  readonly issuer: string;
  readonly jwks_uri: string;
  readonly token_endpoint?: string;
  readonly authorization_endpoint?: string;
  readonly grant_types_supported: readonly string[];
  readonly scopes_supported: readonly string[];
  readonly code_challenge_methods_supported: readonly string[];
  readonly capabilities: readonly string[];
}

/**
 * Where and how to get a token, for apps. The pool names itself; its sign-in pages exist only where SIGN_IN_DOMAIN is set.
 * https://hl7.org/fhir/smart-app-launch/STU2.1/conformance.html
 */
export const smartConfiguration = (env: Readonly<Record<string, string | undefined>>): SmartConfiguration => {
  const pool = env.USER_POOL_ID ?? '';
  const issuer = `https://cognito-idp.${pool.split('_')[0]}.amazonaws.com/${pool}`;
  const domain = env.SIGN_IN_DOMAIN;
  return {
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    ...(domain === undefined
      ? {}
      : { authorization_endpoint: `${domain}/oauth2/authorize`, token_endpoint: `${domain}/oauth2/token` }),
    grant_types_supported: ['authorization_code', 'client_credentials'],
    scopes_supported: ['user/*.cruds', 'system/*.cruds', 'patient/*.rs'],
    code_challenge_methods_supported: ['S256'],
    capabilities: [
      'permission-patient',
      'permission-user',
      'permission-v2',
      'client-public',
      'client-confidential-symmetric',
    ],
  };
};
