// Whether a search finds a record, written from https://hl7.org/fhir/R4/search.html by the simplest means: every record of the world is
// looked at, every element is selected by an evaluator of FHIRPath. Shares no code with shared/search.

import type { SearchParameterDefinition } from '../../../infra/generate/fhirpath/definitions.ts';
import { searchParameterDefinitions } from '../../../infra/generate/fhirpath/definitions.ts';
import { usCoreSearchParameters } from '../../../infra/generate/us-core.ts';
import { evaluate } from '../fhirpath-evaluator.ts';
import { convertUnit } from '../ucum-lhc.ts';
import { convertedHolds, dateHolds, type Element, numberHolds, type Prefix, plain, textsOf } from './values.ts';

/** A value of a search, as its parts and not as text. */
export type NaiveValue =
  | { readonly kind: 'date' | 'number'; readonly prefix: Prefix; readonly text: string }
  | {
      readonly kind: 'quantity';
      readonly prefix: Prefix;
      readonly text: string;
      readonly system?: string | undefined;
      readonly code?: string | undefined;
    }
  | { readonly kind: 'token'; readonly system?: string | undefined; readonly code?: string | undefined }
  | { readonly kind: 'of-type'; readonly system: string; readonly code: string; readonly value: string }
  | { readonly kind: 'value-set'; readonly url: string }
  | { readonly kind: 'string' | 'uri'; readonly text: string }
  | { readonly kind: 'reference'; readonly type?: string | undefined; readonly id: string; readonly base?: string }
  | { readonly kind: 'canonical'; readonly url: string; readonly version?: string | undefined }
  | { readonly kind: 'composite'; readonly parts: readonly NaiveValue[] }
  | { readonly kind: 'missing'; readonly missing: boolean };

/** A search, as its parts and not as text. */
export type NaiveTest =
  | {
      readonly kind: 'parameter';
      readonly definition: SearchParameterDefinition;
      readonly modifier?: string | undefined;
      readonly values: readonly NaiveValue[];
    }
  | {
      readonly kind: 'chain';
      readonly definition: SearchParameterDefinition;
      readonly target?: string | undefined;
      /** By type, since the next parameter is another one in each. */
      readonly tests: ReadonlyMap<string, NaiveTest>;
    }
  | {
      readonly kind: 'has';
      readonly type: string;
      readonly definition: SearchParameterDefinition;
      readonly test: NaiveTest;
    }
  | { readonly kind: 'words'; readonly of: 'narrative' | 'content'; readonly words: readonly string[] }
  | {
      readonly kind: 'filter';
      readonly definition: SearchParameterDefinition;
      readonly operator: string;
      readonly value: NaiveValue;
    }
  | { readonly kind: 'list'; readonly ids: readonly string[] }
  /** Kilometres around a place. */
  | { readonly kind: 'near'; readonly latitude: number; readonly longitude: number; readonly kilometres: number }
  /** Another test for each type, since the parameter is another one. */
  | { readonly kind: 'by-type'; readonly tests: ReadonlyMap<string, NaiveTest> }
  | { readonly kind: 'and' | 'or'; readonly tests: readonly NaiveTest[] }
  | { readonly kind: 'not'; readonly test: NaiveTest };

export interface WorldRecord {
  readonly resource: fhir4.FhirResource & { id: string };
  readonly lastUpdated: string;
}

export interface NaiveTerminology {
  /** Those that can be asked for. */
  readonly valueSets: readonly string[];
  /** Codes of a system whose hierarchy can be asked for; undefined if any code can be. */
  readonly codesOfHierarchy?: (system: string) => readonly string[];
  /**
   * Whether a value set has a code.
   *
   * @param system - undefined if the element does not say it.
   * @param type - of the element: a `code` has the system of its binding.
   */
  readonly isMember: (valueSet: string, code: string, system: string | undefined, type: string) => Verdict;
  /** Whether one code subsumes another, or is it. */
  readonly subsumes: (wide: string, narrow: string, system: string | undefined) => boolean;
}

