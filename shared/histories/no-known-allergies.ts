import type { Resource } from '../fhir/resource.ts';
import type { Raised, RecordChange } from '../record-types/define-record-type.ts';

// A chart that says of the same category that there is an allergy and that there is none harms somebody. https://hl7.org/fhir/R4/allergyintolerance.html#9.1.1.2

type Category = NonNullable<fhir4.AllergyIntolerance['category']>[number];

/** What SNOMED CT's codes deny. A denial of all medicines is one of what is made of living things, too. */
const denied: Readonly<Record<string, readonly Category[]>> = {
  '716186003': ['food', 'medication', 'environment', 'biologic'],
  '409137002': ['medication', 'biologic'],
  '429625007': ['food'],
  '428607008': ['environment'],
};
/** What is denied in words alone, of which each is the whole text. */
const deniedInWords: readonly (readonly [RegExp, string])[] = [
  [/^(?:nka|no known allerg(?:y|ies))\.?$/i, '716186003'],
  [/^(?:nkda|no known (?:drug|medication) allerg(?:y|ies))\.?$/i, '409137002'],
  [/^no known food allerg(?:y|ies)\.?$/i, '429625007'],
  [/^no known environmental allerg(?:y|ies)\.?$/i, '428607008'],
];
const snomed = 'http://snomed.info/sct';
/** The codes by which summaries of other countries say so. https://hl7.org/fhir/uv/ips/CodeSystem-absent-unknown-uv-ips.html */
const ips = 'http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips';
const ofIps: Readonly<Record<string, string>> = {
  'no-known-allergies': '716186003',
  'no-known-medication-allergies': '409137002',
  'no-known-food-allergies': '429625007',
  'no-known-environmental-allergies': '428607008',
};

const codingsOf = (concept: unknown): readonly fhir4.Coding[] =>
  (concept as fhir4.CodeableConcept | undefined)?.coding ?? [];

const codesOf = (concept: unknown): string[] => codingsOf(concept).flatMap(({ code }) => code ?? []);

/** The codes of SNOMED CT, also where nobody says that they are its, and what means the same elsewhere. */
const codesOfSnomed = (concept: unknown): string[] =>
  codingsOf(concept).flatMap(({ system, code = '' }) => {
    if (system === ips) return Object.hasOwn(ofIps, code) ? (ofIps[code] ?? []) : [];
    return system === undefined || system === snomed ? [code] : [];
  });

/** Whether a record says something now: it is neither past, nor refuted, nor entered in error. */
const isHeld = ({ clinicalStatus, verificationStatus }: Resource): boolean =>
  !codesOf(clinicalStatus).some((code) => code === 'inactive' || code === 'resolved') &&
  !codesOf(verificationStatus).some((code) => code === 'refuted' || code === 'entered-in-error');

const codesInWords = (concept: unknown): string[] => {
  const { text, coding = [] } = (concept ?? {}) as fhir4.CodeableConcept;
  const words = [text, ...coding.map(({ display }) => display)].map((each) => each?.trim() ?? '');
  return deniedInWords.flatMap(([pattern, code]) => (words.some((each) => pattern.test(each)) ? [code] : []));
};

/** Categories of which a record says that there is no allergy; undefined for one that says of an allergy. */
const deniedBy = ({ code }: Resource): readonly Category[] | undefined => {
  const codes = codesOf(code).length > 0 ? codesOfSnomed(code) : codesInWords(code);
  const all = codes.flatMap((each) => (Object.hasOwn(denied, each) ? (denied[each] ?? []) : []));
  return all.length > 0 ? all : undefined;
};

/** Whether an allergy is of one of these categories. One that says of none may be of any. */
const isOf = ({ category }: Resource, categories: readonly Category[]): boolean => {
  const own = (category ?? []) as readonly Category[];
  return own.length === 0 || own.some((each) => categories.includes(each));
};

/** Categories that a version denies now; undefined if it denies none. */
export const deniesNow = (resource: Resource): readonly Category[] | undefined =>
  isHeld(resource) ? deniedBy(resource) : undefined;

/** Whether a record is an allergy that stands against a denial of these categories. */
export const standsAgainst = (resource: Resource, categories: readonly Category[]): boolean =>
  isHeld(resource) && !deniedBy(resource) && isOf(resource, categories);

const status = (which: 'clinical' | 'verification', code: string): fhir4.CodeableConcept => ({
  coding: [{ system: `http://terminology.hl7.org/CodeSystem/allergyintolerance-${which}`, code }],
});

/** What an allergy calls for: a denial that it contradicts is refuted in the same transaction. An allergy itself is always stored. */
export const retiresDenials = ({ next }: Pick<RecordChange, 'next'>): readonly Raised[] => {
  if (!next || !isHeld(next) || deniedBy(next)) return [];
  return [
    {
      of: 'AllergyIntolerance',
      changes: (resource) => {
        const categories = deniesNow(resource);
        return categories && isOf(next, categories)
          ? {
              ...resource,
              clinicalStatus: status('clinical', 'inactive'),
              verificationStatus: status('verification', 'refuted'),
            }
          : undefined;
      },
    },
  ];
};
