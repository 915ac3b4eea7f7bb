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

  it('reads each of several, and no more', () => {
    expect(read('openid user/Patient.rs launch/patient user/Task.cu offline_access')).toEqual([
      'user/Patient.rs',
      'user/Task.cu',
    ]);
  });

  it.each([
    'user/Observation.rs?category=vital-signs', // narrowed: its wider form would permit too much
    'patient/Observation.read?status=final',
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
