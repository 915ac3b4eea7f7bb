import { describe, expect, it } from 'vitest';
import { callerFrom } from '../../shared/access/caller.ts';
import { RecordError } from '../../shared/errors.ts';

const nurse = {
  sub: 's-1',
  username: 'nurse@northside.example',
  client_id: 'app',
  organization: 'northside',
  roles: ['nurse'],
  scope: 'user/*.cruds',
  fhirUser: 'Practitioner/northside-nurse',
};
const { organization: _none, ...withoutOrganization } = nurse;
const patient = {
  ...withoutOrganization,
  roles: ['patient'],
  scope: 'patient/*.rs',
  patient: 'p-1',
  fhirUser: 'Patient/p-1',
};

const refusalOf = (claims: Record<string, unknown>): unknown => {
  try {
    return callerFrom(claims);
  } catch (error) {
    return error;
  }
};

const expectRefused = (claims: Record<string, unknown>, claim: string) => {
  const refusal = refusalOf(claims);
  expect(refusal).toBeInstanceOf(RecordError);
  expect(refusal).toMatchObject({ kind: 'unauthenticated', reason: 'token-claim' });
  expect((refusal as RecordError).message).toContain(`"${claim}"`);
};

describe('callerFrom', () => {
  it('reads what names the token and its sign-in, and nothing that cannot be such a name', () => {
    const sessions = (claims: object) => callerFrom({ ...nurse, ...claims }).sessions;

    expect(sessions({ jti: 'a-1', origin_jti: 'b-2' })).toEqual(['b-2', 'a-1']);
    expect(sessions({ jti: 'a-1' })).toEqual(['a-1']);
    expect(sessions({ jti: 'a#1', origin_jti: 7 })).toBeUndefined();
  });

  it('reads a member of staff', () => {
    expect(callerFrom(nurse)).toEqual({
      subject: 's-1',
      name: 'nurse@northside.example',
      client: 'app',
      organization: 'northside',
      roles: ['nurse'],
      scopes: [{ level: 'user', type: '*', actions: new Set('cruds'), narrowed: [] }],
      fhirUser: 'Practitioner/northside-nurse',
      patient: undefined,
    });
  });

  it('reads a patient, who works for nobody even if the token names an organisation', () => {
    expect(callerFrom({ ...patient, organization: 'northside' })).toMatchObject({
      organization: undefined,
      patient: 'p-1',
      roles: ['patient'],
    });
  });

  it('gives support staff no other role beside it', () => {
    expect(callerFrom({ ...nurse, roles: ['support'] }).roles).toEqual(['support']);
    expectRefused({ ...nurse, roles: ['support', 'frontdesk'] }, 'roles');
  });

  it('calls an application by its name where it is no user of the pool, and nobody else', () => {
    const { username: _, ...nobody } = nurse;
    const application = { ...nobody, roles: ['system'], application: 'Laboratory feed' };

    expect(callerFrom(application).name).toBe('Laboratory feed');
    expect(callerFrom({ ...application, username: 'feed' }).name).toBe('feed');
    expectRefused({ ...nobody, roles: ['system'] }, 'application');
    expectRefused({ ...nobody, application: 'Laboratory feed' }, 'username');
  });

  it('gives staff no patient in context', () => {
    expect(callerFrom({ ...nurse, patient: 'p-1' }).patient).toBeUndefined();
  });

  describe.each(['sub', 'username', 'client_id', 'organization', 'roles', 'scope', 'fhirUser'])(
    'for staff, %s',
    (claim) => {
      it.each([
        ['missing', undefined],
        ['null', null],
        ['empty', ''],
        ['blank', '  '],
        ['a number', 7],
        ['an object', {}],
        ['an empty list', []],
      ])('is refused where it is %s', (_name, value) => {
        expectRefused({ ...nurse, [claim]: value }, claim);
      });
    },
  );

  it.each(['patient', 'fhirUser', 'scope', 'sub'])('refuses a patient’s token without %s', (claim) => {
    expectRefused({ ...patient, [claim]: undefined }, claim);
  });

  it.each([[['nurse', 'superuser']], [['Nurse']], [[1]], ['nurse'], [['patient', 'nurse']]])(
    'refuses the roles %j',
    (roles) => {
      expectRefused({ ...nurse, patient: 'p-1', roles }, 'roles');
    },
  );

  it.each(['Practitioner/dr', 'https://concord.test/fhir/Practitioner/dr', 'http://127.0.0.1:3000/Practitioner/dr'])(
    'reads the caller’s own record from %s, however it is written',
    (fhirUser) => {
      expect(callerFrom({ ...nurse, fhirUser }).fhirUser).toBe('Practitioner/dr');
    },
  );

  it.each([
    'dr',
    '/Practitioner/dr',
    'Practitioner/',
    'Practitioner/dr/',
    'practitioner/dr',
    'Practitioner/dr/_history/1',
    'Practitioner/dr?x=y',
    'https://concord.test/fhir/Practitioner/dr#x',
    'urn:x/Practitioner/dr',
    'Practitioner/d r',
    ' Practitioner/dr',
    'Practitioner/dr\n',
    `Practitioner/${'d'.repeat(65)}`,
  ])('refuses the fhirUser %j', (fhirUser) => {
    expectRefused({ ...nurse, fhirUser }, 'fhirUser');
  });

  it('repeats no claim’s value in its refusal', () => {
    const refusal = refusalOf({ ...nurse, roles: ['secret-role'], sub: 'secret-sub' }) as RecordError;

    expect(JSON.stringify([refusal.message, refusal.details])).not.toContain('secret');
  });
});
