import { describe, expect, it } from 'vitest';
import { parseScopes } from '../../shared/access/scopes.ts';

const read = (scope: string) =>
  parseScopes(scope).map(({ level, type, actions }) => `${level}/${type}.${[...actions].join('')}`);

describe('parseScopes', () => {
  it.each([
    ['patient/Observation.rs', 'patient/Observation.rs'],
    ['user/*.cruds', 'user/*.cruds'],
    ['system/Patient.c', 'system/Patient.c'],
  ])('reads version 2: %s', (scope, expected) => {
    expect(read(scope)).toEqual([expected]);
  });

  it.each([
    ['patient/Observation.read', 'patient/Observation.rs'],
    ['user/*.write', 'user/*.cud'],
    ['system/*.*', 'system/*.cruds'],
  ])('reads version 1: %s', (scope, expected) => {
    expect(read(scope)).toEqual([expected]);
  });

  it.each([
    ['category=laboratory', [{ element: 'category', concepts: [{ system: undefined, code: 'laboratory' }] }]],
    ['category=http://s|laboratory', [{ element: 'category', concepts: [{ system: 'http://s', code: 'laboratory' }] }]],
    [
      'category=http%3A%2F%2Fs%7Claboratory',
      [{ element: 'category', concepts: [{ system: 'http://s', code: 'laboratory' }] }],
    ],
    ['code=http://s|', [{ element: 'code', concepts: [{ system: 'http://s', code: undefined }] }]],
    ['code=|c', [{ element: 'code', concepts: [{ system: '', code: 'c' }] }]],
    [
      'category=a,s|b&code=c',
      [
        {
          element: 'category',
          concepts: [
            { system: undefined, code: 'a' },
            { system: 's', code: 'b' },
          ],
        },
        { element: 'code', concepts: [{ system: undefined, code: 'c' }] },
      ],
    ],
  ])('reads what narrows a scope: %s', (query, narrowed) => {
    expect(parseScopes(`user/Condition.rs?${query}`)).toEqual([
      { level: 'user', type: 'Condition', actions: new Set('rs'), narrowed },
    ]);
  });

  it('reads each of several, and no more', () => {
    expect(read('openid user/Patient.rs launch/patient user/Task.cu offline_access')).toEqual([
      'user/Patient.rs',
      'user/Task.cu',
    ]);
  });

  it.each([
    'user/Observation.rs?status=final', // narrowed by what is not offered: its wider form would permit too much
    'user/Observation.rs?category=a&status=final',
    'user/Observation.rs?category:not=a',
    'user/Observation.rs?subject.code=a',
    'user/Observation.rs?category=',
    'user/Observation.rs?category=a,',
    'user/Observation.rs?category=|',
    'user/Observation.rs?category=s|a|b',
    'user/Observation.rs?category=s|a\\,b',
    'user/Observation.rs?',
    'user/Procedure.rs?category=a', // of a type that is not offered
    'user/*.rs?category=a',
    'patient/Observation.read?category=a', // version 1 knows no such thing
    'user/Patient.sr', // letters out of order
    'user/Patient.rrs',
    'user/Patient.x',
    'user/Patient.',
    'user/Patient',
    'user/patient.rs',
    'user/P*.rs',
    'user/**.rs',
    'admin/*.cruds',
    'user/*.cruds,system/*.cruds',
    'User/*.rs',
    'user/*.readwrite',
    'xuser/*.rs',
    '',
  ])('gives nothing for "%s"', (scope) => {
    expect(read(scope)).toEqual([]);
  });
});
