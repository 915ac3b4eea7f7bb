// What a whole search answers with, written from https://hl7.org/fhir/R4/search.html by the simplest means. Shares no code with the server.

import type { SearchParameterDefinition } from '../../../infra/generate/fhirpath/definitions.ts';
import { structureDefinitions } from '../../../infra/generate/fhirpath/definitions.ts';
import { convertUnit } from '../ucum-lhc.ts';
import { isInCompartment } from './compartments.ts';
import {
  definitionsOf,
  elementsOf,
  holds,
  linkedBy,
  type NaiveTest,
  type World,
  type WorldRecord,
} from './evaluate.ts';
import type { Searcher } from './search-server.ts';
import { type Element, plain, spanOfElement } from './values.ts';

export interface NaiveSortRule {
  /** By type, since a search across types sorts each by its own. */
  readonly definitions: ReadonlyMap<string, SearchParameterDefinition>;
  readonly descending: boolean;
}

export interface NaiveInclude {
  readonly kind: 'include' | 'revinclude';
  readonly iterate: boolean;
  /** Undefined for any. */
  readonly source?: string | undefined;
  /** Undefined for any. */
  readonly definition?: SearchParameterDefinition | undefined;
  /** Undefined for any. */
  readonly target?: string | undefined;
}

export type NaiveSummary = 'true' | 'text' | 'data' | 'count' | 'false';

/** A search, as its parts and as text. */
export interface NaiveSearch {
  readonly searcher: Searcher;
  /** More than one in a search across types. */
  readonly types: readonly string[];
  /** `Type/id` of the record whose compartment is searched. */
  readonly compartment?: string | undefined;
  readonly test: NaiveTest;
  readonly sort: readonly NaiveSortRule[];
  readonly includes: readonly NaiveInclude[];
  readonly count?: number | undefined;
  readonly summary?: NaiveSummary | undefined;
  readonly elements?: readonly string[] | undefined;
  readonly isTotalAsked: boolean;
  /** Where it is searched, relative to the base: `Patient/1/Observation`; empty for a search across types. */
  readonly path: string;
  readonly method: 'GET' | 'POST';
  /** How many parameters of a POST stand in its address, before those of its form. */
  readonly inAddress: number;
  readonly query: readonly (readonly [name: string, value: string])[];
  /** Of its parameters, for the figures. */
  readonly kinds: readonly string[];
}

export const placeIn = ({ resource }: Pick<WorldRecord, 'resource'>): string =>
  `${resource.resourceType}/${resource.id}`;

/** `Type/id` of what is found for certain, and of what may be: a value can be too close to a bound to tell. */
export const findMatches = (
  { types, compartment, test }: NaiveSearch,
  world: World,
): { readonly certain: ReadonlySet<string>; readonly possible: ReadonlySet<string> } => {
  const [certain, possible] = [new Set<string>(), new Set<string>()];
  for (const record of world.records) {
    if (!types.includes(record.resource.resourceType)) continue;
    if (compartment !== undefined && !isInCompartment(record, compartment, world.baseUrl)) continue;
    const verdict = holds(test, record, world);
    if (verdict === true) certain.add(placeIn(record));
    if (verdict !== false) possible.add(placeIn(record));
  }
  return { certain, possible };
};

const referencesOf = (type: string): readonly SearchParameterDefinition[] =>
  definitionsOf(type).filter((definition) => definition.type === 'reference');

/** What one include adds to these records. */
const added = (
  { kind, source, definition, target }: NaiveInclude,
  to: readonly WorldRecord[],
  world: World,
): WorldRecord[] => {
  const follow = (record: WorldRecord): WorldRecord[] => {
    const type = record.resource.resourceType;
    if (source !== undefined && source !== type) return [];
    return (definition ? [definition] : referencesOf(type))
      .flatMap((each) => linkedBy(record, each, world))
      .filter(({ resource }) => target === undefined || resource.resourceType === target);
  };
  if (kind === 'include') return to.flatMap(follow);
  return world.records.filter((record) => follow(record).some((each) => to.includes(each)));
};

