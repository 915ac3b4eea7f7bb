import { describe, expect, it } from 'vitest';
import { searchParameterDefinitions } from '../../infra/generate/fhirpath/definitions.ts';
import { resourceTypes } from '../../infra/generate/fhirpath/type-model.ts';
import { generateSearchParameters } from '../../infra/generate/search-parameters.ts';
import { usCoreSearchCodes, usCoreSearchParameters } from '../../infra/generate/us-core.ts';
import { compartments } from '../../shared/fhir/compartments.lazy.ts';
import type { SearchParameter } from '../../shared/fhir/search-parameter.ts';
import { evaluate } from '../support/fhirpath-evaluator.ts';
import { sample, sampleResources } from '../support/resources/index.ts';
import { searchParameters } from '../support/search-parameters.ts';

const definitions = new Map(
  [...searchParameterDefinitions(), ...usCoreSearchParameters()].map((definition) => [definition.url, definition]),
);

/** The operands of a definition's union that concern a type. */
const expressionFor = (expression: string, type: string): string =>
  expression
    .split('|')
    .map((operand) => operand.trim())
    .filter((operand) => new RegExp(`^\\(*(${type}|Resource|[a-z]\\w*)\\b`).test(operand))
    .join(' | ');

/** A union has equal values once; the accessors keep both, which makes no difference to a search. */
const withoutRepetition = (items: readonly unknown[]): unknown[] => [
  ...new Map(items.map((item) => [JSON.stringify(item), item])).values(),
];

const parameter = (type: string, code: string): SearchParameter => {
  const found = searchParameters[type]?.find((each) => each.code === code);
  if (found === undefined) throw new Error(`${type} has no ${code}`);
  return found;
};

const values = (resource: fhir4.FhirResource, code: string): unknown[] =>
  parameter(resource.resourceType, code)
    .values(resource)
    .map(({ value }) => value);

describe('search values', () => {
  const types = [...new Set(sampleResources.map((resource) => resource.resourceType))];

  it('are compared over samples of at least 25 types', () => {
    expect(types.length).toBeGreaterThanOrEqual(25);
  });

  it.each(types)('of %s are what an independent evaluator of FHIRPath selects', (type) => {
    const resources = sampleResources.filter((resource) => resource.resourceType === type);
    let compared = 0;
    for (const resource of resources) {
      for (const each of searchParameters[type] ?? []) {
        const definition = definitions.get(each.url);
        const expression = expressionFor(definition?.expression ?? '', type);
        const expected = evaluate(resource, expression);
        const actual = each.values(resource).map(({ value }) => value);
        expect(withoutRepetition(actual), `${each.code} of ${JSON.stringify(resource)}`).toEqual(
          withoutRepetition(expected),
        );
        compared += 1;
      }
    }
    expect(compared).toBeGreaterThan(5 * resources.length);
  });

  it.each(types)('of the components of composites of %s are what an independent evaluator selects', (type) => {
    for (const resource of sampleResources.filter((each) => each.resourceType === type)) {
      for (const { url, values: select, components = [] } of searchParameters[type] ?? []) {
        const declared = definitions.get(url)?.component ?? [];
        expect(components.length).toBe(declared.length);
        const expression = expressionFor(definitions.get(url)?.expression ?? '', type);
        components.forEach((component, index) => {
          const inner = (declared[index]?.expression ?? '').replaceAll('DateTime', 'dateTime');
          const expected = evaluate(resource, `(${expression}).select(${inner})`);
          const actual = select(resource).flatMap((selected) => component.values(selected.value, resource));
          expect(
            actual.map(({ value }) => value),
            `${url} ${component.code}`,
          ).toEqual(expected);
        });
      }
    }
  });

  it('carry the datatype that the element was given in', () => {
    const observation = sample('Observation', 'bp');

    const dates = parameter('Observation', 'date').values(observation);
    const quantities = parameter('Observation', 'combo-value-quantity').values(observation);
    const status = parameter('Observation', 'status').values(observation);

    expect(dates).toEqual([{ type: 'Period', value: observation.effectivePeriod }]);
    expect(quantities.map(({ type }) => type)).toEqual(['Quantity', 'Quantity']);
    expect(status).toEqual([{ type: 'code', value: 'final' }]);
    expect(parameter('Patient', '_lastUpdated').values(sample('Patient'))[0]?.type).toBe('instant');
    expect(parameter('Condition', 'onset-age').values(sample('Condition'))[0]?.type).toBe('Age');
  });

  it('keep the order of the document and leave out gaps in lists of primitives', () => {
    expect(values(sample('Patient'), 'given')).toEqual(['Ann', 'Bea', 'Ann']);
    expect(values(sample('Patient'), 'family')).toEqual(['Sample']);
    expect(values(sample('Patient'), 'birthdate')).toEqual([]);
  });

  it('select references by the type that they state or that their address shows, and none of unknown type', () => {
    const person = sample('Person');

    expect(values(person, 'patient')).toEqual([{ reference: 'Patient/p1' }]);
    expect(values(person, 'practitioner')).toEqual([
      { reference: 'https://example.org/fhir/Practitioner/pr1/_history/3' },
    ]);
    expect(values(person, 'relatedperson')).toHaveLength(1);
    expect(values(person, 'link')).toHaveLength(4);
  });

  it.each([
    ['dead since a date', 'p1', true],
    ['alive', 'p2', false],
    ['dead', 'p3', true],
  ])('tell that a patient is %s', (_, id, expected) => {
    expect(values(sample('Patient', id), 'deceased')).toEqual([expected]);
  });

  it('of a composite are its elements, and each component looks into one of them', () => {
    const composite = parameter('Observation', 'component-code-value-quantity');
    const [code, quantity] = composite.components ?? [];
    const observation = sample('Observation', 'bp');

    const pairs = composite
      .values(observation)
      .map(({ value }) => [
        code?.values(value, observation).length,
        quantity?.values(value, observation).map((each) => each.value),
      ]);

    expect(composite.type).toBe('composite');
    expect(pairs).toEqual([
      [1, [observation.component?.[0]?.valueQuantity]],
      [1, [observation.component?.[1]?.valueQuantity]],
      [1, []],
      [1, []],
    ]);
  });

  it('do not fail on a resource that is empty but for its type', () => {
    const failed = Object.entries(searchParameters).flatMap(([type, parameters]) =>
      parameters.filter((each) => each.values({ resourceType: type }).some(({ value }) => value === undefined)),
    );

    expect(failed).toEqual([]);
  });
});

