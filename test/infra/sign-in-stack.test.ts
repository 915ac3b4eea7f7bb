import { describe, expect, it } from 'vitest';
import { stageNamed } from '../../infra/stages.ts';
import { roles } from '../../shared/access/caller.ts';
import { gatewayScope } from '../../shared/access/offered-scopes.ts';
import { smartConfiguration } from '../../shared/access/smart-configuration.ts';
import { entryOf, type Resource, type Synthesised, synthesise, synthesised } from '../support/synthesised.ts';

type Kind = 'staff' | 'patients';

const onlyOne = (found: readonly Resource[]): Resource => {
  const [first, ...others] = found;
  if (!first || others.length > 0) throw new Error(`There are ${found.length} of them`);
  return first;
};

/** A pool is known by the attribute that tells whose it is. */
const poolOf = (kind: Kind, of: Synthesised = synthesised()): Resource => {
  const attribute = { staff: 'organization', patients: 'patient' }[kind];
  const pools = of.resources('AWS::Cognito::UserPool');
  return onlyOne(pools.filter(({ properties }) => JSON.stringify(properties.Schema).includes(`"${attribute}"`)));
};
const pool = (kind: Kind, stage?: string) => poolOf(kind, synthesised(stage)).properties;

/** What belongs to a pool. */
const ofPool = (kind: Kind, type: string, of: Synthesised = synthesised()): readonly Resource[] => {
  const { id } = poolOf(kind, of);
  return of
    .resources(`AWS::Cognito::${type}`)
    .filter(({ properties }) => JSON.stringify(properties.UserPoolId) === `{"Ref":"${id}"}`);
};
const client = (kind: Kind) => onlyOne(ofPool(kind, 'UserPoolClient')).properties;

/** Clinical scopes of a pool; the scope that the gateway asks for is none. */
const scopesOf = (kind: Kind): string[] => allScopesOf(kind).filter((scope) => scope !== gatewayScope);
const allScopesOf = (kind: Kind): string[] =>
  ofPool(kind, 'UserPoolResourceServer').flatMap(({ properties }) =>
    (properties.Scopes as { ScopeName: string }[]).map(
      ({ ScopeName }) => `${String(properties.Identifier)}/${ScopeName}`,
    ),
  );

/** Scopes that an application may ask for, with their resource server's name in place of its reference. */
const askedFor = (kind: Kind): string[] =>
  (client(kind).AllowedOAuthScopes as unknown[]).map((scope) => {
    const [, reference, rest] = /"Ref":"(\w+)"\},"(\/[^"]*)"/.exec(JSON.stringify(scope)) ?? [];
    if (reference === undefined) return String(scope);
    const server = ofPool(kind, 'UserPoolResourceServer').find(({ id }) => id === reference);
    return `${String(server?.properties.Identifier)}${rest}`;
  });

