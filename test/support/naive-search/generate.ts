import type { SearchParameterDefinition } from '../../../infra/generate/fhirpath/definitions.ts';
import {
  codesOf,
  contentOf,
  definitionAt,
  definitionsOf,
  elementsOf,
  linkedBy,
  type NaiveTest,
  type NaiveValue,
  partsOf,
  type World,
  type WorldRecord,
} from './evaluate.ts';
import type { Random } from './random.ts';
import { type Element, type Prefix, plain } from './values.ts';
import { unitsLike } from './world.ts';

const prefixes: readonly Prefix[] = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'];

/** A search, and the same as text: name and value of one parameter. */
export interface GeneratedTest {
  readonly test: NaiveTest;
  readonly name: string;
  readonly value: string;
}

const escape = (text: string): string => text.replace(/[\\,|$]/g, '\\$&');

const printPrefix = (random: Random, prefix: Prefix): string => (prefix === 'eq' && random.chance(0.5) ? '' : prefix);

/** Fewer or more digits of about the same number. */
const numberText = (random: Random, value: number): string => {
  const near = value * random.of([1, 1, 1, 1.004, 0.95, 1.1, 2]);
  const figures = 1 + random.below(5);
  if (random.chance(0.15)) return near.toExponential(figures - 1).replace('e+', 'e');
  const text = near.toPrecision(figures);
  return /e/.test(text) ? String(Number(text)) : text;
};

const dateText = (random: Random, text: string): string => {
  const instant = text.length > 10 ? text : new Date(Date.parse(text) + random.below(86_400_000)).toISOString();
  const moved = new Date(Date.parse(instant) + random.of([0, 0, 0, 1, -1, 60_000, 86_400_000, -40 * 86_400_000]));
  const iso = moved.toISOString();
  return random.of([
    iso,
    `${iso.slice(0, 19)}Z`,
    iso.slice(0, 16),
    iso.slice(0, 10),
    iso.slice(0, 10),
    iso.slice(0, 7),
    iso.slice(0, 4),
    `${iso.slice(0, 19)}+02:00`,
    text,
  ]);
};

const datesIn = ({ value }: Element): string[] => {
  if (typeof value === 'string') return [value];
  const { start, end, event, repeat } = value as fhir4.Period & fhir4.Timing;
  return [start, end, ...(event ?? []), repeat?.boundsPeriod?.start, repeat?.boundsPeriod?.end].flatMap(
    (each) => each ?? [],
  );
};

/** A value of a search that might find an element; undefined if nothing can be asked of it. */
const valueFor = (
  random: Random,
  world: World,
  definition: SearchParameterDefinition,
  modifier: string | undefined,
  element: Element,
): { value: NaiveValue; text: string } | undefined => {
  const prefix = random.of(prefixes);
  const shown = printPrefix(random, prefix);
  switch (definition.type) {
    case 'date': {
      const found = random.maybe(datesIn(element));
      if (found === undefined || Number.isNaN(Date.parse(found))) return undefined; // a leap second is none in JavaScript
      const text = dateText(random, found);
      return { value: { kind: 'date', prefix, text }, text: `${shown}${text}` };
    }
    case 'number': {
      if (typeof element.value !== 'number') return undefined;
      const text = numberText(random, element.value);
      return { value: { kind: 'number', prefix, text }, text: `${shown}${text}` };
    }
    case 'quantity': {
      const { value, system, code, unit } = element.value as fhir4.Quantity;
      if (value === undefined) return undefined;
      const text = numberText(random, value);
      const other = code === undefined ? undefined : random.of(unitsLike(code));
      const [of, by] = random.of([
        [undefined, undefined],
        [system, code],
        [system, other],
        [system, other],
        [undefined, unit],
        [system, 'mmol/L'],
        [system, 'mg/dL'],
      ]);
      const quantity = { kind: 'quantity' as const, prefix, text, system: of, code: by };
      return {
        value: quantity,
        text: `${shown}${text}${of === undefined && by === undefined ? '' : `|${escape(of ?? '')}|${escape(by ?? '')}`}`,
      };
    }
    case 'string': {
      const text = random.maybe(textsIn(element));
      if (text === undefined) return undefined;
      const words = text.split(/[\s-]+/);
      const part = random.of([
        text,
        text.slice(0, 1 + random.below(text.length)),
        random.of(words),
        text.toUpperCase(),
      ]);
      const asked = modifier === 'text' ? random.of(words).replace(/[^\p{L}\p{N}]/gu, '') : part;
      if (!/[\p{L}\p{N}]/u.test(asked) || (modifier === 'text' && /^(and|or|not)$/i.test(asked))) return undefined;
      return { value: { kind: 'string', text: asked }, text: escape(asked) };
    }
    case 'uri': {
      const found = String(element.value);
      const text = random.of([found, found.slice(0, found.length - 2), `${found}/more`, found.toUpperCase()]);
      if (text === '' || (modifier !== undefined && /^urn/i.test(text))) return undefined;
      return { value: { kind: 'uri', text }, text: escape(text) };
    }
    case 'token':
      return tokenFor(random, world, modifier, element);
    case 'reference':
      return referenceFor(random, world, definition, modifier, element);
    default:
      return undefined;
  }
};