/** `Type/id` of what stands on a page beside its matches. https://hl7.org/fhir/R4/search.html#include */
export const findIncluded = (
  { includes }: NaiveSearch,
  matches: readonly WorldRecord[],
  world: World,
): ReadonlySet<string> => {
  const found = new Set<WorldRecord>(includes.flatMap((include) => added(include, matches, world)));
  for (let before = -1; before < found.size; ) {
    before = found.size;
    for (const include of includes.filter(({ iterate }) => iterate)) {
      for (const each of added(include, [...matches, ...found], world)) found.add(each);
    }
  }
  for (const match of matches) found.delete(match);
  return new Set([...found].map(placeIn));
};

/** What a record is sorted by: undefined if it has no value, null if the specification does not tell. */
type SortKey = string | number | { readonly value: number; readonly unit: string } | undefined | null;

const familyThenGiven = ({ family, given, text }: fhir4.HumanName): string | null =>
  family === undefined && given === undefined ? (text ?? null) : [family, ...(given ?? [])].filter(Boolean).join(' ');

const sortKeyOf = (element: Element, { type }: SearchParameterDefinition): SortKey => {
  const { value } = element;
  switch (type) {
    case 'date': {
      const [from, until] = spanOfElement(element) ?? [Number.NaN, Number.NaN];
      return [from, until].find(Number.isFinite) ?? null;
    }
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'quantity': {
      const { value: amount, code, system, comparator } = value as fhir4.Quantity;
      const isPlain = amount !== undefined && code !== undefined && system !== undefined && comparator === undefined;
      return isPlain && element.type === 'Quantity' ? { value: amount, unit: code } : null;
    }
    case 'string':
      if (typeof value === 'string') return plain(value);
      if (element.type === 'HumanName') {
        const name = familyThenGiven(value as fhir4.HumanName);
        return name === null ? null : plain(name);
      }
      return null; // the parts of an address have no order of their own
    case 'reference':
      return typeof value === 'string' ? value : (value as fhir4.Reference).reference;
    default: {
      if (typeof value === 'string' || typeof value === 'boolean') return String(value);
      const { coding, code, value: text } = value as fhir4.CodeableConcept & fhir4.Coding & fhir4.Identifier;
      return (coding ?? [{ code: code ?? text }]).find((each) => each.code !== undefined)?.code;
    }
  }
};

/** Order of two values: below 0 if the first comes first, undefined if nothing tells. */
const compareKeys = (a: SortKey, b: SortKey, descending: boolean): number | undefined => {
  if (a === null || b === null) return undefined;
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? 1 : -1;
  const sign = descending ? -1 : 1;
  if (typeof a !== 'object' || typeof b !== 'object') return a === b ? 0 : a < b ? -sign : sign;
  const converted = convertUnit(a.value, a.unit, b.unit);
  if (converted === undefined) return undefined; // they measure different things
  const difference = converted - b.value;
  return Math.abs(difference) <= 1e-9 * Math.abs(b.value) ? undefined : Math.sign(difference) * sign;
};

const keyFor = ({ definitions, descending }: NaiveSortRule, record: WorldRecord): SortKey => {
  const definition = definitions.get(record.resource.resourceType);
  if (!definition) return null;
  const keys = elementsOf(record, definition).map((element) => sortKeyOf(element, definition));
  if (keys.length > 1 && keys.some((key) => key === null || typeof key === 'object')) return null;
  return keys.reduce((first, key) => {
    const order = first === undefined ? -1 : compareKeys(key, first, descending);
    return order === undefined || order >= 0 ? first : key;
  }, undefined);
};

/** The first two neighbours that stand in the wrong order; undefined if there are none. https://hl7.org/fhir/R4/search.html#sort */
export const misplaced = (
  { sort }: NaiveSearch,
  shown: readonly WorldRecord[],
): readonly [WorldRecord, WorldRecord] | undefined => {
  for (let index = 1; index < shown.length; index++) {
    const [before, after] = [shown[index - 1], shown[index]] as [WorldRecord, WorldRecord];
    for (const rule of sort) {
      const order = compareKeys(keyFor(rule, before), keyFor(rule, after), rule.descending);
      if (order === 0) continue;
      if (order !== undefined && order > 0) return [before, after];
      break;
    }
  }
  return undefined;
};

