import { CfnOutput } from 'aws-cdk-lib';
import {
  ClientAttributes,
  LambdaVersion,
  Mfa,
  OAuthScope,
  StringAttribute,
  UserPool,
  type UserPoolClient,
  UserPoolClientIdentityProvider,
  UserPoolOperation,
} from 'aws-cdk-lib/aws-cognito';
import { Construct } from 'constructs';
import type { DigestResource } from '../grants/digest-access.ts';
import { statementsFor } from '../grants/grants.ts';
import { signInGrants } from '../grants/sign-in-grants.ts';
import type { TableResource } from '../grants/table-access.ts';
import { tokenClaimsEntries } from '../local/pool-functions.ts';
import { BundledFunction, describeEntry, type FunctionSettings } from './bundled-function.ts';
import { addGatewayScope, addScopes } from './pool-scopes.ts';
import { addSignInPages, answerRisks, clientSettings, poolSettings, triggerTimeout } from './pool-settings.ts';

interface PatientPoolProps extends FunctionSettings {
  readonly table: { readonly tableName: string; readonly resource: TableResource };
  readonly digests: { readonly bucketName: string; readonly resource: DigestResource };
}

/** Where patients sign in, and who acts for them. Nobody becomes staff here, whatever is made of it. */
export class PatientPool extends Construct {
  readonly userPool: UserPool;
  readonly client: UserPoolClient;
  /** Address of the sign-in pages. */
  readonly domain: string;

  constructor(scope: Construct, id: string, { table, digests, ...settings }: PatientPoolProps) {
    super(scope, id);
    const { stage } = settings;
    const { selfSignUp, callbackUrls } = stage.signIn.patients;
    this.userPool = new UserPool(this, 'Pool', {
      ...poolSettings(stage),
      selfSignUpEnabled: selfSignUp,
      autoVerify: { email: true },
      // Whose chart it is that somebody sees. No application may write these; without them there is no token.
      customAttributes: {
        patient: new StringAttribute({ mutable: true, maxLen: 64 }),
        fhirUser: new StringAttribute({ mutable: true, maxLen: 128 }),
      },
      mfa: Mfa.OPTIONAL,
    });
    const entry = tokenClaimsEntries.patients;
    const addTokenClaims = new BundledFunction(this, 'AddTokenClaims', {
      ...settings,
      entry,
      description: describeEntry(stage, entry),
      timeout: triggerTimeout,
      environment: { TABLE_NAME: table.tableName, DIGEST_BUCKET_NAME: digests.bucketName },
      statements: statementsFor(signInGrants, entry, { table: table.resource, digests: digests.resource }),
    });
    this.userPool.addTrigger(UserPoolOperation.PRE_TOKEN_GENERATION_CONFIG, addTokenClaims, LambdaVersion.V3_0);
    addGatewayScope(this.userPool);
    answerRisks(this.userPool, stage);
    this.domain = addSignInPages(this.userPool, `concord-${stage.name}-patients`, stage);
    this.client = this.userPool.addClient('Apps', {
      ...clientSettings,
      authFlows: { userSrp: true },
      oAuth: {
        flows: { authorizationCodeGrant: true },
        scopes: [OAuthScope.OPENID, ...addScopes(this.userPool, 'patient')],
        callbackUrls: [...callbackUrls],
      },
      supportedIdentityProviders: [UserPoolClientIdentityProvider.COGNITO],
      writeAttributes: new ClientAttributes().withStandardAttributes({ email: true }),
    });
    new CfnOutput(this, 'PoolId', { value: this.userPool.userPoolId, description: 'Pool of patients' });
  }
}