const textsIn = ({ value }: Element): string[] =>
  typeof value === 'string'
    ? [value]
    : Object.entries(value as object).flatMap(([name, member]) =>
        name === 'use' || name === 'type' || name === 'period'
          ? []
          : [member as unknown].flat().filter((each) => typeof each === 'string'),
      );

const tokenFor = (
  random: Random,
  { terminology }: World,
  modifier: string | undefined,
  { type, value }: Element,
): { value: NaiveValue; text: string } | undefined => {
  if (modifier === 'in' || modifier === 'not-in') {
    const { valueSets = [], isMember } = terminology ?? {};
    const having = valueSets.filter((each) =>
      codesOf({ type, value }).some(({ code, system }) => code !== undefined && isMember?.(each, code, system, type)),
    );
    const url = random.maybe(random.chance(0.8) ? having : valueSets);
    if (url === undefined) return undefined;
    return { value: { kind: 'value-set', url }, text: url };
  }
  const {
    coding,
    system,
    code,
    value: text,
    type: ofType,
    display,
  } = value as fhir4.CodeableConcept & fhir4.Identifier & fhir4.Coding;
  if (modifier === 'of-type') {
    const of = ofType?.coding?.[0];
    if (!of?.system || !of.code || !text) return undefined;
    return {
      value: { kind: 'of-type', system: of.system, code: of.code, value: text },
      text: [of.system, of.code, text].map(escape).join('|'),
    };
  }
  if (modifier === 'text') {
    const shown = (value as fhir4.CodeableConcept).text ?? coding?.[0]?.display ?? display ?? ofType?.text;
    if (typeof shown !== 'string' || !/[\p{L}\p{N}]/u.test(shown.slice(0, 3))) return undefined;
    const asked = shown.slice(0, 1 + random.below(shown.length)).trim();
    return { value: { kind: 'string', text: asked }, text: escape(asked) };
  }
  const found = random.maybe(coding ?? []) ?? {
    system: type === 'ContactPoint' ? undefined : system,
    code: code ?? text,
  };
  const isPlain = typeof value === 'string' || typeof value === 'boolean';
  const own = isPlain ? String(value) : found.code;
  if (own === undefined || own === '') return undefined;
  if ((modifier === 'above' || modifier === 'below') && terminology?.codesOfHierarchy) {
    const known = terminology.codesOfHierarchy(found.system ?? '');
    if (!known.includes(own)) return undefined;
    const code = random.of([own, random.of(known)]);
    return { value: { kind: 'token', system: found.system, code }, text: `${found.system}|${code}` };
  }
  const asked = random.of([own, own, own, own, own.toUpperCase(), own.slice(0, Math.max(1, own.length - 1)), 'other']);
  const of = random.of([
    undefined,
    undefined,
    isPlain ? undefined : found.system,
    isPlain ? undefined : found.system,
    isPlain ? undefined : '',
    'http://other.org',
  ]);
  const isBare = isPlain || type === 'ContactPoint' || modifier === 'below' || modifier === 'above';
  // `system|` asks for any code of the system
  if (!isBare && found.system !== undefined && random.chance(0.08))
    return { value: { kind: 'token', system: found.system }, text: `${escape(found.system)}|` };
  const token = { kind: 'token' as const, system: isBare ? undefined : of, code: asked };
  return { value: token, text: `${token.system === undefined ? '' : `${escape(token.system)}|`}${escape(asked)}` };
};

