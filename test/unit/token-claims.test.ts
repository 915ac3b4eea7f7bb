import { describe, expect, it } from 'vitest';
import { localUsers, patientUsername, proxyUsername } from '../../infra/local/users.ts';
import { callerFrom } from '../../shared/access/caller.ts';
import { localPoolNames } from '../../shared/access/demo-users.ts';
import type { Federation } from '../../shared/access/federation.ts';
import {
  type TokenEvent,
  withApplicationClaims,
  withPatientClaims,
  withStaffClaims,
} from '../../shared/access/token-claims.ts';
import type { Application } from '../../shared/store/applications.ts';

const physician = { 'custom:organization': 'northside', 'custom:fhirUser': 'Practitioner/p-1' };
const anna = { 'custom:patient': 'abc', 'custom:fhirUser': 'Patient/abc' };

const tokenEvent = (
  request: { groups?: string[]; attributes?: Record<string, string>; scopes?: string[]; source?: string },
  { pool = 'us-east-1_Abcdef123', userName = 'u-1' } = {},
): TokenEvent =>
  ({
    version: '3',
    triggerSource: request.source ?? 'TokenGeneration_HostedAuth',
    region: 'us-east-1',
    userPoolId: pool,
    userName,
    callerContext: { awsSdkVersion: '3', clientId: 'apps' },
    request: {
      userAttributes: request.attributes ?? physician,
      groupConfiguration: { groupsToOverride: request.groups ?? ['physician'] },
      scopes: request.scopes ?? ['openid', 'user/*.cruds'],
    },
    response: { claimsAndScopeOverrideDetails: {} },
  }) as unknown as TokenEvent;

const generated = ({ response }: TokenEvent) => response.claimsAndScopeOverrideDetails.accessTokenGeneration;
const staff = (event: TokenEvent, federation: Federation = {}) => generated(withStaffClaims(event, federation));
const patients = (event: TokenEvent) => generated(withPatientClaims(event));

/** What the functions make of a token with these claims. */
const callerOf = (claims: unknown, scope: string, more: object = { username: 'u' }) =>
  callerFrom({ sub: 's', client_id: 'c', scope, ...more, ...(claims as object) });

describe('the pre-token trigger of staff', () => {
  it('adds organization, roles and fhirUser, which is all that the functions ask of a token', () => {
    const token = staff(tokenEvent({ groups: ['physician', 'privacy', 'us-east-1_Abcdef123_Lakeside'] }));

    expect(token?.claimsToAddOrOverride).toEqual({
      organization: 'northside',
      roles: ['physician', 'privacy'],
      fhirUser: 'Practitioner/p-1',
    });
    expect(callerOf(token?.claimsToAddOrOverride, 'user/*.cruds')).toMatchObject({ roles: ['physician', 'privacy'] });
  });

  it('takes away clinical scopes that are meant for another kind of caller', () => {
    const scopes = ['openid', 'user/*.cruds', 'system/*.cruds', 'patient/*.rs'];

    expect(staff(tokenEvent({ scopes }))).toMatchObject({
      scopesToAdd: ['concord/api'],
      scopesToSuppress: ['system/*.cruds', 'patient/*.rs'],
    });
  });

  it.each([
    ['an organization', { attributes: { 'custom:fhirUser': 'Practitioner/p-1' } }, /"organization"/],
    ['a fhirUser', { attributes: { 'custom:organization': 'northside' } }, /"fhirUser"/],
    [
      'an organization that says something',
      { attributes: { ...physician, 'custom:organization': ' ' } },
      /"organization"/,
    ],
    ['a role', { groups: ['some-group'] }, /no group that is a role/],
  ])('gives no token to a user without %s', (_, request, message) => {
    expect(() => staff(tokenEvent(request))).toThrow(message);
  });

  it.each(['patient', 'system'])('makes nobody a %s, whatever group somebody has made', (group) => {
    const attributes = { ...physician, ...anna };

    expect(() => staff(tokenEvent({ groups: [group], attributes }))).toThrow(/for no staff/);
    expect(() => staff(tokenEvent({ groups: ['nurse', group], attributes }))).toThrow(/for no staff/);
  });
});

describe('staff who sign on at their hospital', () => {
  const federation: Federation = {
    Lakeside: { organization: 'lakeside', roles: { 'EHR Doctors': 'physician', 'EHR Desk': 'frontdesk' } },
  };
  const signOn = (attributes: Record<string, string>, groups: string[] = []) =>
    tokenEvent({
      groups,
      attributes: {
        identities: JSON.stringify([{ userId: 'x', providerName: 'Lakeside', providerType: 'SAML' }]),
        'custom:fhirUser': 'Practitioner/l-1',
        ...attributes,
      },
    });

  it.each([['[EHR Doctors, Canteen, EHR Desk]'], ['EHR Doctors,EHR Desk']])(
    'are its staff, by the roles that its groups %s come to',
    (groups) => {
      expect(staff(signOn({ 'custom:groups': groups }), federation)?.claimsToAddOrOverride).toEqual({
        organization: 'lakeside',
        roles: ['physician', 'frontdesk'],
        fhirUser: 'Practitioner/l-1',
      });
    },
  );

  it('are nobody else’s, whatever is written of them in the pool', () => {
    const event = signOn({ 'custom:groups': 'EHR Desk', 'custom:organization': 'northside' }, ['admin']);

    expect(staff(event, federation)?.claimsToAddOrOverride).toMatchObject({
      organization: 'lakeside',
      roles: ['frontdesk'],
    });
  });

  it.each([
    ['in no group that is known', { 'custom:groups': 'Canteen, constructor' }, /no group that is a role/],
    ['in no group at all', {}, /no group that is a role/],
    ['by a provider that is not known', { identities: '[{"providerName":"toString"}]' }, /not one that is known/],
    [
      'by two at once',
      { identities: '[{"providerName":"Lakeside"},{"providerName":"Lakeside"}]', 'custom:groups': 'EHR Desk' },
      /not one that is known/,
    ],
    ['and nobody has entered who they are', { 'custom:groups': 'EHR Desk', 'custom:fhirUser': '' }, /"fhirUser"/],
  ])('get no token %s', (_, attributes, message) => {
    expect(() => staff(signOn(attributes), federation)).toThrow(message);
  });

  it('are told apart from who has a password of the pool, whose groups there count', () => {
    const attributes = { ...physician, 'custom:groups': 'EHR Doctors' };

    expect(staff(tokenEvent({ groups: ['nurse'], attributes }), federation)?.claimsToAddOrOverride).toMatchObject({
      organization: 'northside',
      roles: ['nurse'],
    });
  });
});

