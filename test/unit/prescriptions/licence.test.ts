import { describe, expect, it } from 'vitest';
import { directoryOf } from '../../../infra/local/directory.ts';
import { localUsers } from '../../../infra/local/users.ts';
import { whyNotLicensed } from '../../../shared/people/licence.ts';

const now = Date.parse('2026-06-01T12:00:00Z');
const licence = (period?: fhir4.Period, value = 'L-1'): fhir4.PractitionerQualification => ({
  code: { text: 'Doctor of Medicine' },
  identifier: [{ value }],
  ...(period ? { period } : {}),
});
const person = (...qualification: fhir4.PractitionerQualification[]): fhir4.Practitioner => ({
  resourceType: 'Practitioner',
  qualification,
});

describe('a licence', () => {
  it.each<[string, fhir4.Practitioner | undefined, RegExp | undefined]>([
    ['a number and no period', person(licence()), undefined],
    ['a period that goes on', person(licence({ start: '2015' })), undefined],
    ['its last day', person(licence({ end: '2026-06-01' })), undefined],
    ['one of several in force', person(licence({ end: '2020' }), licence({ start: '2020' })), undefined],
    ['a period that is over', person(licence({ end: '2026-05-31' })), /period/],
    ['a period that is still to begin', person(licence({ start: '2026-06-02' })), /period/],
    ['no number', person({ code: { text: 'Doctor of Medicine' } }), /identifier/],
    ['an empty number', person(licence(undefined, ' ')), /identifier/],
    ['no qualification', person(), /identifier/],
    ['somebody who is not active', { ...person(licence()), active: false }, /not active/],
    ['nobody', undefined, /no Practitioner/],
  ])('is judged by the directory: %s', (_, practitioner, why) => {
    const told = whyNotLicensed(practitioner, now);

    if (why) expect(told).toMatch(why);
    else expect(told).toBeUndefined();
  });
});

describe('the directory of the local stack', () => {
  it('has a licence of each physician who can sign in, so that orders can be signed out of the box', () => {
    const physicians = localUsers.filter(({ role }) => role === 'physician');
    const why = physicians.map(({ fhirUser, organization }) => {
      const known = directoryOf(organization).find(({ resourceType, id }) => `${resourceType}/${id}` === fhirUser);
      return whyNotLicensed(known as fhir4.Practitioner | undefined, now);
    });

    expect(physicians.map(({ organization }) => organization).sort()).toEqual(['lakeside', 'northside']);
    expect(why).toEqual([undefined, undefined]);
  });
});