const referenceFor = (
  random: Random,
  world: World,
  definition: SearchParameterDefinition,
  modifier: string | undefined,
  { value }: Element,
): { value: NaiveValue; text: string } | undefined => {
  const text = typeof value === 'string' ? value : (value as fhir4.Reference).reference;
  if (modifier === 'identifier') {
    const { identifier } = value as fhir4.Reference;
    return identifier ? tokenFor(random, world, undefined, { type: 'Identifier', value: identifier }) : undefined;
  }
  if (modifier === 'text') {
    const { display } = value as fhir4.Reference;
    return display ? { value: { kind: 'string', text: display.slice(0, 4) }, text: display.slice(0, 4) } : undefined;
  }
  if (text === undefined) return undefined;
  const [, type, id] = /(?:^|\/)([A-Z]\w+)\/([\w.-]+)(?:\/_history\/.*)?$/.exec(text) ?? [];
  if (typeof value === 'string' && /^https?:/.test(value) && !value.startsWith(world.baseUrl)) {
    if (modifier !== undefined && modifier !== 'below') return undefined;
    const [url = '', version] = value.split('|');
    const part = random.of([undefined, version, version?.split('.')[0]]);
    return {
      value: { kind: 'canonical', url, version: part },
      text: escape(url) + (part === undefined ? '' : `\\|${part}`),
    };
  }
  if (/^https?:/.test(text) && !text.startsWith(world.baseUrl))
    return modifier === undefined ? { value: { kind: 'canonical', url: text }, text: escape(text) } : undefined;
  if (type === undefined || id === undefined) return undefined;
  if (modifier === 'above' || modifier === 'below') {
    // a care plan is also above what is based on it or replaces it, which is told by cases
    if (!/^(Location|Organization|Encounter)$/.test(type)) return undefined;
    return { value: { kind: 'reference', type, id }, text: `${type}/${id}` };
  }
  if (modifier !== undefined && modifier !== type) return undefined;
  const asked = random.chance(0.2) ? 'nobody' : id;
  if (modifier === type) return { value: { kind: 'reference', type, id: asked }, text: asked };
  // a bare id means the only type that it may point at
  const only = definition.target?.length === 1 ? definition.target[0] : undefined;
  return random.of([
    { value: { kind: 'reference', type: only, id: asked }, text: asked },
    { value: { kind: 'reference', type, id: asked }, text: `${type}/${asked}` },
    { value: { kind: 'reference', type, id: asked }, text: `${world.baseUrl}/${type}/${asked}` },
  ]);
};

const modifiersOf: Readonly<Record<string, readonly (string | undefined)[]>> = {
  token: ['not', 'text', 'in', 'not-in', 'above', 'below', 'of-type', 'missing'],
  string: ['exact', 'contains', 'text', 'missing'],
  reference: ['identifier', 'text', 'type', 'below', 'above', 'missing'],
  uri: ['above', 'below', 'missing'],
  date: ['missing'],
  number: ['missing'],
  quantity: ['missing'],
};

const terminological = new Set<string | undefined>(['in', 'not-in', 'above', 'below']);

const modifiersFor = ({ type }: SearchParameterDefinition, { terminology }: World): readonly (string | undefined)[] =>
  (modifiersOf[type] ?? []).filter((each) => type !== 'token' || terminology || !terminological.has(each));

const recordsOf = ({ records }: World, type: string): WorldRecord[] =>
  records.filter(({ resource }) => resource.resourceType === type);

/** Elements to ask for: mostly those of one record, so that it may be found. */
const elementsFor = (
  random: Random,
  world: World,
  source: WorldRecord,
  definition: SearchParameterDefinition,
): readonly Element[] => {
  const own = elementsOf(source, definition);
  if (own.length > 0 && random.chance(0.8)) return own;
  return recordsOf(world, source.resource.resourceType).flatMap((record) => elementsOf(record, definition));
};

