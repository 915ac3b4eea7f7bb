import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecordError } from '../../shared/errors.ts';
import { observationSchema } from '../../shared/fhir/generated/schemas/Observation.ts';
import { patientSchema } from '../../shared/fhir/generated/schemas/Patient.ts';
import { parseJson, spelledOut } from '../../shared/fhir/json.ts';
import type { ResourceSchema } from '../../shared/fhir/resource-schema.ts';
import { PathNotUnderstood, readPath, select, valueOf } from '../../shared/patch/element-path.ts';
import { readFhirPathPatch } from '../../shared/patch/fhirpath-patch.ts';
import { withoutEmpty } from '../../shared/patch/json-tree.ts';
import { evaluate } from '../support/fhirpath-evaluator.ts';
import { fhirPathPatch } from '../support/patches.ts';

type Operation = Readonly<Record<string, unknown>>;

const patched = (elements: object, ...operations: Operation[]): unknown => {
  const apply = readFhirPathPatch(patientSchema, { ...fhirPathPatch(...operations) });
  const { resourceType: _, ...left } = withoutEmpty(
    apply(spelledOut({ resourceType: 'Patient', ...elements })),
  ) as fhir4.Patient;
  return left;
};

const refusalOf = (work: () => unknown): [kind: string, expression: string | undefined, message: string] => {
  try {
    work();
  } catch (error) {
    if (error instanceof RecordError) return [error.kind, error.details[0]?.expression, error.message];
    throw error;
  }
  throw new Error('It was not refused');
};

const add = (path: string, name: string, value: object) => ({ type: 'add', path, name, value });
const insert = (path: string, index: number, value: object) => ({ type: 'insert', path, index, value });
const replace = (path: string, value: object) => ({ type: 'replace', path, value });
const remove = (path: string) => ({ type: 'delete', path });
const move = (path: string, source: number, destination: number) => ({ type: 'move', path, source, destination });

const numbered = (...values: string[]) => ({
  identifier: values.map((value) => ({ system: 'http://example.org', value })),
});
const identifier = (value: string) => ({ valueIdentifier: { system: 'http://example.org', value } });
const birthTime = {
  url: 'http://hl7.org/fhir/StructureDefinition/patient-birthTime',
  valueDateTime: '1980-02-03T04:05:06Z',
};