/** All there is. */
export interface World {
  readonly baseUrl: string;
  readonly now: number;
  readonly records: readonly WorldRecord[];
  /** What is known of codes; undefined if value sets and hierarchies are not to be asked for. */
  readonly terminology?: NaiveTerminology | undefined;
  /** Grams in a mole of what a code measures. */
  readonly molarMass: (code: string) => number | undefined;
}

/** Whether it is certain: a value may be too close to a bound for an evaluation in doubles. */
export type Verdict = boolean | undefined;

const any = (verdicts: readonly Verdict[]): Verdict =>
  verdicts.includes(true) ? true : verdicts.includes(undefined) ? undefined : false;
const all = (verdicts: readonly Verdict[]): Verdict =>
  verdicts.includes(false) ? false : verdicts.includes(undefined) ? undefined : true;
const not = (verdict: Verdict): Verdict => (verdict === undefined ? undefined : !verdict);

const allDefinitions = [...searchParameterDefinitions(), ...usCoreSearchParameters()];
const byType = new Map<string, readonly SearchParameterDefinition[]>();
const byAddress = new Map(allDefinitions.map((definition) => [definition.url, definition]));

/** The parameters of a type that select elements. */
export const definitionsOf = (type: string): readonly SearchParameterDefinition[] => {
  const known =
    byType.get(type) ??
    allDefinitions.filter(({ base, expression }) => expression && (base.includes(type) || base.includes('Resource')));
  byType.set(type, known);
  return known;
};

export const definitionAt = (url: string): SearchParameterDefinition => {
  const found = byAddress.get(url);
  if (!found) throw new Error(`no ${url}`);
  return found;
};

/** The part of an expression that is about a type; a parenthesis is closed where it is opened. */
const expressionFor = (expression: string, type: string): string =>
  expression
    .split('|')
    .map((part) => part.trim())
    .filter((part) => new RegExp(`^\\(*(${type}|Resource|[a-z]\\w*)\\b`).test(part))
    .join(' | ');

const selected = new WeakMap<object, Map<string, Element[]>>();

/** What an expression selects, each with its datatype. */
const select = (resource: object, expression: string): Element[] => {
  const known = selected.get(resource) ?? new Map<string, Element[]>();
  selected.set(resource, known);
  const found = known.get(expression);
  if (found) return found;
  const values = evaluate(resource, expression);
  const types = evaluate(resource, `(${expression}).select(type().name)`);
  const elements = values.map((value, index) => ({ type: String(types[index]), value }));
  known.set(expression, elements);
  return elements;
};

export const elementsOf = (
  { resource, lastUpdated }: WorldRecord,
  { code, expression = '' }: SearchParameterDefinition,
): Element[] => {
  if (code === '_id') return resource.id === '' ? [] : [{ type: 'id', value: resource.id }];
  if (code === '_lastUpdated') return lastUpdated === '' ? [] : [{ type: 'instant', value: lastUpdated }];
  return select(resource, expressionFor(expression, resource.resourceType));
};

/** What a component selects of one of the elements of a composite. */
export const partsOf = (
  { resource }: WorldRecord,
  { expression = '', component = [] }: SearchParameterDefinition,
  element: number,
  index: number,
): Element[] => {
  const whole = `(${expressionFor(expression, resource.resourceType)}).skip(${element}).first()`;
  return select(
    resource,
    `${whole}.select(${(component[index]?.expression ?? '').replaceAll('DateTime', 'dateTime')})`,
  );
};

/** The records that a parameter of this one refers to, by their place or their canonical address. */
export const linkedBy = (record: WorldRecord, definition: SearchParameterDefinition, world: World): WorldRecord[] => {
  const elements = elementsOf(record, definition);
  const places = elements.map((element) => placeOf(element, world));
  return world.records.filter(
    ({ resource }) =>
      places.includes(`${resource.resourceType}/${resource.id}`) ||
      elements.some(({ value }) => typeof value === 'string' && isCanonicalOf(value, resource)),
  );
};