const ordered = ['quantity', 'quantity', 'composite', 'number', 'date'];

/** A search by one parameter of a record's type, which may find it; undefined if the dice fell badly. */
const parameterTest = (random: Random, world: World, source: WorldRecord): GeneratedTest | undefined => {
  const definitions = definitionsOf(source.resource.resourceType).filter(({ type }) => type !== 'special');
  const kind = random.chance(0.3) ? random.of(ordered) : undefined;
  const definition = random.maybe(definitions.filter(({ type }) => kind === undefined || type === kind));
  if (!definition) return undefined;
  const chosen = random.chance(0.4) ? random.maybe(modifiersFor(definition, world)) : undefined;
  const { code } = definition;
  if (chosen === 'missing') {
    const missing = random.chance(0.5);
    return {
      test: { kind: 'parameter', definition, modifier: 'missing', values: [{ kind: 'missing', missing }] },
      name: `${code}:missing`,
      value: String(missing),
    };
  }
  if (definition.type === 'composite') return compositeTest(random, world, source, definition);
  const modifier = chosen === 'type' ? random.maybe(definition.target ?? []) : chosen;
  if (modifier && code === '_id' && modifier !== 'not') return undefined;
  const elements = elementsFor(random, world, source, definition);
  const found = Array.from({ length: random.of([1, 1, 1, 2, 3]) }, () => {
    const element = random.maybe(elements);
    return element && valueFor(random, world, definition, modifier, element);
  }).filter((each) => each !== undefined);
  if (found.length === 0) return undefined;
  return {
    test: { kind: 'parameter', definition, modifier, values: found.map(({ value }) => value) },
    name: modifier === undefined ? code : `${code}:${modifier}`,
    value: found.map(({ text }) => text).join(','),
  };
};

/** One or two bounds of a clinical date, which may lead to a part of a chart or to rows by time. */
export const rangeTests = (random: Random, world: World, source: WorldRecord): GeneratedTest[] => {
  const dates = definitionsOf(source.resource.resourceType).filter(
    (definition) =>
      definition.type === 'date' && definition.code !== '_lastUpdated' && elementsOf(source, definition).length > 0,
  );
  const definition = random.maybe(dates);
  if (!definition) return [];
  return Array.from({ length: random.of([1, 2]) }, () => {
    const element = random.maybe(elementsFor(random, world, source, definition));
    const made = element && valueFor(random, world, definition, undefined, element);
    return made
      ? [
          {
            test: { kind: 'parameter' as const, definition, values: [made.value] },
            name: definition.code,
            value: made.text,
          },
        ]
      : [];
  }).flat();
};

const compositeTest = (
  random: Random,
  world: World,
  source: WorldRecord,
  definition: SearchParameterDefinition,
): GeneratedTest | undefined => {
  const wholes = elementsOf(source, definition);
  const own = random.below(Math.max(1, wholes.length));
  const parts = (definition.component ?? []).flatMap((component, index) => {
    // mostly parts of one element, which the composite then finds
    const at = random.chance(0.8) ? own : random.below(Math.max(1, wholes.length));
    const element = random.maybe(partsOf(source, definition, at, index));
    return (element && valueFor(random, world, definitionAt(component.definition), undefined, element)) ?? [];
  });
  if (parts.length < (definition.component ?? []).length) return undefined;
  return {
    test: { kind: 'parameter', definition, values: [{ kind: 'composite', parts: parts.map(({ value }) => value) }] },
    name: definition.code,
    value: parts.map(({ text }) => text).join('$'),
  };
};

/** A reference from one record to another, by one of its parameters. */
export interface Link {
  readonly from: WorldRecord;
  readonly definition: SearchParameterDefinition;
  readonly to: WorldRecord;
}

const texts = new WeakMap<WorldRecord, string>();

/** Whether a record has this text at the end of a string. */
const names = (record: WorldRecord, text: string): boolean => {
  const known = texts.get(record) ?? JSON.stringify(record.resource);
  texts.set(record, known);
  return known.includes(`${text}"`);
};

