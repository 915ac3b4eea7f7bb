import type { Resource } from '../fhir/resource.ts';
import type { SearchParameter } from '../fhir/search-parameter.ts';
import type { Lookup, RecordFacts } from './facts.ts';
import { lookupName } from './found-by.ts';
import { localReference } from './local-reference.ts';
import { keyOf, within as standingWithin } from './match/chain.ts';
import { referenceText } from './match/reference.ts';
import { isMimeType } from './match/terminology.ts';
import { matches } from './matches.ts';
import { unsupportedParameter } from './refusal.ts';
import type {
  Chain,
  Condition,
  Criterion,
  CriterionValue,
  Include,
  ReferenceValue,
  SearchQuery,
  SortRule,
} from './search-query.ts';
import { ucum } from './units.ts';

/** The conditions that are plain parameters: those that may lead to an index. */
export const criteriaOf = (conditions: readonly Condition[]): Criterion[] =>
  conditions.flatMap((condition) => (condition.kind === 'criterion' ? [condition] : []));

/** The conditions directly within one: of what is joined, of an element, of what is negated. */
const within = (condition: Condition): readonly Condition[] => {
  switch (condition.kind) {
    case 'chain':
      return condition.targets.flatMap(({ conditions }) => conditions);
    case 'has':
    case 'element':
    case 'all':
    case 'any':
      return condition.conditions;
    case 'not':
      return [condition.condition];
    default:
      return [];
  }
};

/**
 * What must be looked up before a record can be matched, in the order in which it can be done: what the conditions behind a lookup need
 * comes before it. The same facts then serve everywhere, also for a resource within the record, which a chain looks into.
 */
export const lookupsOf = (conditions: readonly Condition[]): Lookup[] =>
  conditions.flatMap((condition): Lookup[] => {
    const inner = lookupsOf(within(condition));
    switch (condition.kind) {
      case 'chain':
      case 'has':
      case 'list':
        return [...inner, condition];
      case 'criterion':
        return hierarchiesIn(condition);
      default:
        return inner;
    }
  });

/** The lookups that a record needs itself, not what those lead to. */
export const beside = (conditions: readonly Condition[]): Lookup[] =>
  conditions.flatMap((condition): Lookup[] => {
    switch (condition.kind) {
      case 'chain':
      case 'has':
      case 'list':
        return [condition];
      case 'criterion':
        return hierarchiesIn(condition);
      default:
        return beside(within(condition));
    }
  });

const hierarchiesIn = ({ values }: Criterion): Lookup[] =>
  values.flatMap((value) => (value.type === 'hierarchy' ? [value] : []));

/** Whether matching or sorting may have to convert units: where a quantity is asked for in a unit of UCUM, or sorts what is found. */
export const comparesUnits = (conditions: readonly Condition[], sort: readonly SortRule[]): boolean =>
  sort.some(({ parameter }) => parameter.type === 'quantity') ||
  criteriaWithin(conditions).some(({ values }) => values.some(hasUnit));

const hasUnit = (value: CriterionValue): boolean =>
  value.type === 'composite'
    ? value.parts.some(hasUnit)
    : value.type === 'quantity' && value.system === ucum && value.code !== undefined;

/** Value sets whose members, and codes whose place in a hierarchy must be known, each once, with a parameter that asks for it. */
export interface NeededTerminology {
  /** By canonical address, or where they are. */
  readonly valueSets: readonly { readonly url: string; readonly parameter: string }[];
  /** A code without a system is of whatever system an element has; one whose system is empty, of none. */
  readonly codes: readonly { readonly system: string | undefined; readonly code: string; readonly parameter: string }[];
}

/** All criteria, those behind lookups included. */
export const criteriaWithin = (conditions: readonly Condition[]): Criterion[] =>
  conditions.flatMap((condition) => (condition.kind === 'criterion' ? [condition] : criteriaWithin(within(condition))));

/** The criteria that need terminology, those behind lookups included. */
const terminological = (conditions: readonly Condition[]): Criterion[] =>
  criteriaWithin(conditions).filter(({ modifier, values, parameter }) =>
    values.some(
      (value) =>
        value.type === 'value-set' ||
        (value.type === 'token' && isSubsuming(modifier) && !isMimeType(value, parameter.code)),
    ),
  );

const isSubsuming = (modifier: string | undefined): boolean => modifier === 'above' || modifier === 'below';

/** What the conditions ask of terminology, those behind lookups included. */
export const terminologyOf = (conditions: readonly Condition[]): NeededTerminology => {
  const valueSets = new Map<string, NeededTerminology['valueSets'][number]>();
  const codes = new Map<string, NeededTerminology['codes'][number]>();
  for (const { name: parameter, values, parameter: selecting } of terminological(conditions)) {
    for (const value of values) {
      if (value.type === 'value-set') valueSets.set(value.url, { url: value.url, parameter });
      else if (value.type === 'token' && value.code !== undefined && !isMimeType(value, selecting.code)) {
        const { code, system } = value;
        codes.set(`${system}|${code}`, { system, code, parameter });
      }
    }
  }
  return { valueSets: [...valueSets.values()], codes: [...codes.values()] };
};

/**
 * Refuses a search that asks more than a record itself can tell: for a place that looks nothing up.
 *
 * @throws RecordError `not-supported`
 */