/** Whether a record is found. */
export const holds = (test: NaiveTest, record: WorldRecord, world: World): Verdict => {
  switch (test.kind) {
    case 'and':
      return all(test.tests.map((each) => holds(each, record, world)));
    case 'or':
      return any(test.tests.map((each) => holds(each, record, world)));
    case 'not':
      return not(holds(test.test, record, world));
    case 'words':
      return wordsHold(test.words, test.of === 'narrative' ? record.resource : undefined, record);
    case 'parameter':
      return parameterHolds(test, record, world);
    case 'filter':
      return any(elementsOf(record, test.definition).map((element) => filterHolds(test, element, record, world)));
    case 'chain':
      return any(
        [...linkedBy(record, test.definition, world), ...inside(elementsOf(record, test.definition), record)].map(
          (each) => {
            const inner = test.tests.get(each.resource.resourceType);
            return inner ? holds(inner, each, world) : false;
          },
        ),
      );
    case 'list':
      return isListed(test.ids, record, world);
    case 'near':
      return isNear(test, record);
    case 'by-type': {
      const own = test.tests.get(record.resource.resourceType);
      return own ? holds(own, record, world) : false;
    }
    case 'has': {
      const own = `${record.resource.resourceType}/${record.resource.id}`;
      const referring = world.records.filter(
        (each) =>
          each.resource.resourceType === test.type &&
          elementsOf(each, test.definition).some((element) => placeOf(element, world) === own),
      );
      return any(referring.map((each) => holds(test.test, each, world)));
    }
  }
};

/** https://hl7.org/fhir/R4/lists.html: what a list took off is not in it. */
const isListed = (ids: readonly string[], { resource }: WorldRecord, world: World): boolean =>
  world.records.some(
    ({ resource: list }) =>
      list.resourceType === 'List' &&
      ids.includes(list.id) &&
      (list.entry ?? []).some(
        ({ item, deleted }) =>
          deleted !== true &&
          placeOf({ type: 'Reference', value: item }, world) === `${resource.resourceType}/${resource.id}`,
      ),
  );

const earthRadius = 6_371;

/** By the law of cosines; undefined within metres of the limit. */
const isNear = (
  { latitude, longitude, kilometres }: Extract<NaiveTest, { kind: 'near' }>,
  { resource }: WorldRecord,
): Verdict => {
  const { position } = resource as fhir4.Location;
  if (!position) return false;
  const radians = (degrees: number): number => (degrees * Math.PI) / 180;
  const [a, b] = [radians(latitude), radians(position.latitude)];
  const angle =
    Math.sin(a) * Math.sin(b) + Math.cos(a) * Math.cos(b) * Math.cos(radians(longitude - position.longitude));
  const distance = Math.acos(Math.min(1, angle)) * earthRadius;
  return Math.abs(distance - kilometres) < kilometres / 100 + 0.01 ? undefined : distance < kilometres;
};

const isCanonicalOf = (canonical: string, resource: fhir4.FhirResource): boolean => {
  const { url, version } = resource as fhir4.ValueSet;
  return url !== undefined && (canonical === url || canonical === `${url}|${version}`);
};

/** Resources that elements hold, or refer to within the record. */
const inside = (elements: readonly Element[], { resource }: WorldRecord): WorldRecord[] => {
  const contained = (resource as fhir4.DomainResource).contained ?? [];
  const found = elements.flatMap(({ value }) =>
    value !== null && typeof value === 'object' && 'resourceType' in value
      ? [value as fhir4.Resource]
      : contained.filter(({ id }) => (value as fhir4.Reference).reference === `#${id}`),
  );
  return found.map((each) => ({
    resource: { ...each, id: each.id ?? '' } as WorldRecord['resource'],
    lastUpdated: '',
  }));
};

/** `Type/id` of the record that an element refers to, wherever the address begins; versions do not matter. */
export const placeOf = ({ value }: Element, { baseUrl }: Pick<World, 'baseUrl'>): string | undefined => {
  const text = typeof value === 'string' ? value : (value as fhir4.Reference).reference;
  const local = text?.replace(`${baseUrl}/`, '').replace(/\/_history\/.*$/, '');
  return local !== undefined && /^[A-Z]\w+\/[\w.-]+$/.test(local) ? local : undefined;
};