/** Records that may refer to a place. */
export const recordsNaming = ({ records }: World, place: string): WorldRecord[] =>
  records.filter((record) => names(record, place));

export const linksOf = (from: WorldRecord, world: World): Link[] =>
  definitionsOf(from.resource.resourceType)
    .filter(({ type }) => type === 'reference')
    .flatMap((definition) => linkedBy(from, definition, world).map((to) => ({ from, definition, to })))
    .filter(({ definition: { target = [] }, to }) => target.length === 0 || target.includes(to.resource.resourceType));

/** `subject:Patient.name=…`, with a type that has the parameter. */
const chainTest = (random: Random, world: World, source: WorldRecord, depth = 0): GeneratedTest | undefined => {
  const link = random.maybe(linksOf(source, world));
  if (!link || depth > 3) return undefined;
  const { definition, to } = link;
  const inner =
    random.chance(0.2) && depth < 2
      ? chainTest(random, world, to, depth + 1)
      : random.chance(0.1)
        ? hasTest(random, world, to, depth + 1)
        : parameterTest(random, world, to);
  if (!inner) return undefined;
  const target = to.resource.resourceType;
  const untyped = random.chance(0.5) ? inEachTarget(definition, target, inner.test) : undefined;
  if (untyped) {
    return {
      test: { kind: 'chain', definition, tests: untyped },
      name: `${definition.code}.${inner.name}`,
      value: inner.value,
    };
  }
  return {
    test: { kind: 'chain', definition, target, tests: new Map([[target, inner.test]]) },
    name: `${definition.code}:${target}.${inner.name}`,
    value: inner.value,
  };
};

/** A test for each type that a reference may lead to, if the same text means the same in all of them; undefined if it does not. */
const inEachTarget = (
  { target: targets = [] }: SearchParameterDefinition,
  target: string,
  test: NaiveTest,
): ReadonlyMap<string, NaiveTest> | undefined => {
  if (targets.length === 1) return new Map([[target, test]]);
  if (test.kind !== 'parameter' || targets.length === 0) return undefined;
  const { definition, modifier } = test;
  if (definition.type === 'composite' || definition.type === 'reference') return undefined;
  const tests = new Map<string, NaiveTest>();
  for (const type of targets) {
    const same = definitionsOf(type).find(({ code }) => code === definition.code);
    if (!same) continue;
    if (same.type !== definition.type || (modifier !== undefined && modifier !== 'missing')) return undefined;
    tests.set(type, { ...test, definition: same });
  }
  return tests;
};

/** `_has:Observation:patient:code=…` */
const hasTest = (random: Random, world: World, source: WorldRecord, depth = 0): GeneratedTest | undefined => {
  const place = `${source.resource.resourceType}/${source.resource.id}`;
  const referring = recordsNaming(world, place);
  const from = random.maybe(referring);
  const links = from ? linksOf(from, world).filter(({ to }) => to === source) : [];
  const link = random.maybe(links);
  if (!link || depth > 3) return undefined;
  const { definition } = link;
  const inner =
    random.chance(0.2) && depth < 2
      ? hasTest(random, world, link.from, depth + 1)
      : parameterTest(random, world, link.from);
  if (!inner) return undefined;
  const type = link.from.resource.resourceType;
  return {
    test: { kind: 'has', type, definition, test: inner.test },
    name: `_has:${type}:${definition.code}:${inner.name}`,
    value: inner.value,
  };
};

/** The texts of a resource, as their words. */
const textsWithin = (value: unknown): string[][] => {
  if (typeof value === 'string') return [plain(value.replace(/<[^>]+>/g, ' ')).split(' ')];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => (name === 'resourceType' ? [] : textsWithin(member)));
};

const isPlainWord = (word: string): boolean => /^[\p{L}\p{N}]{3,}$/u.test(word) && !/^(and|or|not)$/i.test(word);

/** One word, or several that stand side by side. */
const phraseIn = (random: Random, words: readonly string[]): string | undefined => {
  const at = random.below(words.length - 1);
  const phrase = words.slice(at, at + 2);
  return phrase.length === 2 && phrase.every(isPlainWord) ? phrase.join(' ') : undefined;
};

