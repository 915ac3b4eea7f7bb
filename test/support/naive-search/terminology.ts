import type { World } from './evaluate.ts';

// Code systems and value sets of the stored world, and what they mean, written down by hand.

/** The system of most codes in the samples. */
export const codes = 'http://example.org/codes';
const clinicalStatus = 'http://terminology.hl7.org/CodeSystem/condition-clinical';

/** What is directly below each code. */
const below: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  [codes]: { a: ['b', 'pain'], b: ['b1', 'b2'], visit: ['check-up'], drugs: ['aspirin', 'ibuprofen'] },
  [clinicalStatus]: { active: ['recurrence', 'relapse'], inactive: ['remission', 'resolved'] },
};

/** Codes of a system that can be asked for by its hierarchy. */
export const codesOfHierarchy = (system: string): readonly string[] => [
  ...new Set(Object.entries(below[system] ?? {}).flatMap(([wide, narrow]) => [wide, ...narrow])),
];

const subsumes = (system: string, wide: string, narrow: string): boolean =>
  wide === narrow || (below[system]?.[wide] ?? []).some((each) => subsumes(system, each, narrow));

const conceptOf = (code: string): fhir4.CodeSystemConcept => {
  const narrow = below[codes]?.[code] ?? [];
  return { code, ...(narrow.length === 0 ? {} : { concept: narrow.map(conceptOf) }) };
};

const inAcme = (name: string): string => `http://acme.org/ValueSet/${name}`;
const valueSet = (name: string, compose: fhir4.ValueSetCompose): fhir4.ValueSet => ({
  resourceType: 'ValueSet',
  status: 'active',
  url: inAcme(name),
  compose,
});

/** In the order in which they can be written. */
export const terminologyResources: readonly fhir4.FhirResource[] = [
  {
    resourceType: 'CodeSystem',
    status: 'active',
    url: codes,
    content: 'complete',
    caseSensitive: true,
    hierarchyMeaning: 'is-a',
    concept: ['a', 'visit', 'drugs', 'x', '140'].map(conceptOf),
  },
  valueSet('listed', { include: [{ system: codes, concept: [{ code: 'a' }, { code: 'visit' }] }] }),
  valueSet('whole', { include: [{ system: codes }] }),
  valueSet('kinds', { include: [{ system: codes, filter: [{ property: 'concept', op: 'is-a', value: 'a' }] }] }),
  valueSet('without', {
    include: [{ valueSet: [inAcme('kinds')] }],
    exclude: [{ system: codes, concept: [{ code: 'pain' }, { code: 'b' }] }],
  }),
];

const whole = [...codesOfHierarchy(codes), 'x', '140'];

/** The codes of each, with their system. */
const members: Readonly<Record<string, readonly [system: string, codes: readonly string[]]>> = {
  [inAcme('listed')]: [codes, ['a', 'visit']],
  [inAcme('whole')]: [codes, whole],
  [inAcme('kinds')]: [codes, ['a', 'b', 'b1', 'b2', 'pain']],
  [inAcme('without')]: [codes, ['a', 'b1', 'b2']],
  'http://hl7.org/fhir/ValueSet/condition-clinical': [clinicalStatus, codesOfHierarchy(clinicalStatus)],
};

export const storedTerminology: NonNullable<World['terminology']> = {
  valueSets: Object.keys(members),
  codesOfHierarchy,
  isMember: (url, code, system, type) => {
    const [own, ofSet = []] = members[url] ?? [];
    const isIn = ofSet.includes(code) && (system === undefined || system === own);
    // the system is that of the element's binding, which is not told here
    return isIn && type === 'code' ? undefined : isIn;
  },
  subsumes: (wide, narrow, system) => system !== undefined && subsumes(system, wide, narrow),
};