describe('search parameters', () => {
  const all = Object.values(searchParameters).flat();

  it('are there for every parameter of every type that R4 defines, but for those that look at no element', () => {
    const missing = [...definitions.values()].flatMap(({ url, base, expression }) =>
      base
        .filter((type) => type in searchParameters && expression !== undefined)
        .filter((type) => searchParameters[type]?.every((each) => each.url !== url)),
    );

    expect(missing).toEqual([]);
    expect(Object.keys(searchParameters)).toHaveLength(resourceTypes().length);
    expect(all.length).toBeGreaterThan(1300 + 6 * resourceTypes().length);
  });

  it('are only those of R4, and seven of US Core', () => {
    const others = all.filter(({ url }) => !url.startsWith('http://hl7.org/fhir/SearchParameter/'));

    expect(others.map(({ url }) => url.replace('http://hl7.org/fhir/us/core/SearchParameter/us-core-', ''))).toEqual([
      'careteam-role',
      'condition-asserted-date',
      'encounter-discharge-disposition',
      'goal-description',
      'ethnicity',
      'patient-gender-identity',
      'race',
    ]);
    expect(searchParameters['DeviceDefinition']?.map(({ code }) => code)).not.toContain('classification');
  });

  it('are all that US Core asks for', () => {
    const missing = Object.entries(usCoreSearchCodes()).flatMap(([type, codes]) =>
      codes.filter((code) => searchParameters[type]?.every((each) => each.code !== code)).map((code) => type + code),
    );

    expect(missing).toEqual([]);
    expect(Object.values(usCoreSearchCodes()).flat()).toHaveLength(106);
  });

  it('name the types that a reference may point at, unless it may be any', () => {
    expect(parameter('Encounter', 'practitioner').targets).toEqual(['Practitioner']);
    expect(parameter('Observation', 'focus').targets).toBeUndefined();
  });

  it('have no name twice in a type', () => {
    for (const [type, parameters] of Object.entries(searchParameters)) {
      const codes = parameters.map(({ code }) => code);
      expect(codes, type).toEqual([...new Set(codes)]);
    }
  });

  it('come one file per type, none of which imports another type', () => {
    const file = generateSearchParameters()['search-parameters/Observation.ts'] ?? '';
    const imports = [...file.matchAll(/from '([^']+)'/g)].map((match) => match[1]);

    expect(imports).toEqual([]);
  });
});

describe('compartments', () => {
  it('are named by search parameters that exist and may point at the owner', () => {
    for (const [owner, types] of Object.entries(compartments)) {
      for (const [type, codes = []] of Object.entries(types)) {
        for (const code of codes.filter((each) => each !== '_id')) {
          const { targets = [owner] } = parameter(type, code);
          expect(targets, `${owner}: ${type}.${code}`).toContain(owner);
        }
      }
    }
  });

  it('are the five of R4, each with its owner in it', () => {
    expect(Object.keys(compartments)).toEqual(['Patient', 'Encounter', 'Practitioner', 'RelatedPerson', 'Device']);
    for (const [owner, types] of Object.entries(compartments)) expect(types[owner]?.[0]).toBe('_id');
    expect(compartments.Patient['Observation']).toEqual(['subject', 'performer']);
    expect(compartments.Patient['Encounter']).toEqual(['patient']);
    expect(compartments.Patient['Task']).toBeUndefined();
    expect(compartments.Encounter['Observation']).toEqual(['encounter']);
    expect(compartments.Device['Encounter']).toBeUndefined();
  });
});