describe('sign-in of the stack', () => {
  it('of staff is for people whom an administrator has entered, and of patients where the stage says so', () => {
    for (const kind of ['staff', 'patients'] as const)
      expect(pool(kind).AdminCreateUserConfig).toEqual({ AllowAdminCreateUserOnly: true });
  });

  it('asks staff for a second factor in production, patients for one if they like, and never by text message', () => {
    expect(pool('staff')).toMatchObject({ MfaConfiguration: 'ON', EnabledMfas: ['SOFTWARE_TOKEN_MFA'] });
    expect(pool('patients')).toMatchObject({ MfaConfiguration: 'OPTIONAL', EnabledMfas: ['SOFTWARE_TOKEN_MFA'] });
    expect(pool('staff', 'dev').MfaConfiguration).toBe('OPTIONAL');
  });

  it.each(['staff', 'patients'] as const)('of %s watches for stolen passwords and cannot be deleted', (kind) => {
    expect(pool(kind)).toMatchObject({
      UserPoolTier: 'PLUS',
      UserPoolAddOns: { AdvancedSecurityMode: 'ENFORCED' },
      DeletionProtection: 'ACTIVE',
    });
    expect(pool(kind, 'dev')).toMatchObject({ UserPoolTier: 'ESSENTIALS' });
  });

  it.each([
    ['staff', 'functions/add-token-claims.ts'],
    ['patients', 'functions/add-patient-claims.ts'],
  ] as const)('of %s has %s add the claims of Concord to access tokens, those of applications too', (kind, entry) => {
    const found = onlyOne(
      synthesised()
        .resources('AWS::Lambda::Function')
        .filter((each) => entryOf(each) === entry),
    );

    expect(pool(kind).LambdaConfig).toEqual({
      PreTokenGenerationConfig: { LambdaArn: { 'Fn::GetAtt': [found.id, 'Arn'] }, LambdaVersion: 'V3_0' },
    });
  });

  it('has a group for every role of staff, and none for patients', () => {
    const groups = ofPool('staff', 'UserPoolGroup').map(({ properties }) => properties.GroupName);

    expect(groups.sort()).toEqual(roles.filter((role) => role !== 'patient' && role !== 'system').sort());
    expect(ofPool('patients', 'UserPoolGroup')).toEqual([]);
  });

  it('knows the scopes that discovery names, each in the pool of whom it is for', () => {
    const [staff, patients] = [scopesOf('staff'), scopesOf('patients')];

    expect([...staff, ...patients].sort()).toEqual([...smartConfiguration({}).scopes_supported].sort());
    expect(new Set(staff.map((scope) => scope.split('/')[0]))).toEqual(new Set(['user', 'system']));
    expect(new Set(patients.map((scope) => scope.split('/')[0]))).toEqual(new Set(['patient']));
    expect(patients).toEqual(
      expect.arrayContaining(['Consent', 'Task', 'Communication'].map((type) => `patient/${type}.cruds`)),
    );
  });

  it('knows the scope that the gateway asks for, which no application may ask for', () => {
    for (const kind of ['staff', 'patients'] as const) {
      expect(allScopesOf(kind)).toContain(gatewayScope);
      expect(askedFor(kind)).not.toContain(gatewayScope);
    }
  });

  it('keeps to what Cognito takes of scopes', () => {
    // https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ResourceServerScopeType.html
    for (const { properties } of synthesised().resources('AWS::Cognito::UserPoolResourceServer')) {
      const scopes = properties.Scopes as { ScopeName: string; ScopeDescription: string }[];
      expect(scopes.length).toBeLessThanOrEqual(100);
      for (const { ScopeName, ScopeDescription } of scopes) {
        expect(ScopeName).toMatch(/^[\x21\x23-\x2E\x30-\x5B\x5D-\x7E]{1,256}$/);
        expect(ScopeDescription.length).toBeLessThanOrEqual(256);
      }
    }
    for (const { properties } of synthesised().resources('AWS::Cognito::UserPoolClient'))
      expect((properties.AllowedOAuthScopes as unknown[]).length).toBeLessThanOrEqual(50);
  });

  it.each([
    ['staff', 'user'],
    ['patients', 'patient'],
  ] as const)('lets apps of %s ask for the scopes of the level %s alone, by code', (kind, level) => {
    const scopes = scopesOf(kind).filter((scope) => scope.startsWith(`${level}/`));

    expect(askedFor(kind).sort()).toEqual(['openid', ...scopes].sort());
    expect(client(kind)).toMatchObject({ AllowedOAuthFlows: ['code'], GenerateSecret: false });
  });

  it.each([
    ['staff', ['fhirUser', 'groups', 'organization']],
    ['patients', ['fhirUser', 'patient']],
  ] as const)('lets no app of %s change who somebody is to Concord', (kind, attributes) => {
    expect((pool(kind).Schema as { Name: string }[]).map(({ Name }) => Name).sort()).toEqual(attributes);
    expect(client(kind).WriteAttributes).toEqual(['email']);
  });

  it.each(['staff', 'patients'] as const)(
    'gives %s access for an hour, revocably, and tells nobody who has an account',
    (kind) => {
      expect(client(kind)).toMatchObject({
        AccessTokenValidity: 60,
        TokenValidityUnits: { AccessToken: 'minutes' },
        EnableTokenRevocation: true,
        PreventUserExistenceErrors: 'ENABLED',
      });
    },
  );

  it('has failed sign-ins of both pools followed, by a log that Cognito can write and that is not kept', () => {
    const follow = onlyOne(
      synthesised()
        .resources('AWS::Lambda::Function')
        .filter((each) => entryOf(each) === 'functions/follow-user-pool.ts'),
    );
    const filters = synthesised().resources('AWS::Logs::SubscriptionFilter');
    for (const kind of ['staff', 'patients'] as const) {
      const name = `/aws/vendedlogs/concord-production-${kind}`;
      const log = onlyOne(
        synthesised()
          .resources('AWS::Logs::LogGroup')
          .filter(({ properties }) => properties.LogGroupName === name),
      );
      const { properties } = onlyOne(ofPool(kind, 'LogDeliveryConfiguration'));

      expect(properties.LogConfigurations).toEqual([
        {
          EventSource: 'userAuthEvents',
          LogLevel: 'INFO',
          CloudWatchLogsConfiguration: {
            LogGroupArn: { 'Fn::Join': ['', expect.arrayContaining([`:log-group:${name}`])] },
          },
        },
      ]);
      // https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CloudWatchLogsConfigurationType.html
      expect(log.properties).not.toHaveProperty('KmsKeyId');
      expect(log.properties.RetentionInDays).toBe(7);
      const filter = onlyOne(filters.filter((each) => JSON.stringify(each.properties.LogGroupName).includes(log.id)));
      expect(filter.properties).toMatchObject({
        DestinationArn: { 'Fn::GetAtt': [follow.id, 'Arn'] },
        FilterPattern: '{ $.message.eventResponse = "Fail" }',
      });
      const permission = onlyOne(
        synthesised()
          .resources('AWS::Lambda::Permission')
          .filter(
            (each) =>
              each.properties.Principal === 'logs.amazonaws.com' && JSON.stringify(each.properties).includes(log.id),
          ),
      );
      expect(permission.properties.SourceAccount).toEqual({ Ref: 'AWS::AccountId' });
      // CloudWatch Logs calls the function as the filter is made
      const { DependsOn } =
        synthesised().templates.signIn.findResources('AWS::Logs::SubscriptionFilter')[filter.id] ?? {};
      expect(DependsOn).toContain(permission.id);
      // else a deployment that failed would leave a log behind whose name is taken
      expect(log.deletionPolicy).toBe('RetainExceptOnCreate');
    }
  });

  it.each(['staff', 'patients'] as const)(
    'refuses %s passwords that are known as stolen, and asks for the second factor where a sign-in is risky',
    (kind) => {
      expect(onlyOne(ofPool(kind, 'UserPoolRiskConfigurationAttachment')).properties).toMatchObject({
        ClientId: 'ALL',
        CompromisedCredentialsRiskConfiguration: { Actions: { EventAction: 'BLOCK' } },
        AccountTakeoverRiskConfiguration: {
          Actions: { MediumAction: { EventAction: 'MFA_IF_CONFIGURED' }, HighAction: { EventAction: 'MFA_REQUIRED' } },
        },
      });
    },
  );

  it('has no such log where the plan has none', () => {
    expect(synthesised('dev').resources('AWS::Cognito::LogDeliveryConfiguration')).toEqual([]);
  });
});

