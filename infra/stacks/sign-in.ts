import { Aws, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import {
  AccountRecovery,
  ClientAttributes,
  FeaturePlan,
  LambdaVersion,
  Mfa,
  OAuthScope,
  ResourceServerScope,
  StandardThreatProtectionMode,
  StringAttribute,
  UserPool,
  type UserPoolClient,
  UserPoolClientIdentityProvider,
  UserPoolOperation,
} from 'aws-cdk-lib/aws-cognito';
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Construct } from 'constructs';
import { roles } from '../../shared/access/caller.ts';
import { smartConfiguration } from '../../shared/access/smart-configuration.ts';
import { renewableSeconds, tokenLifetimeSeconds } from '../../shared/access/token-lifetime.ts';
import { endingCalls, failures, signInCalls } from '../../shared/audit/user-pool-events.ts';
import { statementsFor } from '../grants/grants.ts';
import { signInGrants } from '../grants/sign-in-grants.ts';
import type { TableResource } from '../grants/table-access.ts';
import { followPoolEntry, tokenClaimsEntry } from '../local/user-pool.ts';
import { BundledFunction, backgroundTimeout, describeEntry, type FunctionSettings } from './bundled-function.ts';

export interface SignInStackProps extends StackProps, FunctionSettings {
  readonly table: { readonly tableName: string; readonly resource: TableResource };
}

/** Scopes that open the API: those that discovery names. */
export const clinicalScopes: readonly string[] = smartConfiguration({}).scopes_supported;

/** Longest time that Cognito waits for a trigger. */
const triggerTimeout = Duration.seconds(5);

/** Where staff sign in. */
export class SignInStack extends Stack {
  readonly userPool: UserPool;
  readonly client: UserPoolClient;
  /** Address of the sign-in pages. */
  readonly domain: string;

  constructor(scope: Construct, id: string, { stage, bundleFolder, logKey, table, ...props }: SignInStackProps) {
    super(scope, id, props);
    const plus = stage.signIn.plan === 'plus';
    this.userPool = new UserPool(this, 'Staff', {
      selfSignUpEnabled: false,
      signInAliases: { email: true },
      signInCaseSensitive: false,
      // Who a person is to Concord. No app client may write these.
      customAttributes: {
        organization: new StringAttribute({ mutable: true, maxLen: 64 }),
        fhirUser: new StringAttribute({ mutable: true, maxLen: 128 }),
      },
      mfa: stage.signIn.secondFactor === 'required' ? Mfa.REQUIRED : Mfa.OPTIONAL,
      mfaSecondFactor: { otp: true, sms: false },
      passwordPolicy: { minLength: 14, tempPasswordValidity: Duration.days(3) },
      accountRecovery: AccountRecovery.EMAIL_ONLY,
      featurePlan: plus ? FeaturePlan.PLUS : FeaturePlan.ESSENTIALS,
      ...(plus ? { standardThreatProtectionMode: StandardThreatProtectionMode.FULL_FUNCTION } : {}),
      deletionProtection: stage.protected,
      removalPolicy: stage.protected ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    for (const role of roles) {
      if (role === 'patient' || role === 'system') continue; // no staff
      this.userPool.addGroup(`Role-${role}`, { groupName: role });
    }
    const addTokenClaims = new BundledFunction(this, 'AddTokenClaims', {
      stage,
      bundleFolder,
      logKey,
      entry: tokenClaimsEntry,
      description: describeEntry(stage, tokenClaimsEntry),
      timeout: triggerTimeout,
      environment: { TABLE_NAME: table.tableName },
      statements: statementsFor(signInGrants, tokenClaimsEntry, { table: table.resource }),
    });
    this.userPool.addTrigger(UserPoolOperation.PRE_TOKEN_GENERATION_CONFIG, addTokenClaims, LambdaVersion.V3_0);

    const { domainName } = this.userPool.addDomain('Pages', {
      // Unique among all accounts of the region.
      cognitoDomain: { domainPrefix: `concord-${stage.name}-${Aws.ACCOUNT_ID}` },
    });
    this.domain = `https://${domainName}.auth.${stage.region}.amazoncognito.com`;
    this.client = this.userPool.addClient('Apps', {
      generateSecret: false, // apps in a browser cannot keep one; they prove themselves by PKCE
      authFlows: { userSrp: true },
      oAuth: {
        flows: { authorizationCodeGrant: true },
        scopes: [
          OAuthScope.OPENID,
          ...this.#resourceScopes().flatMap(({ level, scope }) => (level === 'user' ? [scope] : [])),
        ],
        callbackUrls: [...stage.signIn.callbackUrls],
      },
      supportedIdentityProviders: [UserPoolClientIdentityProvider.COGNITO],
      readAttributes: new ClientAttributes().withStandardAttributes({ email: true, emailVerified: true }),
      writeAttributes: new ClientAttributes().withStandardAttributes({ email: true }),
      accessTokenValidity: Duration.seconds(tokenLifetimeSeconds),
      idTokenValidity: Duration.hours(1),
      refreshTokenValidity: Duration.seconds(renewableSeconds),
      enableTokenRevocation: true,
      preventUserExistenceErrors: true,
    });
    this.#follow({ stage, bundleFolder, logKey, table });
  }

  /**
   * Hears of CloudTrail what Cognito tells no trigger. There are no such events without a trail of the account that logs management events.
   * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
   */
  #follow({ stage, bundleFolder, logKey, table }: SignInStackProps): void {
    const follow = new BundledFunction(this, 'FollowUserPool', {
      stage,
      bundleFolder,
      logKey,
      entry: followPoolEntry,
      description: describeEntry(stage, followPoolEntry),
      timeout: backgroundTimeout,
      environment: {
        TABLE_NAME: table.tableName,
        USER_POOL_ID: this.userPool.userPoolId,
        USER_POOL_CLIENT_IDS: this.client.userPoolClientId,
      },
      statements: statementsFor(signInGrants, followPoolEntry, { table: table.resource }),
    });
    const told = { source: ['aws.cognito-idp'], detailType: ['AWS API Call via CloudTrail'] };
    const eventSource = ['cognito-idp.amazonaws.com'];
    new Rule(this, 'UsersEnded', {
      eventPattern: {
        ...told,
        detail: {
          eventSource,
          eventName: [...endingCalls],
          requestParameters: { userPoolId: [this.userPool.userPoolId] },
        },
      },
      targets: [new LambdaFunction(follow)],
    });
    new Rule(this, 'FailedSignIns', {
      eventPattern: {
        ...told,
        detail: {
          eventSource,
          eventName: [...signInCalls],
          errorCode: [...failures],
          requestParameters: { clientId: [this.client.userPoolClientId] },
        },
      },
      targets: [new LambdaFunction(follow)],
    });
  }

  /** Adds a resource server for each level of scope, such as `user` with the scope `*.cruds`. */
  #resourceScopes(): { level: string; scope: OAuthScope }[] {
    return clinicalScopes.map((name) => {
      const [level = '', scopeName = ''] = name.split('/');
      const scope = new ResourceServerScope({ scopeName, scopeDescription: name });
      const server = this.userPool.addResourceServer(`Scopes-${level}`, { identifier: level, scopes: [scope] });
      return { level, scope: OAuthScope.resourceServer(server, scope) };
    });
  }
}
