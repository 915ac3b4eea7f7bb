import { SecretValue } from 'aws-cdk-lib';
import {
  type AttributeMapping,
  ClientAttributes,
  OAuthScope,
  OidcAttributeRequestMethod,
  ProviderAttribute,
  type UserPool,
  UserPoolClientIdentityProvider,
  UserPoolIdentityProviderOidc,
  UserPoolIdentityProviderSaml,
  UserPoolIdentityProviderSamlMetadata,
} from 'aws-cdk-lib/aws-cognito';
import type { FederatedHospital } from '../sign-in-settings.ts';
import type { StageConfig } from '../stages.ts';
import { clientSettings } from './pool-settings.ts';

/**
 * Lets the staff of a hospital sign on there, by an application of its own. The hospital says who somebody is and in which groups; never for which organisation, nor which
 * record of the directory is somebody's: that an administrator enters.
 *
 * Cognito writes groups as the application that is signed in by, so that it must be allowed to. Nobody else is: the token that would let users write them comes of a
 * password alone, which this application takes none of.
 * https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-specifying-attribute-mapping.html
 */
export const addHospitalSignOn = (
  pool: UserPool,
  hospital: FederatedHospital,
  { scopes, stage }: { readonly scopes: readonly OAuthScope[]; readonly stage: StageConfig },
): void => {
  const { name, claims } = hospital;
  const attributeMapping: AttributeMapping = {
    email: ProviderAttribute.other(claims.email),
    custom: { 'custom:groups': ProviderAttribute.other(claims.groups) },
  };
  const common = { userPool: pool, name, attributeMapping };
  const provider =
    hospital.protocol === 'saml'
      ? new UserPoolIdentityProviderSaml(pool, `Hospital-${name}`, {
          ...common,
          metadata: UserPoolIdentityProviderSamlMetadata.url(hospital.metadataUrl),
          idpSignout: true,
        })
      : new UserPoolIdentityProviderOidc(pool, `Hospital-${name}`, {
          ...common,
          issuerUrl: hospital.issuer,
          clientId: hospital.clientId,
          // CloudFormation looks it up as it deploys: no template holds it.
          clientSecret: SecretValue.secretsManager(hospital.secretName, { jsonField: 'clientSecret' }).unsafeUnwrap(),
          scopes: [...hospital.scopes],
          attributeRequestMethod: OidcAttributeRequestMethod.GET,
        });
  const client = pool.addClient(`Apps-${name}`, {
    ...clientSettings,
    authFlows: { userSrp: false }, // no password of the pool; said, for Cognito takes one where nothing is
    oAuth: {
      flows: { authorizationCodeGrant: true },
      scopes: [OAuthScope.OPENID, ...scopes],
      callbackUrls: [...stage.signIn.callbackUrls],
    },
    supportedIdentityProviders: [UserPoolClientIdentityProvider.custom(name)],
    writeAttributes: new ClientAttributes().withStandardAttributes({ email: true }).withCustomAttributes('groups'),
  });
  client.node.addDependency(provider);
};