describe('a FHIRPath Patch', () => {
  // Cases like those that come with the specification: https://github.com/FHIR/fhir-test-cases/tree/master/r4/patch
  it.each<[string, object, Operation[], object]>([
    ['changes nothing', { birthDate: '1920-01-01' }, [], { birthDate: '1920-01-01' }],
    [
      'replaces a primitive',
      { birthDate: '1920-01-01' },
      [replace('Patient.birthDate', { valueDate: '1930-01-01' })],
      { birthDate: '1930-01-01' },
    ],
    ['deletes a primitive', { active: true, birthDate: '1920-01-01' }, [remove('Patient.birthDate')], { active: true }],
    ['deletes what is not there', { active: true }, [remove('Patient.birthDate')], { active: true }],
    [
      'adds a primitive',
      { active: true },
      [add('Patient', 'birthDate', { valueDate: '1930-01-01' })],
      { active: true, birthDate: '1930-01-01' },
    ],
    [
      'replaces a nested primitive',
      { contact: [{ name: { text: 'a name' }, gender: 'male' }] },
      [replace('Patient.contact[0].name.text', { valueString: 'the name' })],
      { contact: [{ name: { text: 'the name' }, gender: 'male' }] },
    ],
    [
      'deletes what has become empty',
      { contact: [{ name: { text: 'a name' }, gender: 'male' }] },
      [remove('Patient.contact[0].name.text')],
      { contact: [{ gender: 'male' }] },
    ],
    [
      'adds a nested primitive',
      { contact: [{ name: { text: 'a name' } }] },
      [add('Patient.contact[0]', 'gender', { valueCode: 'male' })],
      { contact: [{ name: { text: 'a name' }, gender: 'male' }] },
    ],
    [
      'adds a datatype',
      {},
      [add('Patient', 'maritalStatus', { valueCodeableConcept: { text: 'married' } })],
      { maritalStatus: { text: 'married' } },
    ],
    [
      'replaces a datatype',
      { maritalStatus: { id: '1', text: 'married' } },
      [replace('Patient.maritalStatus', { valueCodeableConcept: { id: '2', text: 'not married' } })],
      { maritalStatus: { id: '2', text: 'not married' } },
    ],
    [
      'adds what has no datatype of its own',
      {},
      [
        add('Patient', 'contact', {
          part: [
            { name: 'name', valueHumanName: { text: 'a name' } },
            { name: 'relationship', valueCodeableConcept: { text: 'a' } },
            { name: 'relationship', valueCodeableConcept: { text: 'b' } },
          ],
        }),
      ],
      { contact: [{ name: { text: 'a name' }, relationship: [{ text: 'a' }, { text: 'b' }] }] },
    ],
    [
      'deletes an item',
      { contact: [{ gender: 'male' }, { gender: 'female' }] },
      [remove('Patient.contact[0]')],
      { contact: [{ gender: 'female' }] },
    ],
    ['appends to a list', numbered('1'), [add('Patient', 'identifier', identifier('2'))], numbered('1', '2')],
    [
      'inserts at the end',
      numbered('1', '2'),
      [insert('Patient.identifier', 2, identifier('3'))],
      numbered('1', '2', '3'),
    ],
    [
      'inserts at the beginning',
      numbered('1', '2'),
      [insert('Patient.identifier', 0, identifier('3'))],
      numbered('3', '1', '2'),
    ],
    [
      'inserts into a list that is not there',
      { active: true },
      [insert('Patient.identifier', 0, identifier('1'))],
      { active: true, ...numbered('1') },
    ],
    ['deletes from a list', numbered('1', '2', '3'), [remove('Patient.identifier[1]')], numbered('1', '3')],
    ['moves forwards', numbered('1', '2', '3', '4'), [move('Patient.identifier', 0, 3)], numbered('2', '3', '4', '1')],
    ['moves backwards', numbered('1', '2', '3', '4'), [move('Patient.identifier', 3, 1)], numbered('1', '4', '2', '3')],
    [
      'works in order',
      numbered('1', '2', '3', '4'),
      [move('Patient.identifier', 3, 1), remove('Patient.identifier[0]')],
      numbered('4', '2', '3'),
    ],
    ['adds a choice', {}, [add('Patient', 'deceased', { valueBoolean: false })], { deceasedBoolean: false }],
    [
      'replaces a choice by another datatype',
      { deceasedBoolean: true },
      [replace('Patient.deceased', { valueDateTime: '2020' })],
      { deceasedDateTime: '2020' },
    ],
    ['deletes a choice', { active: true, deceasedBoolean: true }, [remove('Patient.deceased')], { active: true }],
    [
      'finds a choice by its datatype',
      { active: true, deceasedDateTime: '2020' },
      [remove('Patient.deceased.ofType(dateTime)')],
      { active: true },
    ],
    [
      'takes a path without the type',
      { birthDate: '1920-01-01' },
      [replace('birthDate', { valueDate: '1930' })],
      { birthDate: '1930' },
    ],
    [
      'filters',
      {
        telecom: [
          { system: 'phone', use: 'work', value: '1' },
          { system: 'phone', use: 'home', value: '2' },
        ],
      },
      [replace("Patient.telecom.where(system = 'phone' and use = 'home').value", { valueString: '3' })],
      {
        telecom: [
          { system: 'phone', use: 'work', value: '1' },
          { system: 'phone', use: 'home', value: '3' },
        ],
      },
    ],
    [
      'filters by what a primitive says',
      { name: [{ given: ['A', 'B'] }] },
      [remove("name[0].given.where($this = 'B')")],
      { name: [{ given: ['A'] }] },
    ],
    [
      'knows extensions',
      {
        extension: [
          { url: 'http://a', valueCode: 'x' },
          { url: 'http://b', valueCode: 'y' },
        ],
      },
      [replace("Patient.extension('http://b').value", { valueString: 'z' })],
      {
        extension: [
          { url: 'http://a', valueCode: 'x' },
          { url: 'http://b', valueString: 'z' },
        ],
      },
    ],
    [
      'adds an extension of a primitive',
      { birthDate: '1980-02-03' },
      [add('Patient.birthDate', 'extension', { valueExtension: birthTime })],
      { birthDate: '1980-02-03', _birthDate: { extension: [birthTime] } },
    ],
    [
      'deletes an extension of a primitive',
      { birthDate: '1980', _birthDate: { extension: [birthTime] } },
      [remove(`Patient.birthDate.extension('${birthTime.url}')`)],
      { birthDate: '1980' },
    ],
    [
      'keeps primitives and their extensions side by side',
      { name: [{ given: ['A', 'B'], _given: [null, { id: 'b' }] }] },
      [
        insert('Patient.name[0].given', 0, { valueString: 'C' }),
        add('Patient.name[0].given[1]', 'id', { valueString: 'a' }),
      ],
      { name: [{ given: ['C', 'A', 'B'], _given: [null, { id: 'a' }, { id: 'b' }] }] },
    ],
    [
      'moves a primitive with its extensions',
      { name: [{ given: ['A', 'B'], _given: [null, { id: 'b' }] }] },
      [move('Patient.name[0].given', 1, 0)],
      { name: [{ given: ['B', 'A'], _given: [{ id: 'b' }, null] }] },
    ],
    [
      'deletes a primitive with its extensions',
      { active: true, birthDate: '1980', _birthDate: { id: '1' } },
      [remove('Patient.birthDate')],
      { active: true },
    ],
    [
      'adds a primitive of extensions alone',
      { active: true },
      [add('Patient', 'birthDate', { _valueDate: { extension: [birthTime] } })],
      { active: true, _birthDate: { extension: [birthTime] } },
    ],
    [
      'changes what is in a contained resource',
      { contained: [{ resourceType: 'Basic', id: 'b', code: { text: 'x' } }] },
      [replace("Patient.contained.where(id = 'b').code.text", { valueString: 'y' })],
      { contained: [{ resourceType: 'Basic', id: 'b', code: { text: 'y' } }] },
    ],
    [
      'adds a resource',
      {},
      [add('Patient', 'contained', { resource: { resourceType: 'Basic', id: 'b' } })],
      { contained: [{ resourceType: 'Basic', id: 'b' }] },
    ],
    [
      'reads escapes in a text',
      { name: [{ family: "O'Neil\n" }] },
      [remove("name.where(family = 'O\\'Neil\\n')"), add('Patient', 'active', { valueBoolean: true })],
      { active: true },
    ],
  ])('%s', (_, elements, operations, expected) => {
    expect(patched(elements, ...operations)).toEqual(expected);
  });

  it.each<[string, Operation, string, string]>([
    ['no type', { path: 'Patient' }, 'invalid', 'The operation needs the part type'],
    ['another type', { type: 'destroy', path: 'Patient' }, 'invalid', 'The type of an operation is'],
    ['no path', { type: 'delete' }, 'invalid', 'The operation needs the part path'],
    ['no value', { type: 'replace', path: 'Patient.birthDate' }, 'invalid', 'The operation needs the part value'],
    [
      'no index',
      { type: 'insert', path: 'Patient.identifier', value: identifier('1') },
      'invalid',
      'The operation needs the part index',
    ],
    [
      'a negative index',
      insert('Patient.identifier', -1, identifier('1')),
      'invalid',
      'The operation needs the part index',
    ],
    [
      'an index behind the end',
      insert('Patient.identifier', 3, identifier('1')),
      'business-rule',
      'There is no such place in the list',
    ],
    [
      'a move from behind the end',
      move('Patient.identifier', 2, 0),
      'business-rule',
      'There is no such place in the list',
    ],
    [
      'a list that is none',
      insert('Patient.maritalStatus', 0, { valueString: 'x' }),
      'invalid',
      'The path does not name a list',
    ],
    [
      'an item for a list',
      insert('Patient.identifier[0]', 0, identifier('1')),
      'invalid',
      'The path has to end with the name of a list',
    ],
    ['several elements', remove('Patient.identifier'), 'business-rule', 'The path leads to several elements'],
    [
      'nothing to replace',
      replace('Patient.birthDate', { valueDate: '2020' }),
      'business-rule',
      'The path leads to nothing',
    ],
    [
      'what is there already',
      add('Patient', 'gender', { valueCode: 'male' }),
      'business-rule',
      'The element is there already',
    ],
    [
      'a choice that is there already',
      add('Patient', 'deceased', { valueBoolean: false }),
      'business-rule',
      'The element is there already',
    ],
    [
      'an element that there is not',
      add('Patient', 'nonsense', { valueCode: 'x' }),
      'invalid',
      'There is no such element',
    ],
    ['resourceType', add('Patient', 'resourceType', { valueCode: 'Basic' }), 'invalid', 'There is no such element'],
    ['a prototype', add('Patient', '__proto__', { valueCode: 'x' }), 'invalid', 'There is no such element'],
    [
      'a datatype that a choice has not',
      replace('Patient.deceased', { valueString: 'x' }),
      'invalid',
      'The element cannot have a value of this datatype',
    ],
    ['the resource as a whole', remove('Patient'), 'invalid', 'A patch changes elements, not the resource as a whole'],
    [
      'parts for a primitive',
      replace('Patient.gender', { part: [{ name: 'x', valueString: 'y' }] }),
      'invalid',
      'This element has no elements of its own',
    ],
    ['a function', remove('Patient.name.exists()'), 'invalid', 'This is not understood in a path: exists()'],
    [
      'a function in a filter',
      remove("Patient.name.where(given.first() = 'A')"),
      'invalid',
      'This is not understood in a path: first()',
    ],
    [
      'another operator',
      remove("Patient.name.where(family ~ 'A')"),
      'invalid',
      'This is not understood in a path: character 26',
    ],
    ['an unfinished path', remove('Patient.name.'), 'invalid', 'This is not understood in a path: character 14'],
    [
      'an unfinished text',
      remove("Patient.name.where(family = 'A)"),
      'invalid',
      'This is not understood in a path: character 28',
    ],
    [
      'ofType of what has one type',
      remove('Patient.gender.ofType(code)'),
      'invalid',
      'ofType() is only understood where an element may have several types',
    ],
    ['a path that is too long', remove(`Patient${'.name'.repeat(400)}`), 'invalid', 'A path has 2000 letters at most'],
  ])('refuses %s, and names the operation', (_, operation, kind, message) => {
    const elements = { gender: 'male', deceasedBoolean: true, ...numbered('1', '2') };

    const [refusedKind, expression, text] = refusalOf(() =>
      patched(elements, replace('Patient.gender', { valueCode: 'female' }), operation),
    );

    expect([refusedKind, expression]).toEqual([kind, 'Parameters.parameter[1]']);
    expect(text).toContain(message);
  });

  it.each([
    ['a parameter of another name', { parameter: [{ name: 'op' }] }],
    ['parameters that are no list', { parameter: {} }],
    ['parts that are none', { parameter: [{ name: 'operation', part: 'x' }] }],
    ['null for a part', { parameter: [{ name: 'operation', part: [null] }] }],
    ['too many operations', { parameter: Array.from({ length: 1_001 }, () => ({ name: 'operation', part: [] })) }],
  ])('refuses %s', (_, parameters) => {
    expect(refusalOf(() => readFhirPathPatch(patientSchema, parameters))[0]).toBe('invalid');
  });

  it('keeps the spelling of decimals, and applies again what it applied before', () => {
    const observation = parseJson(
      '{"resourceType":"Observation","valueQuantity":{"value":1.50},"component":[{"valueQuantity":{"value":2.0}}]}',
    );
    const patch = parseJson(
      JSON.stringify(
        fhirPathPatch(
          add('Observation', 'component', { part: [{ name: 'value', valueQuantity: { value: 'X' } }] }),
          move('Observation.component', 1, 0),
          add('Observation.component[0].value', 'unit', { valueString: 'mg' }),
        ),
      ).replace('"X"', '3.100'),
    ) as Record<string, unknown>;
    const apply = readFhirPathPatch(observationSchema, patch);

    const results = [1, 2].map(() => JSON.stringify(apply(spelledOut(observation))));

    const expected =
      '{"resourceType":"Observation","valueQuantity":{"value":1.50},"component":[{"valueQuantity":{"value":3.100,"unit":"mg"}},{"valueQuantity":{"value":2.0}}]}';
    expect(results).toEqual([expected, expected]);
  });
});