const parameterHolds = (
  test: Extract<NaiveTest, { kind: 'parameter' }>,
  record: WorldRecord,
  world: World,
): Verdict => {
  const { definition, modifier, values } = test;
  const elements = elementsOf(record, definition);
  const verdict = any(
    values.map((value) =>
      value.kind === 'missing'
        ? value.missing === (elements.length === 0)
        : any(elements.map((element) => valueHolds(value, modifier, definition, element, record, world))),
    ),
  );
  return modifier === 'not' || modifier === 'not-in' ? not(verdict) : verdict;
};

const valueHolds = (
  value: NaiveValue,
  modifier: string | undefined,
  definition: SearchParameterDefinition,
  element: Element,
  record: WorldRecord,
  world: World,
): Verdict => {
  switch (value.kind) {
    case 'date':
      return dateHolds(value.prefix, value.text, element, world.now);
    case 'number':
      return typeof element.value === 'number' && numberHolds(value.prefix, value.text, String(element.value));
    case 'quantity':
      return quantityHolds(value, element, record, world);
    case 'string':
      return modifier === 'text' && definition.type !== 'string'
        ? displaysOf(element).some((text) => plain(text).startsWith(plain(value.text)))
        : stringHolds(value.text, modifier, definition, element);
    case 'token':
      return tokenHolds(value, modifier, element, world);
    case 'of-type': {
      const { type, value: text } = element.value as fhir4.Identifier;
      return (
        text === value.value &&
        (type?.coding ?? []).some(({ system, code }) => system === value.system && code === value.code)
      );
    }
    case 'value-set':
      if (!hasConcepts(element)) return false;
      return any(
        codesOf(element).map(
          ({ system, code }) =>
            code !== undefined && world.terminology?.isMember(value.url, code, system, element.type),
        ),
      );
    case 'uri':
      return uriHolds(value.text, modifier, element);
    case 'reference': {
      const place = placeOf(element, world);
      if (modifier === 'above' || modifier === 'below')
        return place !== undefined && kinOf(`${value.type}/${value.id}`, modifier, world).has(place);
      const [type = '', id] = place?.split('/') ?? [];
      if (place === undefined || id !== value.id) return false;
      const targets = definition.target ?? [];
      return value.type === undefined ? targets.length === 0 || targets.includes(type) : type === value.type;
    }
    case 'canonical': {
      const text =
        typeof element.value === 'string' ? element.value : ((element.value as fhir4.Reference).reference ?? '');
      const [url, version] = text.split('|');
      if (url !== value.url) return false;
      if (value.version === undefined) return true;
      return modifier === 'below'
        ? version === value.version || (version ?? '').startsWith(`${value.version}.`)
        : version === value.version;
    }
    case 'composite': {
      const at = elementsOf(record, definition).indexOf(element);
      return all(
        (definition.component ?? []).map((component, index) => {
          const part = value.parts[index];
          const of = definitionAt(component.definition);
          const parts = partsOf(record, definition, at, index);
          return part ? any(parts.map((each) => valueHolds(part, undefined, of, each, record, world))) : false;
        }),
      );
    }
    case 'missing':
      return false;
  }
};

/** A record and all that is above or below it, by what it is a part of. https://hl7.org/fhir/R4/references.html#circular */
const kinOf = (start: string, direction: 'above' | 'below', world: World): ReadonlySet<string> => {
  const found = new Set([start]);
  const links = world.records.flatMap(({ resource }) =>
    [(resource as { partOf?: unknown }).partOf ?? []].flat().flatMap((value) => {
      const above = placeOf({ type: 'Reference', value }, world);
      const own = `${resource.resourceType}/${resource.id}`;
      return above?.startsWith(`${resource.resourceType}/`) ? [[own, above] as const] : [];
    }),
  );
  for (let before = 0; before < found.size; ) {
    before = found.size;
    for (const [below, above] of links) {
      if (direction === 'above' && found.has(below)) found.add(above);
      if (direction === 'below' && found.has(above)) found.add(below);
    }
  }
  return found;
};

