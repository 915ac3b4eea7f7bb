import { Aws, Duration, RemovalPolicy } from 'aws-cdk-lib';
import {
  AccountRecovery,
  CfnUserPoolRiskConfigurationAttachment,
  ClientAttributes,
  FeaturePlan,
  StandardThreatProtectionMode,
  type UserPool,
  type UserPoolClientOptions,
  type UserPoolProps,
} from 'aws-cdk-lib/aws-cognito';
import { renewableSeconds, tokenLifetimeSeconds } from '../../shared/access/token-lifetime.ts';
import type { StageConfig } from '../stages.ts';

/** Longest time that Cognito waits for a trigger. */
export const triggerTimeout = Duration.seconds(5);

/** What both pools of a stage have in common. */
export const poolSettings = ({ signIn, protected: isProtected }: StageConfig): UserPoolProps => ({
  signInAliases: { email: true },
  signInCaseSensitive: false,
  mfaSecondFactor: { otp: true, sms: false },
  passwordPolicy: {
    minLength: 14,
    requireLowercase: true,
    requireUppercase: true,
    requireDigits: true,
    requireSymbols: true,
    tempPasswordValidity: Duration.days(3),
  },
  accountRecovery: AccountRecovery.EMAIL_ONLY,
  ...(signIn.plan === 'plus'
    ? { featurePlan: FeaturePlan.PLUS, standardThreatProtectionMode: StandardThreatProtectionMode.FULL_FUNCTION }
    : { featurePlan: FeaturePlan.ESSENTIALS }),
  deletionProtection: isProtected,
  removalPolicy: isProtected ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
});

/**
 * Says what Cognito does about stolen passwords and risky sign-ins, which it else leaves to what it takes for usual. Nobody is refused for a risk who shows a second factor, as all staff do: who is called at night signs in
 * from elsewhere than usual.
 *
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-settings-adaptive-authentication.html
 */
export const answerRisks = (pool: UserPool, { signIn }: StageConfig): void => {
  if (signIn.plan !== 'plus') return;
  const notify = false; // which takes an address of the deployment's own to send from
  new CfnUserPoolRiskConfigurationAttachment(pool, 'Risks', {
    userPoolId: pool.userPoolId,
    clientId: 'ALL',
    compromisedCredentialsRiskConfiguration: { actions: { eventAction: 'BLOCK' } },
    accountTakeoverRiskConfiguration: {
      actions: {
        lowAction: { eventAction: 'NO_ACTION', notify },
        mediumAction: { eventAction: 'MFA_IF_CONFIGURED', notify },
        highAction: { eventAction: 'MFA_REQUIRED', notify },
      },
    },
  });
};

/** What all applications have in common by which people sign in. */
export const clientSettings: UserPoolClientOptions = {
  generateSecret: false, // apps in a browser cannot keep one; they prove themselves by PKCE
  readAttributes: new ClientAttributes().withStandardAttributes({ email: true, emailVerified: true }),
  accessTokenValidity: Duration.seconds(tokenLifetimeSeconds),
  idTokenValidity: Duration.hours(1),
  refreshTokenValidity: Duration.seconds(renewableSeconds),
  enableTokenRevocation: true,
  preventUserExistenceErrors: true,
};

/**
 * Gives a pool its sign-in pages.
 *
 * @param prefix - with the account behind it, unique among all accounts of the region.
 * @returns their address.
 */
export const addSignInPages = (pool: UserPool, prefix: string, { region }: StageConfig): string => {
  const { domainName } = pool.addDomain('Pages', { cognitoDomain: { domainPrefix: `${prefix}-${Aws.ACCOUNT_ID}` } });
  return `https://${domainName}.auth.${region}.amazoncognito.com`;
};