export const requireSelfContained = ({ conditions, includes, contained }: SearchQuery): void => {
  const [lookup] = lookupsOf(conditions);
  if (lookup) throw unsupportedParameter(lookupName(lookup), 'This parameter is not supported here');
  const [term] = terminological(conditions);
  if (term) throw unsupportedParameter(term.name, 'Value sets and hierarchies of codes are not supported here');
  const [include] = includes;
  if (include) throw unsupportedParameter(`_${include.kind}`, 'Including other resources is not supported here');
  if (contained.search !== 'false') throw unsupportedParameter('_contained', 'Contained resources are not searched');
};

/** What the references of a chain in this record lead to, by the names in `Lookups`; nothing of what stands within the record. */
export const chainedFrom = ({ parameter, targets }: Chain, resource: Resource, baseUrl: string): string[] =>
  parameter.values(resource).flatMap((target) => {
    const key = keyOf(target, baseUrl);
    // a canonical may lead to any type
    const leads = key?.includes(':') || targets.some(({ resourceType }) => isOf(resourceType, key ?? ''));
    return key !== undefined && leads ? [key] : [];
  });

/** The resources that a chain leads to within a record. */
export const containedBehind = ({ parameter }: Chain, resource: Resource, container: Resource): Resource[] =>
  parameter.values(resource).flatMap((target) => standingWithin(target, container) ?? []);

const isOf = (resourceType: string, reference: string): boolean => reference.startsWith(`${resourceType}/`);

/** `Type/id` of the records that a parameter of this record refers to, in document order, each once. */
export const referencesOf = ({ values }: SearchParameter, resource: Resource, baseUrl: string): string[] => [
  ...new Set(values(resource).flatMap((target) => localReference(referenceText(target) ?? '', baseUrl) ?? [])),
];

/** A criterion that is met by what refers to any of these records, `Type/id`: what a search for them would have been read as. */
export const referringTo = (parameter: SearchParameter, references: readonly string[]): Criterion => ({
  kind: 'criterion',
  name: parameter.code,
  parameter,
  modifier: undefined,
  values: references.map((reference): ReferenceValue => {
    const [resourceType, id] = reference.split('/');
    return { type: 'reference', resourceType, id, url: undefined, version: undefined };
  }),
});

/**
 * What `_include` adds to a record: `Type/id` of the records that it refers to, with `/_history/1` where it names that version, or the address of a
 * canonical.
 *
 * @param parameters - of the record's type.
 * @returns nothing for `_revinclude`, or if the include is of another type.
 */
export const includedFrom = (
  { kind, source, parameter, target }: Include,
  resource: Resource,
  parameters: readonly SearchParameter[],
  baseUrl: string,
): string[] => {
  if (kind !== 'include' || (source !== undefined && source !== resource.resourceType)) return [];
  const followed = parameter ? [parameter] : parameters.filter(({ type }) => type === 'reference');
  const keys = followed.flatMap(({ values }) =>
    values(resource).flatMap((each) => {
      const key = keyOf(each, baseUrl);
      const version = /\/_history\/[1-9]\d{0,9}$/.exec(referenceText(each) ?? '')?.[0];
      return key === undefined ? [] : `${key}${key.includes(':') ? '' : (version ?? '')}`;
    }),
  );
  return [...new Set(keys)].filter((key) => target === undefined || isOf(target, key) || key.includes(':'));
};

/**
 * How to search what `_revinclude` adds to records: in one type, by each of its references that may point at them.
 *
 * @param parameters - of that type.
 * @param references - `Type/id` of the records that were found.
 * @returns one criterion for each reference; records that meet any of them are added.
 */
export const revincluding = (
  { kind, source, parameter, target }: Include,
  resourceType: string,
  parameters: readonly SearchParameter[],
  references: readonly string[],
): Criterion[] => {
  if (kind !== 'revinclude' || (source !== undefined && source !== resourceType)) return [];
  const followed = parameter ? [parameter] : parameters.filter(({ type }) => type === 'reference');
  return followed.flatMap((each) => {
    const reached = references.filter(
      (reference) =>
        (target === undefined || isOf(target, reference)) &&
        (each.targets?.some((type) => isOf(type, reference)) ?? true),
    );
    return reached.length === 0 ? [] : [referringTo(each, reached)];
  });
};

/**
 * The resources within a record that a search with `_contained` finds. https://hl7.org/fhir/R4/search.html#contained
 *
 * @param facts - of the record that holds them.
 */
export const containedMatches = (
  conditions: readonly Condition[],
  resourceType: string,
  container: Resource,
  facts: RecordFacts,
): Resource[] => {
  const contained = Array.isArray(container['contained']) ? (container['contained'] as Resource[]) : [];
  return contained.filter(
    (resource) =>
      resource.resourceType === resourceType &&
      matches(conditions, resource, { ...facts, id: resource.id ?? '', lastUpdated: undefined, container }),
  );
};

/** `Type/id` of what stands in a List and is not marked as taken off. https://hl7.org/fhir/R4/list.html */
export const listedIn = (list: Resource, baseUrl: string): string[] => {
  const entries = Array.isArray(list['entry']) ? (list['entry'] as fhir4.ListEntry[]) : [];
  return entries.flatMap(({ item, deleted }) =>
    deleted === true ? [] : (localReference(item.reference ?? '', baseUrl) ?? []),
  );
};