const stringHolds = (
  text: string,
  modifier: string | undefined,
  { code }: SearchParameterDefinition,
  element: Element,
): boolean => {
  const texts = textsOf(element);
  if (modifier === 'exact') return texts.some((each) => each.normalize('NFC') === text.normalize('NFC'));
  if (modifier === 'contains') return texts.some((each) => plain(each).includes(plain(text)));
  if (modifier === 'text') return texts.some((each) => ` ${plain(each)} `.includes(` ${plain(text)} `));
  const hasParts = element.type === 'HumanName' || element.type === 'Address' || code === 'family';
  return texts.some((each) => {
    const words = plain(each).split(' ');
    const starts = hasParts ? words.map((_, index) => words.slice(index).join(' ')) : [words.join(' ')];
    return starts.some((start) => start.startsWith(plain(text)));
  });
};

interface Code {
  readonly system?: string | undefined;
  readonly code?: string | undefined;
}

export const codesOf = ({ type, value }: Element): Code[] => {
  if (typeof value === 'string' || typeof value === 'boolean') return [{ code: String(value) }];
  if (type === 'CodeableConcept') return (value as fhir4.CodeableConcept).coding ?? [];
  if (type === 'Coding') return [value as fhir4.Coding];
  if (type === 'Quantity') return [value as fhir4.Quantity, { code: (value as fhir4.Quantity).unit }];
  const { system, value: code } = value as fhir4.Identifier;
  return [{ system: type === 'ContactPoint' ? undefined : system, code }];
};

/** Whether its codes belong to code systems. */
const hasConcepts = ({ type }: Element): boolean =>
  !['boolean', 'Boolean', 'Identifier', 'ContactPoint'].includes(type);

const displaysOf = ({ type, value }: Element): string[] => {
  if (typeof value === 'string') return ['string', 'markdown'].includes(type) ? [value] : [];
  const {
    text,
    coding = [],
    display,
    type: ofIdentifier,
  } = value as fhir4.CodeableConcept & fhir4.Identifier & fhir4.Coding;
  const shown =
    type === 'Identifier'
      ? [ofIdentifier?.text]
      : type === 'CodeableConcept'
        ? [text, ...coding.map((each) => each.display)]
        : [display];
  return shown.flatMap((each) => each ?? []);
};

/** Systems whose codes mean the same in either case: https://loinc.org/kb/faq/structure/ https://www.cdc.gov/nchs/icd/icd-10-cm.htm */
const caseInsensitive = /^http:\/\/(loinc\.org|hl7\.org\/fhir\/sid\/icd-10(-cm)?)$/;

const tokenHolds = (
  { system, code }: Extract<NaiveValue, { kind: 'token' }>,
  modifier: string | undefined,
  element: Element,
  { terminology }: World,
): boolean => {
  const identifier = modifier === 'identifier' ? (element.value as fhir4.Reference).identifier : undefined;
  if (modifier === 'identifier' && identifier === undefined) return false;
  const codes = identifier ? codesOf({ type: 'Identifier', value: identifier }) : codesOf(element);
  const ignoresCase = ['ContactPoint', 'string', 'markdown'].includes(element.type);
  return codes.some((found) => {
    const isAnyCase = ignoresCase || caseInsensitive.test(found.system ?? '');
    const isSame = (a: string | undefined, b: string | undefined): boolean =>
      isAnyCase ? a?.toLowerCase() === b?.toLowerCase() : a === b;
    if (system !== undefined && system !== (found.system ?? '')) {
      // the system of a code is implied by its binding
      if (element.type !== 'code' || !system.startsWith('http://hl7.org/')) return false;
    }
    if (code === undefined || isSame(code, found.code)) return true;
    if (found.code === undefined || !hasConcepts(element)) return false;
    if (modifier === 'below') return terminology?.subsumes(code, found.code, found.system) === true;
    return modifier === 'above' && terminology?.subsumes(found.code, code, found.system) === true;
  });
};

const uriHolds = (text: string, modifier: string | undefined, { type, value }: Element): boolean => {
  const found = String(value);
  if (modifier === 'below') return found.startsWith(text);
  if (modifier === 'above') return text.startsWith(found);
  return found === text || (type === 'canonical' && found.split('|')[0] === text);
};

