import { substances } from '../../../shared/search/ucum/molar-mass.ts';
import { sampleResources } from '../resources/index.ts';
import { convertUnit } from '../ucum-lhc.ts';
import type { World, WorldRecord } from './evaluate.ts';
import type { Random } from './random.ts';

export const baseUrl = 'https://example.org/fhir';
export const now = Date.parse('2026-01-01T00:00:00Z');

const ucum = 'http://unitsofmeasure.org';
const loinc = 'http://loinc.org';

/** What the samples have little of: quantities in many units, names with accents, zones, canonical references. */
export const rareResources: readonly fhir4.FhirResource[] = [
  ...[
    ['2345-7', 5.4, 'mmol/L'],
    ['2345-7', 97.3, 'mg/dL'],
    ['2093-3', 200, 'mg/dL'],
    ['2160-0', 88.4, 'umol/L'],
    ['x-weight', 70.5, 'kg'],
    ['x-weight', 155.4, '[lb_av]'],
    ['8310-5', 37.2, 'Cel'],
    ['8310-5', 98.6, '[degF]'],
    ['x-count', 5.1, '10*3/uL'],
    ['x-share', 12, '%'],
    ['x-rate', 72, '/min'],
  ].map(
    ([code, value, unit]): fhir4.Observation => ({
      resourceType: 'Observation',
      status: 'final',
      code: { coding: [{ system: loinc, code: String(code) }], text: 'Ergebnis der Messung' },
      subject: { reference: 'Patient/p1', display: 'Ann Sample' },
      effectiveDateTime: '2024-02-29T23:30:00-05:00',
      valueQuantity: { value: Number(value), system: ucum, code: String(unit), unit: String(unit) },
    }),
  ),
  {
    resourceType: 'Patient',
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">Seen for <b>knee</b> pain</div>' },
    name: [
      { family: 'Carreño Quiñones', given: ['Ana-María', 'Séverine'], prefix: ['Dr.'] },
      { text: "Anne O'Neil-Smith" },
    ],
    address: [{ line: ['12 Main  St.'], city: 'Springfield', postalCode: '02134' }],
    gender: 'female',
    birthDate: '1980-02',
    generalPractitioner: [{ reference: 'Practitioner/pr1' }],
  },
  {
    resourceType: 'QuestionnaireResponse',
    status: 'completed',
    questionnaire: 'http://acme.org/Questionnaire/q|1.2',
    subject: { reference: `${baseUrl}/Patient/p1` },
    authored: '2024-06',
  },
  {
    resourceType: 'RiskAssessment',
    status: 'final',
    subject: { reference: 'Patient/p1' },
    prediction: [{ probabilityDecimal: 0.81 }],
  },
  {
    resourceType: 'AuditEvent',
    type: { system: 'http://acme.org', code: 'rest' },
    recorded: '2024-05-05T10:00:00Z',
    agent: [
      {
        requestor: true,
        who: { reference: 'Practitioner/pr1', identifier: { system: 'http://acme.org/staff', value: '7' } },
      },
    ],
    source: { observer: { reference: 'Device/d1' } },
    entity: [{ what: { reference: 'Observation/bp/_history/2' } }],
  },
];

const date = /^\d{4}(-\d\d(-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?)?)?$/;

/** Another date nearby, or the same with other digits. */
const otherDate = (random: Random, text: string): string => {
  const isInstant = text.includes('T');
  const shifts = [0, 0, 1, -1, 1_000, 60_000, -3_600_000, 86_400_000, -31 * 86_400_000];
  const moved = new Date(Date.parse(text) + random.of(shifts)).toISOString();
  return isInstant
    ? random.of([moved, `${moved.slice(0, 19)}Z`, `${moved.slice(0, 19)}+02:00`])
    : moved.slice(0, text.length);
};

const unitsOf: readonly (readonly string[])[] = [
  ['mg', 'g', 'kg', 'ug', '[lb_av]', '[oz_av]'],
  ['mmol/L', 'umol/L', 'mol/m3', 'mmol/dL'],
  ['mg/dL', 'g/L', 'ug/mL', 'kg/m3'],
  ['mm[Hg]', 'kPa', 'Pa', 'cm[H2O]'],
  ['a', 'mo', 'd', 'h', 'min', 'wk'],
  ['Cel', '[degF]', 'K'],
  ['10*3/uL', '10*9/L', '/nL', '/L', '{cells}/uL'],
  ['%', '1', '[ppm]', '{ratio}'],
  ['/min', 'Hz', '/h', '{beats}/min'],
  ['cm', 'm', 'mm', '[in_i]', '[ft_i]'],
];

/** Other units for the same. */
export const unitsLike = (code: string): readonly string[] => unitsOf.find((units) => units.includes(code)) ?? [code];

/** Changes some leaves of a resource, so that none is like the other. */
const mutate = (random: Random, value: unknown, key = ''): unknown => {
  if (Array.isArray(value))
    return value.map((item) => mutate(random, item, key)).filter(() => value.length === 1 || !random.chance(0.1));
  if (typeof value === 'object' && value !== null) {
    const { value: amount, code, system } = value as fhir4.Quantity;
    const unit = random.of(unitsLike(code ?? ''));
    const converted =
      system === ucum && typeof amount === 'number' && code ? convertUnit(amount, code, unit) : undefined;
    if (converted !== undefined && unit !== code && random.chance(0.4))
      return { ...value, value: Number(converted.toPrecision(4)), code: unit, unit };
    return Object.fromEntries(
      Object.entries(value)
        .filter(([name]) => name === 'resourceType' || !random.chance(0.03))
        .map(([name, member]) => [
          name,
          name === 'resourceType' || name === 'id' ? member : mutate(random, member, name),
        ]),
    );
  }
  if (typeof value === 'number')
    return random.chance(0.3) ? Number((value * random.of([1.01, 0.9, 1.1, 2])).toPrecision(4)) : value;
  if (typeof value !== 'string' || !random.chance(0.25)) return value;
  if (date.test(value)) return otherDate(random, value);
  if (key === 'reference' && /^[A-Z]\w+\/[\w.-]+$/.test(value))
    return random.of([`${baseUrl}/${value}`, `${value}/_history/3`, 'Patient/p2', 'https://other.org/fhir/Patient/p1']);
  return value;
};

/** A code is below each of its beginnings. */
const subsumes = (wide: string, narrow: string): boolean => narrow.startsWith(wide);

/** Grams in a mole of what a code measures. */
export const molarMass = (code: string): number | undefined => {
  const row = substances.find(([, codes]) => codes.split(' ').includes(code));
  return row && Number(row[0]);
};

/** A world of records, each of them a variation of a sample. */
export const makeWorld = (random: Random, copies: number): World => {
  const originals = [...sampleResources, ...rareResources];
  const records = originals.flatMap((resource, index): WorldRecord[] =>
    Array.from({ length: copies }, (_, copy) => {
      const id = copy === 0 ? (resource.id ?? `s${index}`) : `s${index}.${copy}`;
      const changed = copy === 0 ? resource : (mutate(random, resource) as fhir4.FhirResource);
      return {
        resource: { ...changed, id },
        lastUpdated: new Date(now - random.below(3 * 365) * 86_400_000 - random.below(86_400_000)).toISOString(),
      };
    }),
  );
  return {
    baseUrl,
    now,
    records,
    terminology: {
      valueSets: ['http://acme.org/vs', 'http://acme.org/vss'],
      isMember: (valueSet, code) => (code.length + valueSet.length) % 2 === 0,
      subsumes,
    },
    molarMass,
  };
};
