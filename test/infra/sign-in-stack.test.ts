import { describe, expect, it } from 'vitest';
import { roles } from '../../shared/access/caller.ts';
import { smartConfiguration } from '../../shared/access/smart-configuration.ts';
import { entryOf, type Resource, synthesised } from '../support/synthesised.ts';

const only = (type: string, stage?: string): Resource => {
  const [first, ...others] = synthesised(stage).resources(type);
  if (!first || others.length > 0) throw new Error(`There is not one ${type}`);
  return first;
};

const pool = (stage?: string) => only('AWS::Cognito::UserPool', stage).properties;
const client = () => only('AWS::Cognito::UserPoolClient').properties;

describe('sign-in of the stack', () => {
  it('is for people whom an administrator has entered', () => {
    expect(pool().AdminCreateUserConfig).toEqual({ AllowAdminCreateUserOnly: true });
  });

  it('asks for a second factor in production, and not by text message', () => {
    expect(pool()).toMatchObject({ MfaConfiguration: 'ON', EnabledMfas: ['SOFTWARE_TOKEN_MFA'] });
    expect(pool('dev').MfaConfiguration).toBe('OPTIONAL');
  });

  it('watches for stolen passwords in production and cannot be deleted', () => {
    expect(pool()).toMatchObject({
      UserPoolTier: 'PLUS',
      UserPoolAddOns: { AdvancedSecurityMode: 'ENFORCED' },
      DeletionProtection: 'ACTIVE',
    });
  });

  it('adds the claims of Concord to access tokens, in any plan', () => {
    const functions = synthesised()
      .resources('AWS::Lambda::Function')
      .filter((each) => entryOf(each) === 'functions/add-token-claims.ts');

    expect(pool().LambdaConfig).toEqual({
      PreTokenGenerationConfig: { LambdaArn: { 'Fn::GetAtt': [functions[0]?.id, 'Arn'] }, LambdaVersion: 'V3_0' },
    });
    expect(pool('dev').UserPoolTier).toBe('ESSENTIALS');
  });

  it('has a group for every role of staff', () => {
    const groups = synthesised()
      .resources('AWS::Cognito::UserPoolGroup')
      .map(({ properties }) => properties.GroupName);

    expect(groups.sort()).toEqual(roles.filter((role) => role !== 'patient' && role !== 'system').sort());
  });

  it('knows the scopes that discovery names', () => {
    const servers = synthesised().resources('AWS::Cognito::UserPoolResourceServer');

    const scopes = servers.flatMap(({ properties }) =>
      (properties.Scopes as { ScopeName: string }[]).map(
        ({ ScopeName }) => `${String(properties.Identifier)}/${ScopeName}`,
      ),
    );

    expect(scopes.sort()).toEqual([...smartConfiguration({}).scopes_supported].sort());
  });

  it('lets apps ask for the scopes of staff alone, by code', () => {
    const user = synthesised()
      .resources('AWS::Cognito::UserPoolResourceServer')
      .find(({ properties }) => properties.Identifier === 'user');

    expect(client()).toMatchObject({
      AllowedOAuthFlows: ['code'],
      AllowedOAuthScopes: ['openid', { 'Fn::Join': ['', [{ Ref: user?.id }, '/*.cruds']] }],
      GenerateSecret: false,
    });
  });

  it('lets no app change who somebody is to Concord', () => {
    const attributes = (pool().Schema as { Name: string }[]).map(({ Name }) => Name);

    expect(attributes.sort()).toEqual(['fhirUser', 'organization']);
    expect(client().WriteAttributes).toEqual(['email']);
  });

  it('gives access for an hour, revocably, and does not tell who has an account', () => {
    expect(client()).toMatchObject({
      AccessTokenValidity: 60,
      TokenValidityUnits: { AccessToken: 'minutes' },
      EnableTokenRevocation: true,
      PreventUserExistenceErrors: 'ENABLED',
    });
  });
});