const wordsTest = (random: Random, _world: World, { resource }: WorldRecord): GeneratedTest | undefined => {
  const { text } = resource as fhir4.DomainResource;
  const of = text && random.chance(0.5) ? 'narrative' : 'content';
  const texts = textsWithin(of === 'narrative' && random.chance(0.9) ? text?.div : contentOf(resource));
  const known = texts.flat().filter(isPlainWord);
  const name = of === 'narrative' ? '_text' : '_content';
  const phrase = random.chance(0.2) ? phraseIn(random, random.maybe(texts) ?? []) : undefined;
  if (phrase) return { test: { kind: 'words', of, words: [phrase] }, name, value: `"${phrase}"` };
  const [one, other = random.of(['lung', 'http'])] = [random.maybe(known), random.maybe(known)];
  if (one === undefined) return undefined;
  const has = (word: string): NaiveTest => ({ kind: 'words', of, words: [word] });
  return random.of<GeneratedTest>([
    { test: has(one), name, value: one },
    { test: has(one), name, value: one },
    {
      test: { kind: 'words', of, words: [one, other] },
      name,
      value: [one, other].join(random.of([' ', ' AND ', ' and '])),
    },
    { test: { kind: 'or', tests: [has(one), has(other)] }, name, value: `${one} OR ${other}` },
    { test: { kind: 'and', tests: [has(one), { kind: 'not', test: has('lung') }] }, name, value: `${one} NOT lung` },
    {
      test: { kind: 'and', tests: [has(one), { kind: 'or', tests: [has('lung'), has(other)] }] },
      name,
      value: `${one} (lung or ${other})`,
    },
  ]);
};

/** A test of `_filter` as text. */
interface Filter {
  readonly test: NaiveTest;
  readonly text: string;
}

/** A value as it is, unless it would end the test. */
const quoted = (text: string): string => (/[\s\])"]/.test(text) ? JSON.stringify(text) : text);

