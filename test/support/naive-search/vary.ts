import { convertUnit } from '../ucum-lhc.ts';
import type { Random } from './random.ts';
import { unitsLike } from './world.ts';

/** Draws the record that a reference to a type leads to, as `Type/id`; undefined if there is none yet. */
export type DrawReference = (resourceType: string) => string | undefined;

const ucum = 'http://unitsofmeasure.org';
const date = /^\d{4}(-\d\d(-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?)?)?$/;
/** Elements of the datatype date, which has no time of day. */
const daysOnly = /^(birthDate|startDate|dueDate|onset|created|date|lastReviewDate|approvalDate)$/;

const days = [0, 0, 0, 1, -1, 30, -30, 365, -365 * 3];

const otherDate = (random: Random, text: string, key: string): string => {
  const moved = new Date(Date.parse(text) + random.of(days) * 86_400_000 + random.below(3) * 3_600_000).toISOString();
  const seconds = moved.slice(0, 19);
  if (text.includes('T')) {
    const [part = ''] = /\.\d+/.exec(text) ?? [];
    return random.of([`${seconds}Z`, `${seconds}+02:00`, `${seconds}-05:30`, `${seconds}${part || '.5'}Z`, text]);
  }
  const whole = random.chance(0.4) && !daysOnly.test(key) ? `${seconds}${random.of(['Z', '+01:00'])}` : undefined;
  return whole ?? moved.slice(0, random.of([text.length, text.length, 4, 7, 10]));
};

const otherCodes = ['a', 'b', 'b1', 'pain', 'aspirin', 'visit', 'other', 'x'];
const words = ['Ann', 'Clinic', 'pain in the knee', 'Übung', "O'Neil", 'a, b', 'Ward', 'seen again', 'text'];

const isCoding = (value: object): value is fhir4.Coding =>
  'system' in value &&
  'code' in value &&
  !('value' in value) &&
  (value as fhir4.Coding).system?.includes('example') === true;

const otherCoding = (random: Random, coding: fhir4.Coding): fhir4.Coding => ({
  ...coding,
  ...(random.chance(0.5) ? { code: random.of(otherCodes) } : {}),
  ...(random.chance(0.3) ? { display: random.of(words) } : {}),
  ...(random.chance(0.15) ? { system: random.of(['http://other.org', 'http://acme.org/codes']) } : {}),
});

const otherReference = (
  random: Random,
  value: fhir4.Reference,
  drawReference: DrawReference,
  baseUrl: string,
): fhir4.Reference => {
  const [, type = ''] =
    /^(?:https:\/\/example\.org\/fhir\/)?([A-Z]\w+)\/[\w.-]+(?:\/_history\/\d+)?$/.exec(value.reference ?? '') ?? [];
  if (type === '')
    return value.reference?.startsWith('urn:') ? { reference: 'https://other.org/fhir/Patient/p1' } : value;
  const drawn = drawReference(type);
  if (drawn === undefined) return { type, display: 'not written down' };
  const isVersioned = value.reference?.includes('/_history/') || random.chance(0.05);
  const text = `${drawn}${isVersioned ? '/_history/1' : ''}`;
  return {
    ...value,
    reference: random.chance(0.1) ? `${baseUrl}/${text}` : text,
    ...(random.chance(0.15) ? { display: random.of(words) } : {}),
    ...(random.chance(0.1)
      ? { identifier: { system: 'http://example.org/ids', value: `ref-${random.below(5)}` } }
      : {}),
  };
};

const neverLeftOut =
  /^(resourceType|status|reference|value|code|system|div|url|intent|use|subject|patient|medication\w*|outcome|focal|who|target|text)$/;

/**
 * A resource like a template: other dates, codes, texts and amounts, and references to records that are there.
 *
 * @param boldness - 0 to 1: how much is changed.
 */