describe('hospitals whose staff sign on there', () => {
  const production = stageNamed('production');
  const common = { roles: { 'EHR Doctors': 'physician' }, claims: { groups: 'memberOf', email: 'mail' } } as const;
  const stage = synthesise({
    ...production,
    signIn: {
      ...production.signIn,
      patients: { ...production.signIn.patients, selfSignUp: true },
      federation: [
        {
          ...common,
          protocol: 'saml',
          name: 'Lakeside',
          organization: 'lakeside',
          metadataUrl: 'https://sso.lakeside.org/metadata',
        },
        {
          ...common,
          protocol: 'oidc',
          name: 'Northside',
          organization: 'northside',
          issuer: 'https://sso.northside.org',
          clientId: 'concord',
          secretName: 'concord/northside',
          scopes: ['openid', 'email', 'groups'],
        },
      ],
    },
  });
  const providerOf = (name: string) =>
    onlyOne(
      ofPool('staff', 'UserPoolIdentityProvider', stage).filter(({ properties }) => properties.ProviderName === name),
    ).properties;
  const clients = () => ofPool('staff', 'UserPoolClient', stage);

  it('sign on by SAML or OpenID, say who somebody is and in which groups, and nothing else', () => {
    const mapped = { email: 'mail', 'custom:groups': 'memberOf' };

    expect(providerOf('Lakeside')).toMatchObject({
      ProviderType: 'SAML',
      ProviderDetails: { MetadataURL: 'https://sso.lakeside.org/metadata' },
      AttributeMapping: mapped,
    });
    expect(providerOf('Northside')).toMatchObject({
      ProviderType: 'OIDC',
      ProviderDetails: {
        oidc_issuer: 'https://sso.northside.org',
        client_id: 'concord',
        client_secret: '{{resolve:secretsmanager:concord/northside:SecretString:clientSecret::}}',
        authorize_scopes: 'openid email groups',
      },
      AttributeMapping: mapped,
    });
  });

  it('have an application of their own that takes no password of the pool, and alone writes groups', () => {
    const by = (provider: string) =>
      onlyOne(clients().filter(({ properties }) => String(properties.SupportedIdentityProviders) === provider))
        .properties;

    for (const name of ['Lakeside', 'Northside'])
      expect(by(name)).toMatchObject({
        ExplicitAuthFlows: ['ALLOW_REFRESH_TOKEN_AUTH'],
        WriteAttributes: ['custom:groups', 'email'],
        AllowedOAuthFlows: ['code'],
      });
    expect(by('COGNITO').WriteAttributes).toEqual(['email']);
    expect(JSON.stringify(by('Lakeside').AllowedOAuthScopes)).not.toContain('admin');
  });

  it('are told to the trigger with their organization and roles', () => {
    const trigger = onlyOne(
      stage.resources('AWS::Lambda::Function').filter((each) => entryOf(each) === 'functions/add-token-claims.ts'),
    );
    const { Variables } = trigger.properties.Environment as { Variables: { FEDERATION: string } };

    expect(JSON.parse(Variables.FEDERATION)).toEqual({
      Lakeside: { organization: 'lakeside', roles: { 'EHR Doctors': 'physician' } },
      Northside: { organization: 'northside', roles: { 'EHR Doctors': 'physician' } },
    });
  });

  it('do not change how patients sign in, who make accounts by themselves where the stage says so', () => {
    expect(poolOf('patients', stage).properties.AdminCreateUserConfig).toEqual({ AllowAdminCreateUserOnly: false });
    expect(ofPool('patients', 'UserPoolIdentityProvider', stage)).toEqual([]);
  });
});
