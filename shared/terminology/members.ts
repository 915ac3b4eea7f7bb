import { splitCanonical, withVersion } from './canonical.ts';
import { type CodeSystem, foldCode } from './code-system.ts';
import { filterOf } from './filter.ts';
import { TerminologyGap } from './gap.ts';
import { ignoringCase } from './ignoring-case.ts';

/** What is known, by canonical address with or without `|version`. */
export interface Terminology {
  readonly valueSet: (canonical: string) => fhir4.ValueSet | undefined;
  readonly codeSystem: (canonical: string) => CodeSystem | undefined;
}

/** The codes of a value set. */
export interface Members {
  /** Without a system: whether a code of that name is in it, of a system whose codes are known or listed. */
  readonly has: (system: string | undefined, code: string) => boolean;
  /** Whether it is in it for certain: not only because all codes of a system are, which is not known. */
  readonly certain: (system: string, code: string) => boolean;
  /** The code systems that it draws on. */
  readonly systems: ReadonlySet<string>;
}

/**
 * Whether a code passes.
 *
 * @param open - what to answer where all codes of a system that is not known are meant.
 */
type Test = (system: string, code: string, open: boolean) => boolean;

interface Part {
  readonly test: Test;
  readonly systems: ReadonlySet<string>;
}

/**
 * The codes of a value set, evaluated code by code: nothing is expanded. All codes of a system that is not known are in, if the system as
 * a whole is; a listed code needs no system. An expansion that says it is complete answers where the composition cannot.
 *
 * @throws TerminologyGap if what it is made of is not known, or if it is made of itself.
 * @see https://hl7.org/fhir/R4/valueset.html#compositions
 */
export const membersOf = (valueSet: fhir4.ValueSet, known: Terminology): Members => {
  const { test, systems } = partOf(valueSet, { known, within: [], sets: { read: 0 } });
  return {
    has: (named, code) => {
      const system = named === undefined ? undefined : splitCanonical(named)[0];
      return system === undefined ? [...systems].some((each) => test(each, code, false)) : test(system, code, true);
    },
    certain: (system, code) => test(system, code, false),
    systems,
  };
};

/** Value sets that one may be made of, each counted as often as it is named: a test of a code may go through all of them. */
const mostSets = 1_000;

interface Evaluation {
  readonly known: Terminology;
  /** The value sets that are being evaluated, each a part of the one before it. */
  readonly within: readonly fhir4.ValueSet[];
  readonly sets: { read: number };
}

const partOf = (valueSet: fhir4.ValueSet, evaluation: Evaluation): Part => {
  const { within, sets } = evaluation;
  if (within.includes(valueSet)) throw new TerminologyGap(`The value set ${valueSet.url} is made of itself`);
  if (++sets.read > mostSets) throw new TerminologyGap(`The value set ${within[0]?.url} is made of too many others`);
  const expanded = completeExpansion(valueSet.expansion);
  try {
    return composed(valueSet, { ...evaluation, within: [...within, valueSet] });
  } catch (error) {
    if (expanded && error instanceof TerminologyGap) return listedIn(expanded);
    throw error;
  }
};

const composed = ({ url, compose }: fhir4.ValueSet, evaluation: Evaluation): Part => {
  if (!compose?.include.length) throw new TerminologyGap(`The value set ${url} does not tell its codes`);
  const parts = compose.include.map((selection) => selected(selection, evaluation));
  const excluded = (compose.exclude ?? []).map((selection) => selected(selection, evaluation));
  const { known } = evaluation;
  const isInactive = (system: string, code: string): boolean | undefined => {
    const version = compose.include.find((each) => each.system === system)?.version;
    return compose.inactive === false && known.codeSystem(withVersion(system, version))?.find(code)?.inactive;
  };
  return {
    systems: new Set(parts.flatMap(({ systems }) => [...systems])),
    test: (system, code, open) =>
      parts.some(({ test }) => test(system, code, open)) &&
      !excluded.some(({ test }) => test(system, code, true)) &&
      !isInactive(system, code),
  };
};