export const vary = (
  random: Random,
  template: fhir4.FhirResource,
  drawReference: DrawReference,
  baseUrl: string,
  boldness: number,
): fhir4.FhirResource => {
  const change = (value: unknown, key: string): unknown => {
    if (Array.isArray(value)) {
      const isOfObjects = value.every((item) => typeof item === 'object' && item !== null);
      const kept = value.filter((_, index) => index === 0 || !isOfObjects || !random.chance(0.2 * boldness));
      return kept.map((item) => change(item, key));
    }
    if (typeof value === 'object' && value !== null) return changeObject(value);
    if (!random.chance(0.5 * boldness)) return value;
    if (typeof value === 'number') return otherNumber(value);
    if (typeof value !== 'string') return value;
    if (date.test(value) && value.length > 3 && !/^(version|value|postalCode)$/.test(key))
      return otherDate(random, value, key);
    if (key === 'text' || key === 'display' || key === 'title' || key === 'family' || key === 'name')
      return random.of([value, ...words]);
    return value;
  };
  const otherNumber = (value: number): number =>
    Number.isInteger(value) && value < 10 ? value : Number((value * random.of([1, 1.01, 0.9, 1.5])).toPrecision(4));
  const changeObject = (value: object): unknown => {
    if ('reference' in value && typeof value.reference === 'string')
      return otherReference(random, value as fhir4.Reference, drawReference, baseUrl);
    if (isCoding(value)) return random.chance(boldness) ? otherCoding(random, value) : value;
    const { value: amount, code, system } = value as fhir4.Quantity;
    if (system === ucum && typeof amount === 'number' && code !== undefined && random.chance(0.4 * boldness)) {
      const unit = random.of(unitsLike(code));
      const converted = convertUnit(amount, code, unit);
      if (converted !== undefined) return { ...value, value: Number(converted.toPrecision(4)), code: unit, unit };
    }
    return Object.fromEntries(
      Object.entries(value)
        .filter(([name]) => neverLeftOut.test(name) || !random.chance(0.05 * boldness))
        .map(([name, member]) => [name, change(member, name)]),
    );
  };
  const { id: _, ...changed } = changeObject(template) as fhir4.FhirResource;
  return { ...changed, ...marks(random, template) } as fhir4.FhirResource;
};

/** The same with other dates. */
export const movedDates = (random: Random, value: unknown, key = ''): object => {
  const move = (member: unknown, name: string): unknown => {
    if (typeof member === 'object' && member !== null) return movedDates(random, member, name);
    return typeof member === 'string' && member.length > 4 && date.test(member)
      ? otherDate(random, member, name)
      : member;
  };
  if (Array.isArray(value)) return value.map((item) => move(item, key));
  return Object.fromEntries(Object.entries(value as object).map(([name, member]) => [name, move(member, name)]));
};

/** Tags, profiles, labels and sources, which every type can be searched by. */
const marks = (random: Random, { meta }: fhir4.FhirResource): { meta?: fhir4.Meta } => {
  const { lastUpdated: _, ...kept } = meta ?? {};
  const drawn: fhir4.Meta = {
    ...kept,
    ...(random.chance(0.25)
      ? { tag: [{ system: 'http://acme.org/tags', code: random.of(['trial', 'import', 'x']) }] }
      : {}),
    ...(random.chance(0.1)
      ? {
          security: [
            { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: random.of(['N', 'L']) },
          ],
        }
      : {}),
    ...(random.chance(0.15)
      ? {
          profile: [
            random.of(['http://acme.org/profile/a', 'http://acme.org/profile/b|2', 'http://example.org/profile/a']),
          ],
        }
      : {}),
    ...(random.chance(0.1)
      ? { source: random.of(['http://acme.org/import#1', 'urn:uuid:6f0c1c0e-2b0a-4c1d-9f55-000000000001']) }
      : {}),
  };
  return Object.keys(drawn).length === 0 ? {} : { meta: drawn };
};
