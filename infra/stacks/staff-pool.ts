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
import { roles } from '../../shared/access/caller.ts';
import type { DigestResource } from '../grants/digest-access.ts';
import { statementsFor } from '../grants/grants.ts';
import { signInGrants } from '../grants/sign-in-grants.ts';
import type { TableResource } from '../grants/table-access.ts';
import { tokenClaimsEntries } from '../local/pool-functions.ts';
import { federationText } from '../sign-in-settings.ts';
import { BundledFunction, describeEntry, type FunctionSettings } from './bundled-function.ts';
import { addHospitalSignOn } from './hospital-sign-on.ts';
import { addGatewayScope, addScopes } from './pool-scopes.ts';
import { addSignInPages, answerRisks, clientSettings, poolSettings, triggerTimeout } from './pool-settings.ts';

interface StaffPoolProps extends FunctionSettings {
  readonly table: { readonly tableName: string; readonly resource: TableResource };
  readonly digests: { readonly bucketName: string; readonly resource: DigestResource };
}

/** Where staff sign in, and applications of organisations get their tokens. */
export class StaffPool extends Construct {
  readonly userPool: UserPool;
  readonly client: UserPoolClient;
  /** Address of the sign-in pages. */
  readonly domain: string;

  constructor(scope: Construct, id: string, { table, digests, ...settings }: StaffPoolProps) {
    super(scope, id);
    const { stage } = settings;
    const { signIn } = stage;
    const federation = signIn.federation ?? [];
    this.userPool = new UserPool(this, 'Pool', {
      ...poolSettings(stage),
      selfSignUpEnabled: false,
      // Who a person is to Concord. No application of this stack may write these, but for the groups of those who sign on at a hospital.
      customAttributes: {
        organization: new StringAttribute({ mutable: true, maxLen: 64 }),
        fhirUser: new StringAttribute({ mutable: true, maxLen: 128 }),
        groups: new StringAttribute({ mutable: true, maxLen: 2_048 }),
      },
      mfa: signIn.secondFactor === 'required' ? Mfa.REQUIRED : Mfa.OPTIONAL,
    });
    for (const role of roles) {
      if (role === 'patient' || role === 'system') continue; // no staff
      this.userPool.addGroup(`Role-${role}`, { groupName: role });
    }
    const entry = tokenClaimsEntries.staff;
    const addTokenClaims = new BundledFunction(this, 'AddTokenClaims', {
      ...settings,
      entry,
      description: describeEntry(stage, entry),
      timeout: triggerTimeout,
      environment: {
        TABLE_NAME: table.tableName,
        DIGEST_BUCKET_NAME: digests.bucketName,
        ...(federation.length === 0 ? {} : { FEDERATION: federationText(federation) }),
      },
      statements: statementsFor(signInGrants, entry, { table: table.resource, digests: digests.resource }),
    });
    this.userPool.addTrigger(UserPoolOperation.PRE_TOKEN_GENERATION_CONFIG, addTokenClaims, LambdaVersion.V3_0);
    addGatewayScope(this.userPool);
    answerRisks(this.userPool, stage);
    this.domain = addSignInPages(this.userPool, `concord-${stage.name}`, stage);

    const scopes = addScopes(this.userPool, 'user');
    addScopes(this.userPool, 'system'); // for applications, which an administrator adds: npm run admin
    this.client = this.userPool.addClient('Apps', {
      ...clientSettings,
      authFlows: { userSrp: true },
      oAuth: {
        flows: { authorizationCodeGrant: true },
        scopes: [OAuthScope.OPENID, ...scopes],
        callbackUrls: [...signIn.callbackUrls],
      },
      supportedIdentityProviders: [UserPoolClientIdentityProvider.COGNITO],
      writeAttributes: new ClientAttributes().withStandardAttributes({ email: true }),
    });
    for (const hospital of federation) addHospitalSignOn(this.userPool, hospital, { scopes, stage });
    new CfnOutput(this, 'PoolId', { value: this.userPool.userPoolId, description: 'Pool of staff and applications' });
    new CfnOutput(this, 'TokenEndpoint', {
      value: `${this.domain}/oauth2/token`,
      description: 'Where applications get their tokens',
    });
  }
}
