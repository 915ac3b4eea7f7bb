import { describe, expect, it } from 'vitest';
import type { Resource } from '../../../shared/fhir/resource.ts';
import { unsuited } from '../../../shared/interactions/booking/suited.ts';

const practitioner = (gender: string, ...codes: string[]) =>
  ({
    resourceType: 'Practitioner',
    gender,
    communication: codes.map((code) => ({ coding: [{ code }] })),
  }) as unknown as Resource;
const role: Resource = { resourceType: 'PractitionerRole' };

describe('who is wished for', () => {
  it.each([
    [undefined, undefined, 0],
    ['female', undefined, 0],
    ['male', undefined, 1],
    [undefined, 'es', 0],
    [undefined, 'ES-mx', 0],
    [undefined, 'en', 1],
    // A language of two letters is no beginning of another one.
    [undefined, 'e', 1],
    ['male', 'en', 2],
    ['female', 'en', 1],
  ])('gender %s, language %s: %i of these are not met', (gender, language, missed) => {
    expect(unsuited([role, practitioner('female', 'de', 'es-MX')], { gender, language })).toBe(missed);
  });

  it('is not known to be met by who says nothing', () => {
    expect(unsuited([role], { gender: 'female', language: 'es' })).toBe(2);
  });
});
