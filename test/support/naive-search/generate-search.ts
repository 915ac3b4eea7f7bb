import type { SearchParameterDefinition } from '../../../infra/generate/fhirpath/definitions.ts';
import { isInCompartment, typesInCompartment } from './compartments.ts';
import { definitionsOf, holds, type World, type WorldRecord } from './evaluate.ts';
import { type GeneratedTest, generateTest, kindOf, linksOf, listTest, rangeTests, recordsNaming } from './generate.ts';
import type { Random } from './random.ts';
import type { Searcher } from './search-server.ts';
import { directoryTypes, maySearch } from './visible.ts';
import {
  type NaiveInclude,
  type NaiveSearch,
  type NaiveSortRule,
  type NaiveSummary,
  placeIn,
  rootElementNames,
} from './whole-search.ts';

/** What the result parameters of a search say, beside what is to be found. */
interface Result {
  readonly sort: readonly NaiveSortRule[];
  readonly includes: readonly NaiveInclude[];
  readonly count?: number | undefined;
  readonly summary?: NaiveSummary | undefined;
  readonly elements?: readonly string[] | undefined;
  readonly isTotalAsked: boolean;
  readonly query: readonly (readonly [string, string])[];
  readonly kinds: readonly string[];
}

/**
 * A search that may find something.
 *
 * @param visible - what the searcher sees: what is found is mostly one of these records.
 * @param whole - all there is: some searches lead through what the searcher does not see.
 */
export const generateSearch = (random: Random, searcher: Searcher, visible: World, whole: World): NaiveSearch => {
  const world = random.chance(0.3) ? { ...whole, terminology: visible.terminology } : visible;
  const types = [...new Set(visible.records.map(({ resource }) => resource.resourceType))];
  // observations have parameters of every kind
  const type = types.includes('Observation') && random.chance(0.2) ? 'Observation' : random.of(types);
  const source = random.of(
    random.chance(0.3) ? visible.records : visible.records.filter(({ resource }) => resource.resourceType === type),
  );
  if (random.chance(0.06)) return acrossTypes(random, searcher, visible, source);
  return ofOneType(random, searcher, world, visible, source);
};

/** A record that a list names, which few are; undefined if there are no lists. */
const listedRecord = (random: Random, world: World, visible: World): WorldRecord | undefined => {
  const list = random.maybe(world.records.filter(({ resource }) => resource.resourceType === 'List'));
  const links = list ? linksOf(list, world) : [];
  return random.maybe(links.filter(({ definition, to }) => definition.code === 'item' && visible.records.includes(to)))
    ?.to;
};

const ofOneType = (
  random: Random,
  searcher: Searcher,
  world: World,
  visible: World,
  drawn: WorldRecord,
): NaiveSearch => {
  const listed = random.chance(0.04) ? listedRecord(random, world, visible) : undefined;
  const source = listed ?? drawn;
  const { resourceType } = source.resource;
  const ofList = listed && listTest(random, world, listed);
  const tests = Array.from({ length: random.of([0, 1, 1, 1, 1, 2, 2, 3]) }, () => parameter(random, world, source));
  const owner = random.chance(0.12) ? ownerOf(random, source, world) : undefined;
  const patient = owner ? undefined : patientIn(source, world);
  if (patient !== undefined && random.chance(0.4)) tests.push(...inChart(random, patient, resourceType, world));
  if (ofList) tests.push(ofList);
  const isCalendar = resourceType === 'Appointment' || resourceType === 'Slot';
  if (random.chance(isCalendar ? 0.4 : 0.1)) tests.push(...rangeTests(random, world, source));
  const result = generateResult(random, world, source, [resourceType]);
  const query = random.shuffled([...tests.map(({ name, value }) => [name, value] as const), ...result.query]);
  return {
    ...result,
    searcher,
    types: [resourceType],
    compartment: owner,
    test: { kind: 'and', tests: tests.map(({ test }) => test) },
    path: owner === undefined ? resourceType : `${owner}/${resourceType}`,
    method: random.chance(0.2) ? 'POST' : 'GET',
    inAddress: random.chance(0.5) ? random.below(query.length + 1) : 0,
    query,
    kinds: [
      ...tests.map(({ name, test }) => (/^_(filter|text|content)$/.test(name) ? name : kindOf(test))),
      ...result.kinds,
      ...(owner === undefined ? [] : [`in a compartment of ${owner.split('/')[0]}`]),
      ...(tests.length === 0 ? ['everything of a type'] : []),
    ],
  };
};

