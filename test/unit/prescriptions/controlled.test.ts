import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { builtInPack } from '../../../shared/order-checks/built-in.ts';
import type { Pack } from '../../../shared/order-checks/knowledge.ts';
import { controlledIn } from '../../../shared/prescriptions/controlled.ts';
import { brands, schedules } from '../../../shared/prescriptions/controlled-substances.ts';

const rxnorm = 'http://www.nlm.nih.gov/research/umls/rxnorm';
const page = readFileSync(path.resolve(import.meta.dirname, '../../../docs/prescriptions.md'), 'utf8');

let pack: Pack;
beforeAll(async () => {
  pack = await builtInPack();
});

const found = (
  medicine: Partial<fhir4.MedicationRequest>,
  medications: Readonly<Record<string, fhir4.Medication>> = {},
) => {
  const order = {
    resourceType: 'MedicationRequest',
    status: 'draft',
    intent: 'order',
    subject: {},
    ...medicine,
  } as const;
  const { found: substances, complete } = controlledIn(order, new Map(Object.entries(medications)), pack);
  return [substances.map(({ substance, schedule }) => `${substance} ${schedule}`).join(', '), complete];
};
const coded = (code: string) => ({ medicationCodeableConcept: { coding: [{ system: rxnorm, code }] } });
const text = (words: string) => ({ medicationCodeableConcept: { text: words } });

describe('controlled substances', () => {
  it.each<[string, Partial<fhir4.MedicationRequest>, string, boolean]>([
    ['an ingredient by its code', coded('7052'), 'morphine II', true],
    ['another one that is none', coded('723'), '', true],
    ['a code that is not known', coded('99999999'), '', false],
    ['the very name', text('Diazepam'), 'diazepam IV', true],
    ['a name within words', text('Oxycodone hydrochloride 5 mg tablet'), 'oxycodone II', false],
    ['a name of several words', text('Sodium oxybate solution'), 'sodium oxybate III', false],
    ['several names', text('codeine + butalbital'), 'codeine II, butalbital III', false],
    ['a word that only begins like one', text('Morphinelike syrup'), '', false],
    ['a word that only ends like one', text('Apomorphine injection'), '', false],
    ['a brand name in words', text('Xanax 0.5 mg tablet'), 'alprazolam IV', false],
    ['a brand name of two words', text('MS CONTIN 15 mg'), 'morphine II', false],
    ['what is free of it', text('Paracetamol (codeine-free)'), '', false],
    ['a free base', text('morphine-free base'), 'morphine II', false],
    [
      'a substance within a contained Medication',
      {
        contained: [
          { resourceType: 'Medication', id: 'm', ingredient: [{ itemReference: { reference: '#s' } }] },
          { resourceType: 'Substance', id: 's', code: { text: 'Sufentanil citrate' } },
        ] as fhir4.FhirResource[],
        medicationReference: { reference: '#m' },
      },
      'sufentanil II',
      false,
    ],
    ['words that tell nothing', text('the blue pill'), '', false],
    ['the display of a reference', { medicationReference: { display: 'Ketamine' } }, 'ketamine III', false],
    [
      'a contained Medication’s ingredient',
      {
        contained: [
          {
            resourceType: 'Medication',
            id: 'm',
            ingredient: [{ itemCodeableConcept: { coding: [{ system: rxnorm, code: '2670' }] } }],
          } as fhir4.Medication,
        ],
        medicationReference: { reference: '#m' },
      },
      'codeine II',
      true,
    ],
  ])('are found by %s', (_, medicine, substances, complete) => {
    expect(found(medicine)).toEqual([substances, complete]);
  });

  it('are found in a Medication that is referred to', () => {
    const medications = { 'Medication/1': { resourceType: 'Medication', code: { text: 'Pregabalin 75 mg' } } } as const;

    expect(found({ medicationReference: { reference: 'Medication/1' } }, medications)).toEqual(['pregabalin V', false]);
    expect(found({ medicationReference: { reference: 'Medication/2' } }, medications)).toEqual(['', false]);
  });

  it('are each in one schedule, under names as they are compared', () => {
    const names = schedules.flatMap((schedule) => schedule.names);

    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
    expect(names.filter((name) => !/^[a-z]+(?: [a-z]+)?$/.test(name))).toEqual([]);
  });

  it('are those of the page', () => {
    const rows = page.split('\n').filter((line) => /^\| (?:II|III|IV|V) /.test(line));

    expect(
      rows.map((row) =>
        row
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      ),
    ).toEqual(schedules.map(({ schedule, source, names }) => [schedule, source, names.join(', ')]));
  });

  it('are known by brand names, each of one that is in a schedule, as the page has them', () => {
    const all = schedules.flatMap(({ names }) => names);
    for (const [substance, names] of Object.entries(brands)) {
      expect(all).toContain(substance);
      expect(page.replace(/ +/g, ' ')).toContain(`| ${substance} | ${names.join(', ')} |`);
      for (const name of names) expect(found(text(`${name} tablet`))[0], name).toMatch(new RegExp(`^${substance} `));
    }
  });
});
