import { describe, expect, it } from 'vitest';
import type { Resource } from '../../shared/fhir/resource.ts';
import { compareKeysBy, sortKeysOf } from '../../shared/search/sort.ts';
import { parse } from '../support/search-cases.ts';
import { wholeLanguage } from '../support/search-language.ts';

/** Ids in the order that a search gives them; ties stay as they were. */
const sorted = (type: string, sort: string, resources: readonly object[]): string[] => {
  const rules = parse(type, `_sort=${sort}`).sort;
  const order = compareKeysBy(rules);
  return resources
    .map((resource) => ({
      id: (resource as { id?: string }).id ?? '',
      // as a link of a page carries them
      keys: JSON.parse(
        JSON.stringify(
          sortKeysOf(
            rules,
            {
              resource: { resourceType: type, ...resource } as Resource,
              lastUpdated: Number((resource as { updated?: number }).updated ?? 0),
            },
            wholeLanguage.units,
          ),
        ),
      ) as ReturnType<typeof sortKeysOf>,
    }))
    .sort((a, b) => order(a.keys, b.keys))
    .map(({ id }) => id);
};

describe('_sort', () => {
  it('orders by time of change, newest first with a minus', () => {
    const resources = [
      { id: 'b', updated: 2 },
      { id: 'c', updated: 10 },
      { id: 'a', updated: 1 },
    ];

    expect(sorted('Patient', '_lastUpdated', resources)).toEqual(['a', 'b', 'c']);
    expect(sorted('Patient', '-_lastUpdated', resources)).toEqual(['c', 'b', 'a']);
  });

  it('orders by date across precisions and zones, with undated records last either way', () => {
    const resources = [
      { id: 'none' },
      { id: 'month', effectiveDateTime: '2024-02' },
      { id: 'zone', effectiveDateTime: '2024-02-01T00:30:00+02:00' },
      { id: 'open', effectivePeriod: { end: '2023-12-31' } },
      { id: 'stay', effectivePeriod: { start: '2024-03-01' } },
    ];

    expect(sorted('Observation', 'date', resources)).toEqual(['open', 'zone', 'month', 'stay', 'none']);
    expect(sorted('Observation', '-date', resources)).toEqual(['stay', 'month', 'zone', 'open', 'none']);
  });

  it('orders names without regard to case and accents, family name first', () => {
    const resources = [
      { id: 'z', name: [{ family: 'zorn' }] },
      { id: 'o2', name: [{ family: 'OTTO', given: ['Zoe'] }] },
      { id: 'o1', name: [{ family: 'Ötto', given: ['Anna'] }] },
      { id: 'text', name: [{ text: 'Peter' }] },
    ];

    expect(sorted('Patient', 'name', resources)).toEqual(['o1', 'o2', 'text', 'z']);
  });

  it('takes of several values the one that comes first in the order asked for', () => {
    const resources = [
      { id: 'am', name: [{ family: 'm' }, { family: 'a' }] },
      { id: 'bz', name: [{ family: 'b' }, { family: 'z' }] },
    ];

    expect(sorted('Patient', 'family', resources)).toEqual(['am', 'bz']);
    expect(sorted('Patient', '-family', resources)).toEqual(['bz', 'am']);
  });

  it('orders numbers as numbers, codes and references as text, and falls back on the next rule', () => {
    const risks = [10, 9, 0.5].map((probabilityDecimal) => ({
      id: String(probabilityDecimal),
      prediction: [{ probabilityDecimal }],
    }));
    const observations = [
      { id: '1', status: 'final', subject: { reference: 'Patient/b' } },
      { id: '2', status: 'amended', subject: { reference: 'Patient/b' } },
      { id: '3', status: 'final', subject: { reference: 'Patient/a' } },
    ];

    expect(sorted('RiskAssessment', 'probability', risks)).toEqual(['0.5', '9', '10']);
    expect(sorted('Observation', 'status,subject', observations)).toEqual(['2', '3', '1']);
    expect(sorted('Observation', 'subject,-status', observations)).toEqual(['3', '1', '2']);
  });

  it('orders by id', () => {
    expect(sorted('Patient', '-_id', [{ id: 'a' }, { id: 'c' }, { id: 'b' }])).toEqual(['c', 'b', 'a']);
  });

  it('orders quantities in one unit, whatever unit each has, and apart what is measured otherwise', () => {
    const ucum = (value: number, code: string) => ({ value, code, system: 'http://unitsofmeasure.org' });
    const resources = [
      { id: '2g', valueQuantity: ucum(2, 'g') },
      { id: '1kg', valueQuantity: ucum(1, 'kg') },
      { id: '30mg', valueQuantity: ucum(30, 'mg') },
      { id: 'none' },
      { id: '3cm', valueQuantity: ucum(3, 'cm') },
      { id: '1m', valueQuantity: ucum(1, 'm') },
      { id: '98F', valueQuantity: ucum(98, '[degF]') },
      { id: '36C', valueQuantity: ucum(36, 'Cel') },
      { id: '9drops', valueQuantity: { value: 9, unit: 'drops' } },
      { id: '10drops', valueQuantity: { value: 10, unit: 'drops' } },
    ];

    const upward = sorted('Observation', 'value-quantity', resources);
    const downward = sorted('Observation', '-value-quantity', resources);

    for (const ids of [
      ['36C', '98F'],
      ['30mg', '2g', '1kg'],
      ['3cm', '1m'],
      ['9drops', '10drops'],
    ]) {
      expect(upward.filter((id) => ids.includes(id))).toEqual(ids);
      expect(downward.filter((id) => ids.includes(id))).toEqual([...ids].reverse());
      expect(upward.indexOf(ids.at(-1) ?? '') - upward.indexOf(ids[0] ?? '')).toBe(ids.length - 1);
      expect(downward.indexOf(ids[0] ?? '') - downward.indexOf(ids.at(-1) ?? '')).toBe(ids.length - 1);
    }
    expect([upward.at(-1), downward.at(-1)]).toEqual(['none', 'none']);
  });
});