/** One parameter, mostly of those that find the record. */
const parameter = (random: Random, world: World, source: WorldRecord): GeneratedTest => {
  for (let left = random.of([1, 4, 4]); ; left--) {
    const made = generateTest(random, world, source);
    if (left <= 1 || holds(made.test, source, world) === true) return made;
  }
};

const referenceIn = (type: string, code: string): SearchParameterDefinition | undefined =>
  definitionsOf(type).find((definition) => definition.code === code && definition.type === 'reference');

/** Id of the patient whom a record is about. */
const patientIn = (source: WorldRecord, world: World): string | undefined =>
  linksOf(source, world).find(
    ({ definition: { code }, to }) =>
      to.resource.resourceType === 'Patient' && (code === 'patient' || code === 'subject'),
  )?.to.resource.id;

/** `Type/id` of a record whose compartment has this one in it. */
const ownerOf = (random: Random, source: WorldRecord, world: World): string | undefined => {
  const owners = linksOf(source, world)
    .map(({ to }) => placeIn(to))
    .filter((place) => {
      const [type = ''] = place.split('/');
      return (
        typesInCompartment(type).includes(source.resource.resourceType) && isInCompartment(source, place, world.baseUrl)
      );
    });
  return random.maybe(owners);
};

/** `patient=…` or `subject=…`, in all the ways of saying it. */
const inChart = (random: Random, patient: string, type: string, world: World): GeneratedTest[] => {
  const code = random.of(['patient', 'patient', 'subject']);
  const definition = referenceIn(type, code);
  if (!definition || directoryTypes.has(type)) return [];
  const patients = world.records.filter(({ resource }) => resource.resourceType === 'Patient');
  const other = random.maybe(patients)?.resource.id ?? patient;
  const ids = random.chance(0.15) ? [patient, other] : [patient];
  const isBare = code === 'patient' && random.chance(0.5);
  const modifier = code === 'subject' && random.chance(0.3) ? 'Patient' : undefined;
  return [
    {
      test: {
        kind: 'parameter',
        definition,
        modifier,
        values: ids.map((id) => ({ kind: 'reference', type: 'Patient', id })),
      },
      name: modifier === undefined ? code : `${code}:${modifier}`,
      value: ids.map((id) => (isBare || modifier ? id : `Patient/${id}`)).join(),
    },
  ];
};

/** Where a search across types looks. */
interface Scope {
  readonly types: readonly string[];
  /** Whether the search names them: else it can use only what every type has. */
  readonly areNamed: boolean;
  readonly compartment?: string | undefined;
}

const scopeOf = (random: Random, searcher: Searcher, world: World, source: WorldRecord): Scope => {
  const own: string = source.resource.resourceType;
  const all: string[] = [...new Set(world.records.map(({ resource }) => resource.resourceType))];
  const some = (of: readonly string[]): string[] => [...new Set([own, random.of(of), random.of(of)])];
  const patient = patientIn(source, world);
  const within: readonly string[] = typesInCompartment('Patient').filter((type) => maySearch(searcher, type));
  if (patient !== undefined && within.includes(own) && random.chance(0.4)) {
    const areNamed = random.chance(0.5);
    const types = areNamed ? some(within.filter((type) => all.includes(type))) : within;
    return { types, areNamed, compartment: `Patient/${patient}` };
  }
  return random.chance(0.2) ? { types: all, areNamed: false } : { types: some(all), areNamed: true };
};

/** The parameters that all of these types have, by type. */
const commonOf = (own: string, { types, areNamed }: Scope) => {
  const common = new Map<string, ReadonlyMap<string, SearchParameterDefinition>>();
  for (const { code, type, base } of definitionsOf(own)) {
    const each = types.flatMap((name) => {
      const same = definitionsOf(name).find((definition) => definition.code === code && definition.type === type);
      return same ? [[name, same] as const] : [];
    });
    const isUsable = type !== 'composite' && type !== 'special' && (areNamed || base.includes('Resource'));
    if (isUsable && each.length === types.length) common.set(code, new Map(each));
  }
  return common;
};