const quantityHolds = (
  searched: Extract<NaiveValue, { kind: 'quantity' }>,
  { type, value }: Element,
  record: WorldRecord,
  world: World,
): Verdict => {
  const { prefix, text, system, code } = searched;
  const { value: found, comparator, ...unit } = value as fhir4.Quantity;
  if (!['Quantity', 'Age', 'Duration', 'Count', 'Distance'].includes(type) || found === undefined) return undefined;
  if (comparator !== undefined) return undefined; // told by cases
  const hasUnit =
    system === undefined
      ? code === undefined || unit.code === code || unit.unit === code
      : unit.system === system && (code === undefined || unit.code === code);
  if (hasUnit) return numberHolds(prefix, text, String(found));
  const ucum = 'http://unitsofmeasure.org';
  if (system !== ucum || unit.system !== ucum || code === undefined || unit.code === undefined) return false;
  const converted = convertUnit(found, unit.code, code, molarMassIn(value, record, world));
  return converted === undefined ? false : convertedHolds(prefix, text, converted);
};

/** Of what the element's own code, else the resource's, measures. */
const molarMassIn = (quantity: unknown, { resource }: WorldRecord, { molarMass }: World): number | undefined => {
  const { code, component = [] } = resource as fhir4.Observation;
  const part = component.find((each) => JSON.stringify(each.valueQuantity) === JSON.stringify(quantity));
  const { coding = [] } = part?.code ?? code ?? {};
  return coding.flatMap(({ system, code: each }) =>
    system === 'http://loinc.org' ? (molarMass(each ?? '') ?? []) : [],
  )[0];
};

const filterHolds = (
  { definition, operator, value }: Extract<NaiveTest, { kind: 'filter' }>,
  element: Element,
  record: WorldRecord,
  world: World,
): Verdict => {
  if (value.kind === 'string') {
    const texts = textsOf(element).map(plain);
    const searched = plain(value.text);
    return texts.some((text) => {
      switch (operator) {
        case 'eq':
          return text === searched;
        case 'ne':
          return text !== searched;
        case 'co':
          return text.includes(searched);
        case 'sw':
          return text.startsWith(searched);
        case 'ew':
          return text.endsWith(searched);
        case 'gt':
          return text > searched;
        case 'lt':
          return text < searched;
        default:
          return undefined;
      }
    });
  }
  if (value.kind === 'token') {
    const lower = (text: string | undefined): string | undefined => text?.toLowerCase();
    const isSame = codesOf(element).some(
      ({ system, code }) =>
        lower(code) === lower(value.code) && (value.system === undefined || value.system === (system ?? '')),
    );
    return operator === 'eq' ? isSame : !isSame;
  }
  return valueHolds(value, undefined, definition, element, record, world);
};

/** A resource without what the server gave it. */
export const contentOf = (resource: fhir4.FhirResource): object => {
  const { id: _, meta, ...content } = resource;
  const { versionId: __, lastUpdated: ___, ...given } = meta ?? {};
  return { ...content, meta: given };
};

/** Texts that are words: the names of types and the kind of a narrative are not. */
const wordsHold = (
  words: readonly string[],
  narrativeOf: fhir4.FhirResource | undefined,
  { resource }: WorldRecord,
): boolean => {
  const texts: string[] = [];
  const visit = (value: unknown): void => {
    if (typeof value === 'string') texts.push(value);
    else if (typeof value === 'number') texts.push(`${value}`);
    else if (typeof value === 'object' && value !== null) {
      const { resourceType: _, data: __, ...members } = value as Record<string, unknown>;
      if (typeof members['div'] === 'string') texts.push(members['div'].replace(/<[^>]+>/g, ' '));
      else Object.values(members).forEach(visit);
    }
  };
  visit(narrativeOf ? (narrativeOf as fhir4.DomainResource).text : contentOf(resource));
  return words.every((word) => texts.some((text) => ` ${plain(text)} `.includes(` ${plain(word)} `)));
};
