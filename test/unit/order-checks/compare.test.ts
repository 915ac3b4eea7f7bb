import { beforeAll, describe, expect, it } from 'vitest';
import { comparedInChart, comparedOrders } from '../../../shared/interactions/cds-hooks/compare.ts';
import type { PatientFacts } from '../../../shared/order-checks/check-order.ts';
import type { Pack } from '../../../shared/order-checks/knowledge.ts';
import { parsePack } from '../../../shared/order-checks/parse-pack.ts';

// Many medicines that all clash with each other: told of whole, or not at all.

const medicineNames = Array.from({ length: 60 }, (_, index) => `medicine-${index}`);
let pack: Pack;
beforeAll(() => {
  const row = { source: 'formulary', where: 'p. 1' };
  pack = parsePack(
    JSON.stringify({
      edition: 'ours-7',
      date: '2026-11-01',
      licence: 'Ours',
      sources: [{ id: 'formulary', title: 'Formulary', url: 'https://formulary.example/7' }],
      ingredients: medicineNames.map((id) => ({ id, name: id })),
      classes: [{ ...row, id: 'all', name: 'all of them', members: medicineNames }],
      interactions: [{ ...row, id: 'all-all', between: ['all', 'all'], severity: 'serious', text: 'Ours says so.' }],
    }),
  );
});

const subject = { reference: 'Patient/p' };
const takenOf = (count: number): fhir4.MedicationStatement[] =>
  medicineNames.slice(0, count).map((text, index) => ({
    resourceType: 'MedicationStatement',
    id: `m-${index}`,
    status: 'active',
    subject,
    medicationCodeableConcept: { text },
  }));
const factsOf = (medicines: PatientFacts['medicines']): PatientFacts => ({
  patient: undefined,
  medicines,
  allergies: [],
  conditions: [],
  observations: [],
  medications: new Map(),
});

describe('many clashes', () => {
  it('in a chart are told of, each pair once, up to what an answer may hold', () => {
    expect(comparedInChart(factsOf(takenOf(50)), pack, 0).clashes).toHaveLength((50 * 49) / 2);
    expect(() => comparedInChart(factsOf(takenOf(60)), pack, 0)).toThrow('More clashes were found');
  });

  it('of orders that are drafted together are refused as well', () => {
    const drafted = takenOf(60).map(
      ({ medicationCodeableConcept, id = '' }): fhir4.MedicationRequest => ({
        resourceType: 'MedicationRequest',
        id,
        status: 'active',
        intent: 'order',
        subject,
        ...(medicationCodeableConcept ? { medicationCodeableConcept } : {}),
      }),
    );
    const compared = (asked: number) =>
      comparedOrders(
        { asked: Array.from({ length: asked }, (_, index) => index), drafted },
        factsOf([]),
        pack,
        0,
        (order) => order,
      );

    expect(compared(2).clashes).toHaveLength(59 + 58);
    expect(() => compared(60)).toThrow('More clashes were found');
  });
});
