import { describe, expect, it } from 'vitest';
import { callerFrom } from '../../shared/access/caller.ts';
import { type TokenEvent, withTokenClaims } from '../../shared/access/token-claims.ts';

const physician = { 'custom:organization': 'northside', 'custom:fhirUser': 'Practitioner/p-1' };

const tokenEvent = (request: {
  groups?: string[];
  attributes?: Record<string, string>;
  scopes?: string[];
  source?: string;
}): TokenEvent =>
  ({
    version: '3',
    triggerSource: request.source ?? 'TokenGeneration_HostedAuth',
    region: 'us-east-1',
    userPoolId: 'us-east-1_Staff',
    userName: 'u-1',
    callerContext: { awsSdkVersion: '3', clientId: 'apps' },
    request: {
      userAttributes: request.attributes ?? physician,
      groupConfiguration: { groupsToOverride: request.groups ?? ['physician'] },
      scopes: request.scopes ?? ['openid', 'user/*.cruds'],
    },
    response: { claimsAndScopeOverrideDetails: {} },
  }) as unknown as TokenEvent;

const accessTokenOf = async (event: TokenEvent) =>
  withTokenClaims(event).response.claimsAndScopeOverrideDetails.accessTokenGeneration;

describe('pre-token trigger', () => {
  it('adds organization, roles and fhirUser of staff', async () => {
    const event = tokenEvent({ groups: ['physician', 'privacy', 'hospital-federation'] });

    const token = await accessTokenOf(event);

    expect(token?.claimsToAddOrOverride).toEqual({
      organization: 'northside',
      roles: ['physician', 'privacy'],
      fhirUser: 'Practitioner/p-1',
    });
  });

  it('adds the patient in context and no organization for a patient', async () => {
    const attributes = {
      'custom:patient': 'abc',
      'custom:fhirUser': 'Patient/abc',
      'custom:organization': 'northside',
    };

    const token = await accessTokenOf(tokenEvent({ groups: ['patient'], attributes, scopes: ['patient/*.rs'] }));

    expect(token?.claimsToAddOrOverride).toEqual({ patient: 'abc', roles: ['patient'], fhirUser: 'Patient/abc' });
    expect(token?.scopesToSuppress).toEqual([]);
  });

  it('puts the patient in context whom who acts for several asks for, and never another fhirUser', async () => {
    const attributes = { 'custom:patient': 'abc', 'custom:fhirUser': 'RelatedPerson/parent' };
    const asked = (patient: string) => {
      const event = tokenEvent({ groups: ['patient'], attributes });
      Object.assign(event.request, { clientMetadata: { patient, fhirUser: 'Patient/def' } });
      return accessTokenOf(event);
    };

    expect((await asked('def'))?.claimsToAddOrOverride).toEqual({
      patient: 'def',
      roles: ['patient'],
      fhirUser: 'RelatedPerson/parent',
    });
    await expect(asked('a b')).rejects.toThrow('no id');
  });

  it('adds all that the functions ask of a token', async () => {
    const token = await accessTokenOf(tokenEvent({}));

    const caller = callerFrom({
      sub: 's',
      username: 'u',
      client_id: 'c',
      scope: 'user/*.cruds',
      ...token?.claimsToAddOrOverride,
    });

    expect(caller).toMatchObject({ organization: 'northside', roles: ['physician'], fhirUser: 'Practitioner/p-1' });
  });

  it('takes away clinical scopes that are meant for another kind of caller', async () => {
    const scopes = ['openid', 'user/*.cruds', 'system/*.cruds', 'patient/*.rs'];

    const token = await accessTokenOf(tokenEvent({ scopes }));

    expect(token?.scopesToSuppress).toEqual(['system/*.cruds', 'patient/*.rs']);
  });

  it.each([
    ['an organization', { attributes: { 'custom:fhirUser': 'Practitioner/p-1' } }, /"organization"/],
    ['a fhirUser', { attributes: { 'custom:organization': 'northside' } }, /"fhirUser"/],
    [
      'an organization that says something',
      { attributes: { ...physician, 'custom:organization': ' ' } },
      /"organization"/,
    ],
    ['a patient', { groups: ['patient'], attributes: { 'custom:fhirUser': 'Patient/abc' } }, /"patient"/],
    ['a role', { groups: ['hospital-federation'] }, /no group that is a role/],
  ])('gives no token to a user without %s', async (_, request, message) => {
    expect(() => withTokenClaims(tokenEvent(request))).toThrow(message);
  });

  it.each([[['patient', 'nurse']], [['system', 'admin']]])(
    'gives no token to a user who is %s at once',
    async (groups) => {
      const attributes = { ...physician, 'custom:patient': 'abc' };

      expect(() => withTokenClaims(tokenEvent({ groups, attributes }))).toThrow(/stands alone/);
    },
  );

  it('gives no token to an application, of which nobody says whose it is', async () => {
    const event = tokenEvent({ source: 'TokenGeneration_ClientCredentials', groups: [], attributes: {} });

    expect(() => withTokenClaims(event)).toThrow(/Applications/);
  });
});