/** A search across types, by what all of them have. */
const acrossTypes = (random: Random, searcher: Searcher, world: World, source: WorldRecord): NaiveSearch => {
  const scope = scopeOf(random, searcher, world, source);
  const { types, areNamed, compartment } = scope;
  const own = source.resource.resourceType;
  const common = commonOf(own, scope);
  const inEach = ({ name, value, test }: GeneratedTest): GeneratedTest | undefined => {
    if (test.kind !== 'parameter') return undefined;
    // what a bare id means differs from type to type
    if (test.definition.type === 'reference' && !value.includes('/')) return undefined;
    const definitions = common.get(test.definition.code);
    if (definitions === undefined) return undefined;
    const tests = new Map([...definitions].map(([type, definition]) => [type, { ...test, definition }]));
    return { name, value, test: { kind: 'by-type', tests } };
  };
  const made = Array.from({ length: 1 + random.below(2) }, () => {
    for (;;) {
      const generated = inEach(generateTest(random, world, source));
      if (generated) return generated;
    }
  });
  const code = random.of(['_lastUpdated', '_lastUpdated', '_id', random.of([...common.keys()])]);
  const isSorted = random.chance(0.4);
  const descending = random.chance(0.5);
  const includes = types.includes(own) && areNamed && random.chance(0.3) ? generateIncludes(random, world, source) : [];
  const plain = includes.filter(({ value }) => value !== '*');
  const count = random.maybe([undefined, 0, 1, 3, 7, 50]);
  const isTotalAsked = random.chance(0.15);
  const name = compartment === undefined ? 'across types' : 'in a compartment, across types';
  return {
    searcher,
    types,
    compartment,
    test: { kind: 'and', tests: made.map(({ test }) => test) },
    sort: isSorted ? [{ definitions: common.get(code) ?? new Map(), descending }] : [],
    includes: plain.map(({ include }) => include),
    count,
    isTotalAsked,
    path: compartment === undefined ? '' : `${compartment}/*`,
    method: compartment === undefined && random.chance(0.2) ? 'POST' : 'GET',
    inAddress: 0,
    query: [
      ...(areNamed ? [['_type', types.join()] as const] : []),
      ...made.map((each) => [each.name, each.value] as const),
      ...plain.map((each) => [each.name, each.value] as const),
      ...(isSorted ? [['_sort', `${descending ? '-' : ''}${code}`] as const] : []),
      ...(count === undefined ? [] : [['_count', String(count)] as const]),
      ...(isTotalAsked ? [['_total', 'accurate'] as const] : []),
    ],
    kinds: [areNamed ? name : `${name}, all`, ...(isSorted ? ['sort'] : []), ...plain.map((each) => each.name)],
  };
};

const generateResult = (random: Random, world: World, source: WorldRecord, types: readonly string[]): Result => {
  const { resourceType } = source.resource;
  const sort = random.chance(0.3) ? generateSort(random, resourceType, types) : [];
  const includes = random.chance(0.3) ? generateIncludes(random, world, source) : [];
  const summaries = ['true', 'data', 'false', ...(includes.length === 0 ? (['text', 'count'] as const) : [])] as const;
  const summary = random.chance(0.12) ? random.of(summaries) : undefined;
  const roots = rootElementNames(resourceType).filter((name) => name in source.resource);
  const elements = summary === undefined && random.chance(0.08) ? [random.of(roots), random.of(roots)] : undefined;
  const count =
    summary === 'count' || random.chance(0.45) ? undefined : random.of([0, 1, 1, 2, 3, 4, 5, 7, 10, 20, 50]);
  const isTotalAsked = random.chance(0.15);
  return {
    sort,
    includes: includes.map(({ include }) => include),
    count,
    summary,
    elements,
    isTotalAsked,
    query: [
      ...(sort.length === 0
        ? []
        : [['_sort', sort.map(({ code, descending }) => `${descending ? '-' : ''}${code}`).join()] as const]),
      ...includes.map(({ name, value }) => [name, value] as const),
      ...(count === undefined ? [] : [['_count', String(count)] as const]),
      ...(summary === undefined ? [] : [['_summary', summary] as const]),
      ...(elements === undefined ? [] : [['_elements', elements.join()] as const]),
      ...(isTotalAsked ? [['_total', 'accurate'] as const] : []),
    ],
    kinds: [
      ...(sort.length > 0 ? ['sort'] : []),
      ...includes.map(({ name }) => name),
      ...(summary === undefined ? [] : [`_summary=${summary}`]),
      ...(elements === undefined ? [] : ['_elements']),
      ...(count === 0 ? ['_count=0'] : count === undefined ? [] : ['pages']),
      ...(isTotalAsked ? ['_total'] : []),
    ],
  };
};