/** What is of the system, and in every value set that is named beside it. */
const selected = (
  { system, version, concept, filter, valueSet = [] }: fhir4.ValueSetComposeInclude,
  evaluation: Evaluation,
): Part => {
  const { known } = evaluation;
  const imports = valueSet.map((canonical) => {
    const imported = known.valueSet(canonical);
    if (!imported) throw new TerminologyGap(`The value set ${canonical}, which it is made of, is not known here`);
    return partOf(imported, evaluation);
  });
  const parts = imports.map(({ test }) => test);
  const [url] = splitCanonical(system ?? '');
  if (system) {
    const chosen = codesChosen(withVersion(system, version), known, concept, filter);
    parts.push((each, code, open) => each === url && chosen(code, open));
  }
  return {
    systems: new Set(system ? [url] : imports.flatMap((each) => [...each.systems])),
    // what one of them lists is certain, if the others take it in
    test: (each, code, open) =>
      parts.every((test) => test(each, code, true)) && (open || parts.some((test) => test(each, code, false))),
  };
};

const codesChosen = (
  canonical: string,
  known: Terminology,
  concepts: readonly fhir4.ValueSetComposeIncludeConcept[] = [],
  filters: readonly fhir4.ValueSetComposeIncludeFilter[] = [],
): ((code: string, open: boolean) => boolean) => {
  const codeSystem = known.codeSystem(canonical);
  if (concepts.length > 0) {
    const sensitive = codeSystem ? codeSystem.caseSensitive : !ignoringCase.has(splitCanonical(canonical)[0]);
    const name = (code: string): string => (sensitive ? code : foldCode(code));
    const listed = new Set(concepts.map(({ code }) => name(code)));
    return (code) => listed.has(name(code));
  }
  if (codeSystem?.complete) {
    const passes = filters.map((filter) => filterOf(codeSystem, filter));
    return (code) => {
      const concept = codeSystem.find(code);
      return concept !== undefined && passes.every((test) => test(concept));
    };
  }
  if (filters.length > 0)
    throw new TerminologyGap(`The codes of ${canonical}, which it selects from, are not known here`);
  return (_, open) => open;
};

/** https://hl7.org/fhir/R4/extension-valueset-unclosed.html and extension-valueset-toocostly.html */
const incomplete = /\/valueset-(?:unclosed|toocostly)$/;
/** Parameters of `$expand` that leave out some of the codes. */
const leavingOut = /^(?:filter|count|offset|limitedExpansion|activeOnly|exclude-system)$/;

/** The entries of an expansion, those within others too, if it says how many there are and lists as many, or is a whole without saying. */
export const completeExpansion = (
  expansion: fhir4.ValueSetExpansion | undefined,
): fhir4.ValueSetExpansionContains[] | undefined => {
  if (!expansion?.contains || expansion.offset) return undefined;
  if (expansion.parameter?.some(({ name }) => leavingOut.test(name))) return undefined;
  if (expansion.extension?.some(({ url, valueBoolean }) => incomplete.test(url) && valueBoolean !== false))
    return undefined;
  const all = withContained(expansion.contains);
  return (expansion.total ?? 0) > all.length
    ? undefined
    : all.filter(({ code, abstract }) => code !== undefined && !abstract);
};

const withContained = (entries: readonly fhir4.ValueSetExpansionContains[] = []): fhir4.ValueSetExpansionContains[] =>
  entries.flatMap((entry) => [entry, ...withContained(entry.contains)]);

const listedIn = (entries: readonly fhir4.ValueSetExpansionContains[]): Part => {
  const names = new Set(entries.map(({ system = '', code }) => `${system} ${code}`));
  return {
    systems: new Set(entries.map(({ system = '' }) => system)),
    test: (system, code) => names.has(`${system} ${code}`),
  };
};

/** What must be known to evaluate a value set: what it imports, and the code systems that it takes as a whole or selects from. */
export const neededFor = ({ compose }: fhir4.ValueSet): { valueSets: string[]; codeSystems: string[] } => {
  const selections = [...(compose?.include ?? []), ...(compose?.exclude ?? [])];
  return {
    valueSets: selections.flatMap(({ valueSet = [] }) => valueSet),
    codeSystems: selections.flatMap(({ system, version, concept }) =>
      system === undefined || (concept && compose?.inactive !== false) ? [] : [withVersion(system, version)],
    ),
  };
};