const patient: fhir4.Patient = {
  resourceType: 'Patient',
  id: 'p',
  extension: [
    { url: 'http://a', extension: [{ url: 'http://b', valueString: 'x' }] },
    { url: 'http://b', valueCode: 'y' },
  ],
  identifier: [
    { use: 'official', system: 'http://a', value: '1', type: { coding: [{ code: 'MR' }, { code: 'SS' }] } },
    { use: 'old', value: '2', type: { coding: [{ code: 'MR' }] } },
  ],
  active: true,
  name: [
    { use: 'official', family: 'A', given: ['x', 'y'], period: { start: '2001' } },
    { use: 'old', family: 'B', given: ['x'] },
    { use: 'official', given: ['y'] },
  ],
  telecom: [
    { system: 'phone', value: '1', use: 'home', rank: 1 },
    { system: 'email', value: '2', use: 'home' },
    { system: 'phone', value: '3', rank: 2 },
  ],
  deceasedDateTime: '2020-01-02',
  multipleBirthInteger: 2,
  contact: [
    { name: { family: 'C', given: ['z'] }, telecom: [{ system: 'phone', value: '4' }] },
    { name: { family: 'A' } },
  ],
  contained: [{ resourceType: 'Basic', id: 'b', code: { text: 'x' } } as fhir4.Basic],
};
const observation: fhir4.Observation = {
  resourceType: 'Observation',
  status: 'final',
  code: { coding: [{ system: 'http://a', code: '1' }, { code: '2' }], text: 'x' },
  valueQuantity: { value: 1.5, unit: 'mg' },
  component: [
    { code: { text: 'x' }, valueString: 'y' },
    { code: { coding: [{ code: '1' }] }, valueQuantity: { value: 2, unit: 'mg' } },
  ],
};