const generateSort = (random: Random, resourceType: string, types: readonly string[]) =>
  Array.from({ length: random.of([1, 1, 2, 3]) }, () => {
    const sortable = definitionsOf(resourceType).filter(({ type }) => type !== 'composite' && type !== 'special');
    const { code } = random.of(sortable);
    const definitions = new Map(
      types.flatMap((type) => {
        const own = definitionsOf(type).find((definition) => definition.code === code);
        return own ? [[type, own] as const] : [];
      }),
    );
    return { code, definitions, descending: random.chance(0.5) };
  });

interface GeneratedInclude {
  readonly include: NaiveInclude;
  readonly name: string;
  readonly value: string;
}

const generateIncludes = (random: Random, world: World, source: WorldRecord): GeneratedInclude[] => {
  const made: GeneratedInclude[] = [];
  let around = [source];
  const wanted = random.of([1, 1, 2, 3]);
  for (let index = 0; index < wanted; index++) {
    const iterate = index > 0 && random.chance(0.6);
    const from = iterate ? random.of(around) : source;
    const next = random.chance(0.6)
      ? generateInclude(random, world, from, iterate)
      : generateRevinclude(random, world, from, iterate);
    if (!next) continue;
    made.push(next.generated);
    around = [...around, ...next.reached];
  }
  return made;
};

type Reached = { readonly generated: GeneratedInclude; readonly reached: readonly WorldRecord[] } | undefined;

const generateInclude = (random: Random, world: World, from: WorldRecord, iterate: boolean): Reached => {
  const links = linksOf(from, world);
  const link = random.maybe(links);
  if (!link) return undefined;
  const { resourceType: source } = from.resource;
  const { definition, to } = link;
  const name = `_include${iterate ? ':iterate' : ''}`;
  const base = { kind: 'include' as const, iterate, source };
  const target = to.resource.resourceType;
  const generated = random.of<GeneratedInclude>([
    { include: { ...base, definition }, name, value: `${source}:${definition.code}` },
    { include: { ...base, definition }, name, value: `${source}:${definition.code}` },
    { include: { ...base, definition, target }, name, value: `${source}:${definition.code}:${target}` },
    { include: base, name, value: iterate || random.chance(0.5) ? `${source}:*` : '*' },
  ]);
  return { generated, reached: [to] };
};

const generateRevinclude = (random: Random, world: World, to: WorldRecord, iterate: boolean): Reached => {
  const { resourceType: target, id } = to.resource;
  const from = random.maybe(recordsNaming(world, `${target}/${id}`));
  const link = from && random.maybe(linksOf(from, world).filter((each) => each.to === to));
  if (!link) return undefined;
  const { definition } = link;
  const source = link.from.resource.resourceType;
  const name = `_revinclude${iterate ? ':iterate' : ''}`;
  const base = { kind: 'revinclude' as const, iterate, source };
  const generated = random.of<GeneratedInclude>([
    { include: { ...base, definition }, name, value: `${source}:${definition.code}` },
    { include: { ...base, definition }, name, value: `${source}:${definition.code}` },
    { include: { ...base, definition, target }, name, value: `${source}:${definition.code}:${target}` },
    random.chance(0.2) && !iterate
      ? { include: { kind: 'revinclude', iterate }, name, value: '*' }
      : { include: base, name, value: `${source}:*` },
  ]);
  return { generated, reached: [link.from] };
};