const subsettedTag = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' };

interface RootElement {
  readonly name: string;
  readonly isChoice: boolean;
  readonly isMandatory: boolean;
  readonly isSummary: boolean;
}

const rootsByType = new Map<string, readonly RootElement[]>();

const rootElements = (type: string): readonly RootElement[] => {
  const known = rootsByType.get(type);
  if (known) return known;
  const structure = structureDefinitions().find(({ name, derivation }) => name === type && derivation !== 'constraint');
  const roots = (structure?.snapshot.element ?? []).flatMap((element): RootElement[] => {
    const [, name, ...below] = element.path.split('.');
    if (name === undefined || below.length > 0) return [];
    return [
      {
        name: name.replace('[x]', ''),
        isChoice: name.endsWith('[x]'),
        isMandatory: element.min > 0,
        isSummary: (element as { readonly isSummary?: boolean }).isSummary === true,
      },
    ];
  });
  rootsByType.set(type, roots);
  return roots;
};

/** Names of a type's elements that `_elements` can ask for. */
export const rootElementNames = (type: string): readonly string[] => rootElements(type).map(({ name }) => name);

/** Whether all that is in a part is in the whole, in its place. */
const isPartOf = (part: unknown, whole: unknown): boolean => {
  if (Array.isArray(part))
    return (
      Array.isArray(whole) && part.length === whole.length && part.every((each, index) => isPartOf(each, whole[index]))
    );
  if (typeof part !== 'object' || part === null) return part === whole;
  return (
    typeof whole === 'object' &&
    whole !== null &&
    Object.entries(part).every(([name, member]) => isPartOf(member, (whole as Record<string, unknown>)[name]))
  );
};

/** What is wrong with a record as it is shown; undefined if it is as the search asks. https://hl7.org/fhir/R4/search.html#summary */
export const wronglyShown = (
  { summary, elements }: Pick<NaiveSearch, 'summary' | 'elements'>,
  shown: fhir4.FhirResource,
  stored: fhir4.FhirResource,
): string | undefined => {
  const { meta: shownMeta, ...part } = shown;
  const { meta: storedMeta, ...whole } = stored;
  if (shownMeta?.versionId !== storedMeta?.versionId) return 'shows another version';
  const { resourceType: type } = stored;
  const selects =
    elements !== undefined
      ? 'elements'
      : summary === 'true' || summary === 'text' || summary === 'data'
        ? summary
        : undefined;
  const isTagged = (shownMeta?.tag ?? []).some(
    ({ system, code }) => system === subsettedTag.system && code === subsettedTag.code,
  );
  if (selects === undefined) {
    if (isTagged) return 'is marked as a part';
    return isPartOf(part, whole) && isPartOf(whole, part) ? undefined : 'is not what is stored';
  }
  if (!isTagged) return 'is not marked as a part';
  if (!isPartOf(part, whole)) return 'shows what is not stored';
  const always = ['id', 'implicitRules', 'modifierExtension'];
  const roots = rootElements(type);
  const nameOf = (key: string): string => {
    const bare = key.replace(/^_/, '');
    return roots.find(({ name, isChoice }) => isChoice && bare.startsWith(name) && bare !== name)?.name ?? bare;
  };
  const mandatory = roots.filter(({ isMandatory }) => isMandatory).map(({ name }) => name);
  const wanted = new Set([
    ...always,
    ...(selects === 'elements' ? [...mandatory, ...(elements ?? [])] : []),
    ...(selects === 'text' ? [...mandatory, 'text'] : []),
    ...(selects === 'true' ? roots.filter(({ isSummary }) => isSummary).map(({ name }) => name) : []),
    ...(selects === 'data' ? roots.map(({ name }) => name).filter((name) => name !== 'text') : []),
  ]);
  for (const key of Object.keys(whole)) {
    if (key === 'resourceType') continue;
    const isShown = key in part;
    if (isShown !== wanted.has(nameOf(key))) return `${isShown ? 'shows' : 'lacks'} ${key}`;
  }
  return undefined;
};