const criterion = fc
  .oneof(
    fc.tuple(
      fc.constantFrom(
        'use',
        'family',
        'given',
        'system',
        'value',
        'url',
        'code.text',
        'name.family',
        'type.coding.code',
      ),
      fc.constantFrom("'official'", "'x'", "'y'", "'A'", "'phone'", "'1'", "'http://a'", "'MR'"),
    ),
    fc.tuple(fc.constant('rank'), fc.constantFrom('1', '2.0')),
  )
  .map(([path, value]) => `${path} = ${value}`);
const filter = fc.oneof(
  fc.constantFrom('[0]', '[1]', '[2]', '.first()'),
  criterion.map((text) => `.where(${text})`),
  fc.tuple(criterion, criterion).map((both) => `.where(${both.join(' and ')})`),
  fc.constantFrom('.ofType(Quantity)', '.ofType(string)', '.ofType(dateTime)', '.ofType(integer)'),
  fc.constantFrom("extension('http://a')", "extension('http://b')").map((text) => `.${text}`),
);

/** Names of elements that some of these have. */
const namesIn = (values: readonly unknown[]): string[] => [
  ...new Set(
    values.flatMap((value) =>
      typeof value === 'object' && value !== null
        ? Object.keys(value).map((key) => /^(value|deceased|multipleBirth)[A-Z]/.exec(key)?.[1] ?? key)
        : [],
    ),
  ),
];