const filterLeaf = (random: Random, world: World, source: WorldRecord): Filter | undefined => {
  const kinds = ['string', 'token', 'date', 'number', 'quantity', 'reference'];
  const definition = random.of(
    definitionsOf(source.resource.resourceType).filter((each) => kinds.includes(each.type) && each.code !== '_id'),
  );
  const element = random.maybe(elementsFor(random, world, source, definition));
  if (!element || random.chance(0.1)) {
    const missing = random.chance(0.5);
    return {
      test: { kind: 'parameter', definition, modifier: 'missing', values: [{ kind: 'missing', missing }] },
      text: `${definition.code} pr ${!missing}`,
    };
  }
  const { code } = definition;
  const terms = Object.entries({ in: 'in', ss: 'below', sb: 'above' });
  const [operator, modifier] = random.of(terms);
  const ofTerms =
    definition.type === 'token' && world.terminology?.codesOfHierarchy && random.chance(0.2)
      ? valueFor(random, world, definition, modifier, element)
      : undefined;
  if (ofTerms) {
    return {
      test: { kind: 'parameter', definition, modifier, values: [ofTerms.value] },
      text: `${code} ${operator} ${ofTerms.text}`,
    };
  }
  const found = valueFor(random, world, definition, undefined, element);
  if (!found) return undefined;
  const { value } = found;
  switch (value.kind) {
    case 'string': {
      const operator = random.of(['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'lt']);
      return {
        test: { kind: 'filter', definition, operator, value },
        text: `${code} ${operator} ${JSON.stringify(value.text)}`,
      };
    }
    case 'token': {
      const operator = random.of(['eq', 'ne']);
      if (value.code === undefined || (element.type === 'code' && value.system !== undefined)) return undefined;
      return {
        test: { kind: 'filter', definition, operator, value },
        text: `${code} ${operator} ${JSON.stringify(found.text)}`,
      };
    }
    case 'date':
    case 'number':
    case 'quantity':
      return {
        test: { kind: 'filter', definition, operator: value.prefix, value },
        text: `${code} ${value.prefix} ${quoted(found.text.replace(/^[a-z]+/, ''))}`,
      };
    case 'reference':
      return { test: { kind: 'filter', definition, operator: 're', value }, text: `${code} re ${quoted(found.text)}` };
    default:
      return undefined;
  }
};

/** `subject.name eq x` and `subject[gender eq male].name eq x` */
const filterChain = (random: Random, world: World, source: WorldRecord): Filter | undefined => {
  const link = random.maybe(linksOf(source, world).filter(({ definition }) => definition.target?.length === 1));
  const last = link && filterLeaf(random, world, link.to);
  if (!link || !last) return undefined;
  const first = random.chance(0.4) ? filterLeaf(random, world, link.to) : undefined;
  const { definition, to } = link;
  const test: NaiveTest = { kind: 'and', tests: [...(first ? [first.test] : []), last.test] };
  return {
    test: { kind: 'chain', definition, tests: new Map([[to.resource.resourceType, test]]) },
    text: `${definition.code}${first ? `[${first.text}]` : ''}.${last.text}`,
  };
};

const filterNode = (random: Random, world: World, source: WorldRecord, depth: number): Filter | undefined => {
  if (depth === 0 || random.chance(0.3)) return (random.chance(0.2) ? filterChain : filterLeaf)(random, world, source);
  const left = filterNode(random, world, source, depth - 1);
  if (!left) return undefined;
  if (random.chance(0.25)) return { test: { kind: 'not', test: left.test }, text: `not (${left.text})` };
  const right = filterNode(random, world, source, depth - 1);
  if (!right) return undefined;
  const kind = random.of(['and', 'or'] as const);
  return { test: { kind, tests: [left.test, right.test] }, text: `(${left.text}) ${kind} (${right.text})` };
};

const filterTest = (random: Random, world: World, source: WorldRecord): GeneratedTest | undefined => {
  const filter = filterNode(random, world, source, 2);
  return filter && { test: filter.test, name: '_filter', value: filter.text };
};

export const listTest = (random: Random, world: World, source: WorldRecord): GeneratedTest | undefined => {
  const lists = recordsOf(world, 'List');
  const own = lists.filter((list) => names(list, `/${source.resource.id}`));
  if (own.length === 0 && random.chance(0.9)) return undefined;
  const ids = [random.maybe(random.chance(0.9) ? own : lists), random.maybe(random.chance(0.2) ? lists : [])].flatMap(
    (list) => list?.resource.id ?? [],
  );
  if (ids.length === 0) return undefined;
  return { test: { kind: 'list', ids }, name: '_list', value: ids.join() };
};

const nearTest = (random: Random, _world: World, { resource }: WorldRecord): GeneratedTest | undefined => {
  if (resource.resourceType !== 'Location' || !resource.position) return undefined;
  const latitude = Number((resource.position.latitude + random.next() - 0.5).toFixed(4));
  const { longitude } = resource.position;
  const kilometres = random.of([1, 10, 50, 500]);
  return {
    test: { kind: 'near', latitude, longitude, kilometres },
    name: 'near',
    value: `${latitude}|${longitude}|${random.chance(0.5) ? `${kilometres}|km` : `${kilometres * 1_000}|m`}`,
  };
};

/** Those of which there shall be many stand here several times. */
const others = [
  chainTest,
  chainTest,
  chainTest,
  hasTest,
  hasTest,
  hasTest,
  hasTest,
  filterTest,
  filterTest,
  wordsTest,
  listTest,
  listTest,
  nearTest,
];

/** One parameter of a search that may find a record. */
export const generateTest = (random: Random, world: World, source: WorldRecord): GeneratedTest => {
  for (;;) {
    const make = random.chance(0.65) ? parameterTest : random.of(others);
    const made = make(random, world, source);
    if (made) return made;
  }
};

/** `token:not`, `chain`, `filter` … */
export const kindOf = (test: NaiveTest): string => {
  if (test.kind !== 'parameter') return test.kind;
  const { definition, modifier } = test;
  return modifier === undefined ? definition.type : `${definition.type}:${/[A-Z]/.test(modifier) ? 'type' : modifier}`;
};
