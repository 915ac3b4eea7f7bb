import { describe, expect, it } from 'vitest';
import type { Resource } from '../../../shared/fhir/resource.ts';
import { deniesNow, retiresDenials, standsAgainst } from '../../../shared/histories/no-known-allergies.ts';
import { allergiesAgainst } from '../../../shared/order-checks/allergies.ts';

const ips = 'http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips';
const recorded = (coding: fhir4.Coding): Resource =>
  ({ resourceType: 'AllergyIntolerance', id: 'a', code: { coding: [coding] }, patient: {} }) as unknown as Resource;

describe('that there is no allergy', () => {
  const everything = ['food', 'medication', 'environment', 'biologic'];

  it.each([
    [{ system: ips, code: 'no-known-allergies' }, everything],
    [{ system: ips, code: 'no-known-medication-allergies' }, ['medication', 'biologic']],
    [{ system: ips, code: 'no-known-food-allergies' }, ['food']],
    [{ system: ips, code: 'no-known-environmental-allergies' }, ['environment']],
    [{ code: '716186003' }, everything],
  ])('is said by %o', (coding, categories) => {
    const record = recorded(coding);

    expect(deniesNow(record)).toEqual(categories);
    expect(standsAgainst(record, ['medication'])).toBe(false);
    expect(retiresDenials({ next: record })).toEqual([]);
  });

  it.each([
    { system: ips, code: 'no-known-problems' },
    { system: 'http://other.test', code: '716186003' },
  ])('is not said by %o', (coding) => {
    expect(deniesNow(recorded(coding))).toBeUndefined();
  });

  it('is no allergy that an order check does not know', () => {
    const order = { ingredients: [] } as unknown as Parameters<typeof allergiesAgainst>[0];
    const knowing = {} as unknown as Parameters<typeof allergiesAgainst>[3];
    const pack = {} as unknown as Parameters<typeof allergiesAgainst>[2];
    const told = (code: string) => [recorded({ system: ips, code }) as unknown as fhir4.AllergyIntolerance];

    for (const code of ['no-known-allergies', 'no-known-medication-allergies'])
      expect(allergiesAgainst(order, told(code), pack, knowing)).toEqual({ findings: [], notChecked: [] });
  });
});