describe('the pre-token trigger of patients', () => {
  it('adds the patient in context and no organization, and makes nobody staff by a group', () => {
    const attributes = { ...anna, 'custom:organization': 'northside' };

    const token = patients(tokenEvent({ groups: ['physician'], attributes, scopes: ['patient/*.rs', 'user/*.rs'] }));

    expect(token?.claimsToAddOrOverride).toEqual({ patient: 'abc', roles: ['patient'], fhirUser: 'Patient/abc' });
    expect(token).toMatchObject({ scopesToAdd: ['concord/api'], scopesToSuppress: ['user/*.rs'] });
    expect(callerOf(token?.claimsToAddOrOverride, 'patient/*.rs')).toMatchObject({ patient: 'abc' });
  });

  it('puts the patient in context whom who acts for several asks for, and never another fhirUser', () => {
    const attributes = { 'custom:patient': 'abc', 'custom:fhirUser': 'RelatedPerson/parent' };
    const asked = (patient: string) => {
      const event = tokenEvent({ groups: [], attributes });
      Object.assign(event.request, { clientMetadata: { patient, fhirUser: 'Patient/def' } });
      return patients(event);
    };

    expect(asked('def')?.claimsToAddOrOverride).toEqual({
      patient: 'def',
      roles: ['patient'],
      fhirUser: 'RelatedPerson/parent',
    });
    expect(() => asked('a b')).toThrow('no id');
  });

  it.each(['patient', 'fhirUser'])(
    'gives no token to a user without %s, such as one who has just signed up',
    (name) => {
      const attributes = Object.fromEntries(Object.entries(anna).filter(([key]) => key !== `custom:${name}`));
      const event = tokenEvent({ groups: [], attributes });
      Object.assign(event.request, { clientMetadata: { patient: 'def' } });

      expect(() => patients(event)).toThrow(`"${name}"`);
    },
  );
});

describe('the pre-token trigger of applications', () => {
  const application: Application = {
    client: 'apps',
    organization: 'northside',
    name: 'Laboratory feed',
    fhirUser: 'Device/feed',
    since: 0,
  };
  // Nobody signs in, so the service tells of nobody.
  const event = { ...tokenEvent({ source: 'TokenGeneration_ClientCredentials' }), request: { scopes: ['user/*.rs'] } };
  const asking = (known: Application | undefined) =>
    generated(withApplicationClaims(event as unknown as TokenEvent, known));

  it('adds whose it is and what it is called', () => {
    const token = asking(application);

    expect(token).toEqual({
      claimsToAddOrOverride: {
        organization: 'northside',
        roles: ['system'],
        fhirUser: 'Device/feed',
        application: 'Laboratory feed',
      },
      scopesToAdd: ['concord/api'],
      scopesToSuppress: ['user/*.rs'],
    });
    expect(callerOf(token?.claimsToAddOrOverride, 'system/*.rs', {})).toMatchObject({
      name: 'Laboratory feed',
      organization: 'northside',
    });
  });

  it('gives no token to one that nobody has entered, or whose access has ended', () => {
    expect(() => asking(undefined)).toThrow('Nothing says which organization');
    expect(() => asking({ ...application, revoked: 1 })).toThrow('has ended');
  });
});

describe('users of the demonstration', () => {
  const deployed = { pool: 'us-east-1_Abcdef123' };
  const local = { pool: `us-east-1_${localPoolNames.staff}` };
  const people = localUsers.filter(({ role }) => role !== 'system').map(({ username }) => username);

  it('get no token in a deployed pool, by whichever name it knows them', () => {
    for (const userName of people) {
      const named = { ...physician, email: userName.toUpperCase() };
      expect(() => staff(tokenEvent({}, { ...deployed, userName }))).toThrow('demonstration');
      expect(() => staff(tokenEvent({ attributes: named }, deployed))).toThrow('demonstration');
      expect(() => staff(tokenEvent({ attributes: named }, local))).not.toThrow();
    }
    for (const email of [patientUsername, proxyUsername])
      expect(() => patients(tokenEvent({ attributes: { ...anna, email } }, deployed))).toThrow('demonstration');
    for (const name of ['system@northside.example', 'system@lakeside.example'])
      expect(() =>
        withApplicationClaims(tokenEvent({}, deployed), {
          client: 'c',
          organization: 'northside',
          name,
          fhirUser: 'Device/d',
          since: 0,
        }),
      ).toThrow('demonstration');
  });

  it('are not whoever else has such letters in the name', () => {
    for (const email of ['nurse@example.org', 'example@clinic.org', 'nurse@northside-example.com'])
      expect(() => staff(tokenEvent({ attributes: { ...physician, email } }, deployed))).not.toThrow();
  });
});