/** A path along elements that are there, by what `choices` say at each step, and their filters. */
const pathAlong = (
  resource: { resourceType: string },
  choices: readonly (readonly [number, string | null])[],
): string =>
  choices.reduce((path, [choice, filtered]) => {
    const names = namesIn(evaluate(resource, path)).filter((name) => name !== 'resourceType');
    const name = names[choice % names.length] ?? 'nothing';
    return `${path}.${name}${filtered ?? ''}`;
  }, resource.resourceType);

/** Undefined where a datatype is asked of what has one alone. */
const understood = <T>(work: () => T): T | undefined => {
  try {
    return work();
  } catch (error) {
    if (error instanceof PathNotUnderstood && error.message.startsWith('ofType()')) return undefined;
    throw error;
  }
};

describe('any path that is understood', () => {
  it('leads to what an evaluator of FHIRPath finds', () => {
    const worlds: readonly (readonly [object & { resourceType: string }, ResourceSchema])[] = [
      [patient, patientSchema],
      [observation, observationSchema],
    ];
    let found = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...worlds),
        fc.array(fc.tuple(fc.nat(50), fc.option(filter, { freq: 1 })), { minLength: 1, maxLength: 4 }),
        ([resource, schema], choices) => {
          const path = pathAlong(resource, choices);
          const root = {
            holder: { resource: spelledOut(resource) },
            holderSchema: undefined,
            property: { name: 'resource', isList: false, type: undefined, schema, besides: undefined },
            index: undefined,
          };
          const ours = understood(() => select(root, readPath(path, resource.resourceType)).map(valueOf));
          fc.pre(ours !== undefined);
          found += ours.length;
          expect(ours, path).toEqual(evaluate(resource, path));
        },
      ),
      { numRuns: 400 },
    );
    expect(found).toBeGreaterThan(50);
  });
});
