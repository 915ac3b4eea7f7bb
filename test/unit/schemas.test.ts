import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resourceTypes } from '../../shared/fhir/generated/resource-types.ts';
import { schemas } from '../../shared/fhir/generated/schemas/all.ts';
import type { ResourceSchema } from '../../shared/fhir/resource-schema.ts';
import { validateStructure } from '../../shared/fhir/validate.ts';
import { observation, patient, validResources } from './schemas-valid-resources.ts';

type Json = Record<string, unknown>;

const schemaOf = (resource: Json): ResourceSchema => schemas[resource['resourceType'] as keyof typeof schemas];
const issuesOf = (resource: Json) => validateStructure(schemaOf(resource), resource);

const concept = { text: 'weight' };
const weight = { resourceType: 'Observation', status: 'final', code: concept };
const person = { resourceType: 'Patient' };
const div = (content: string) => ({
  status: 'generated',
  div: `<div xmlns="http://www.w3.org/1999/xhtml">${content}</div>`,
});
const parameter = (value: Json) => ({ resourceType: 'Parameters', parameter: [{ name: 'a', ...value }] });
const parameterPath = 'Parameters.parameter[0]';

/** What is wrong, the resource, the expression of its only issue, and a part of the message. */
const broken: readonly [what: string, resource: Json, expression: string, message: string][] = [
  ['unknown element', { ...person, nickname: 'x' }, 'Patient.nickname', 'is not an element of Patient'],
  ['element of another type', { ...weight, birthDate: '2000' }, 'Observation.birthDate', 'not an element'],
  [
    'unknown element of a datatype',
    { ...person, name: [{ family: 'x', middle: 'y' }] },
    'Patient.name[0].middle',
    'is not an element of HumanName',
  ],
  [
    'unknown element of a backbone element',
    { ...person, contact: [{ gender: 'male', age: 4 }] },
    'Patient.contact[0].age',
    'is not an element of Patient.contact',
  ],
  ['element of a later version', { ...person, meta: { source: 'x', project: 'y' } }, 'Patient.meta.project', 'Meta'],
  ['comments of an older version', { ...person, fhir_comments: ['x'] }, 'Patient', 'has a property that is not'],
  ['extensions of what is no primitive', { ...weight, _code: { id: 'a' } }, 'Observation._code', 'not an element'],
  ['extensions of an attribute', { ...person, _id: { id: 'a' } }, 'Patient._id', 'not an element'],
  [
    'extensions with a value',
    { ...person, birthDate: '2000', _birthDate: { value: 'x' } },
    'Patient.birthDate.value',
    'is not an element of Element',
  ],
  [
    'extensions that are empty',
    { ...person, birthDate: '2000', _birthDate: {} },
    'Patient.birthDate',
    'must not be empty',
  ],
  [
    'id of a primitive without value',
    { ...weight, status: undefined, _status: { id: 'a' } },
    'Observation.status',
    'value or ext',
  ],
  ['name that is no name', { ...person, 'Robert"; DROP': 1 }, 'Patient', 'has a property that is not'],
  [
    'prototype',
    JSON.parse('{"resourceType":"Patient","__proto__":{"active":true}}') as Json,
    'Patient',
    'has a property',
  ],
  ['missing code', { ...weight, code: undefined }, 'Observation.code', 'is required'],
  ['missing status', { ...weight, status: undefined }, 'Observation.status', 'is required'],
  [
    'missing value[x]',
    { resourceType: 'MedicationRequest', status: 'active', intent: 'order', subject: { display: 'x' } },
    'MedicationRequest.medication',
    'is required',
  ],
  [
    'missing element of a backbone element',
    { ...person, link: [{ type: 'seealso' }] },
    'Patient.link[0].other',
    'is required',
  ],
  [
    'missing url of an extension',
    { ...person, extension: [{ valueString: 'x' }] },
    'Patient.extension[0].url',
    'is required',
  ],
  [
    'two value[x]',
    { ...weight, valueString: 'x', valueInteger: 1 },
    'Observation.value',
    'only one of value[x]: valueString or valueInteger',
  ],
  [
    'two value[x], one of them an extension',
    { ...weight, valueQuantity: { value: 1 }, _valueString: { extension: [{ url: 'a', valueCode: 'b' }] } },
    'Observation.value',
    'only one of value[x]',
  ],
  ['value[x] of another type', { ...weight, valueMoney: { value: 1 } }, 'Observation.valueMoney', 'not an element'],
  [
    'code outside a required binding',
    { ...weight, status: 'done' },
    'Observation.status',
    'one of: registered, preliminary',
  ],
  ['code in the wrong case', { ...person, gender: 'Male' }, 'Patient.gender', 'one of: male, female'],
  [
    'code outside a large required binding',
    {
      resourceType: 'CompartmentDefinition',
      url: 'a',
      name: 'b',
      status: 'draft',
      code: 'Patient',
      search: true,
      resource: [{ code: 'Pet' }],
    },
    'CompartmentDefinition.resource[0].code',
    'must be a code of http://hl7.org/fhir/ValueSet/resource-types',
  ],
  [
    'coding outside a required binding',
    {
      resourceType: 'Condition',
      subject: { display: 'x' },
      clinicalStatus: { coding: [{ system: 'http://x', code: 'active' }] },
    },
    'Condition.clinicalStatus',
    'must have a coding of http://hl7.org/fhir/ValueSet/condition-clinical: active, recurrence',
  ],
  [
    'text in place of a coding that is required',
    { resourceType: 'AllergyIntolerance', patient: { display: 'x' }, clinicalStatus: { text: 'active' } },
    'AllergyIntolerance.clinicalStatus',
    'must have a coding',
  ],
  ['MIME type', { resourceType: 'Binary', contentType: 'pdf' }, 'Binary.contentType', 'MIME type'],
  ['currency', parameter({ valueMoney: { currency: 'eur' } }), `${parameterPath}.valueMoney.currency`, 'ISO 4217'],
  ['array for one value', { ...weight, status: ['final'] }, 'Observation.status', 'must not be an array'],
  ['array for one object', { ...weight, code: [concept] }, 'Observation.code', 'must not be an array'],
  ['one value for an array', { ...person, name: { family: 'x' } }, 'Patient.name', 'must be an array'],
  ['one primitive for an array', { ...person, name: [{ given: 'x' }] }, 'Patient.name[0].given', 'must be an array'],
  ['text for an object', { ...weight, code: 'weight' }, 'Observation.code', 'must be an object'],
  ['object for text', { ...person, birthDate: { value: '2000' } }, 'Patient.birthDate', 'must be a string'],
  ['number for text', { ...person, name: [{ family: 1 }] }, 'Patient.name[0].family', 'must be a string'],
  ['text for a boolean', { ...person, active: 'true' }, 'Patient.active', 'must be true or false'],
  ['empty string', { ...person, name: [{ family: '' }] }, 'Patient.name[0].family', 'must not be empty'],
  ['white space', { ...person, name: [{ family: ' \n ' }] }, 'Patient.name[0].family', 'white space alone'],
  ['control character', { ...person, name: [{ family: 'a\u0000b' }] }, 'Patient.name[0].family', 'control characters'],
  [
    'too long a string',
    { ...person, name: [{ family: 'x'.repeat(1_048_577) }] },
    'Patient.name[0].family',
    '1,048,576',
  ],
  ['empty array', { ...person, name: [] }, 'Patient.name', 'must not be an empty array'],
  ['empty object', { ...person, name: [{}] }, 'Patient.name[0]', 'must not be empty'],
  ['object with an id alone', { ...person, name: [{ id: 'a' }] }, 'Patient.name[0]', 'besides its id'],
  ['null', { ...person, birthDate: null }, 'Patient.birthDate', 'must not be null'],
  ['null among objects', { ...person, name: [null] }, 'Patient.name[0]', 'must not be null'],
  [
    'null without extensions',
    { ...person, name: [{ given: ['a', null] }] },
    'Patient.name[0].given[1]',
    'must not be null',
  ],
  [
    'null in both arrays',
    { ...person, name: [{ given: ['a', null], _given: [{ id: 'x' }, null] }] },
    'Patient.name[0].given[1]',
    'must not be null',
  ],
  ['id with an underscore', { ...person, id: 'a_b' }, 'Patient.id', 'must be an id'],
  ['id of 65 characters', { ...person, id: 'a'.repeat(65) }, 'Patient.id', 'must be an id'],
  [
    'id of an element with white space',
    { ...person, name: [{ id: 'a b', text: 'x' }] },
    'Patient.name[0].id',
    'white space',
  ],
  ['uri with white space', { ...person, implicitRules: 'http://a b' }, 'Patient.implicitRules', 'URI'],
  ['uri that is no UUID', { ...person, implicitRules: 'urn:uuid:12' }, 'Patient.implicitRules', 'URI'],
  ['oid', parameter({ valueOid: 'urn:oid:3.1' }), `${parameterPath}.valueOid`, 'OID'],
  ['oid without prefix', parameter({ valueOid: '1.2.3' }), `${parameterPath}.valueOid`, 'OID'],
  [
    'uuid in upper case',
    parameter({ valueUuid: 'urn:uuid:C757873D-EC9A-4326-A141-556F43239520' }),
    `${parameterPath}.valueUuid`,
    'UUID',
  ],
  ['url with white space', parameter({ valueUrl: ' http://a' }), `${parameterPath}.valueUrl`, 'URI'],
  ['canonical', { ...person, meta: { profile: ['http://a', ''] } }, 'Patient.meta.profile[1]', 'must not be empty'],
  [
    'base64 of three characters',
    parameter({ valueBase64Binary: 'abc' }),
    `${parameterPath}.valueBase64Binary`,
    'base64',
  ],
  ['base64 with a hyphen', parameter({ valueBase64Binary: 'ab-=' }), `${parameterPath}.valueBase64Binary`, 'base64'],
  ['integer of more than 32 bits', { ...weight, valueInteger: 2_147_483_648 }, 'Observation.valueInteger', '32 bits'],
  ['integer with a fraction', { ...weight, valueInteger: 1.5 }, 'Observation.valueInteger', 'integer'],
  ['integer as text', { ...weight, valueInteger: '1' }, 'Observation.valueInteger', 'integer'],
  ['positiveInt of zero', { ...person, telecom: [{ rank: 0 }] }, 'Patient.telecom[0].rank', 'from 1 to'],
  ['unsignedInt below zero', parameter({ valueUnsignedInt: -1 }), `${parameterPath}.valueUnsignedInt`, 'from 0 to'],
  ['decimal as text', { ...weight, valueQuantity: { value: '1.0' } }, 'Observation.valueQuantity.value', 'decimal'],
  [
    'decimal beyond a double',
    { ...weight, valueQuantity: JSON.parse('{"value":1e400}') as Json },
    'Observation.valueQuantity.value',
    'decimal',
  ],
  ['code with a leading space', parameter({ valueCode: ' a' }), `${parameterPath}.valueCode`, 'must be a code'],
  ['code with a trailing space', parameter({ valueCode: 'a ' }), `${parameterPath}.valueCode`, 'must be a code'],
  [
    'code with two spaces',
    { ...weight, component: [{ code: concept, valueQuantity: { value: 1, code: 'mm  Hg' } }] },
    'Observation.component[0].valueQuantity.code',
    'must be a code',
  ],
  ['day that is not in the calendar', { ...person, birthDate: '2023-02-30' }, 'Patient.birthDate', 'must be a date'],
  ['29 February in no leap year', { ...person, birthDate: '1900-02-29' }, 'Patient.birthDate', 'must be a date'],
  ['month 13', { ...person, birthDate: '2023-13' }, 'Patient.birthDate', 'must be a date'],
  ['year 0000', { ...person, birthDate: '0000' }, 'Patient.birthDate', 'must be a date'],
  ['date with a time', { ...person, birthDate: '2023-01-01T00:00:00Z' }, 'Patient.birthDate', 'must be a date'],
  [
    'dateTime without zone',
    { ...weight, effectiveDateTime: '2023-01-01T00:00:00' },
    'Observation.effectiveDateTime',
    'dateTime',
  ],
  [
    'dateTime without seconds',
    { ...weight, effectiveDateTime: '2023-01-01T00:00Z' },
    'Observation.effectiveDateTime',
    'dateTime',
  ],
  [
    'dateTime of hour 24',
    { ...weight, effectiveDateTime: '2023-01-01T24:00:00Z' },
    'Observation.effectiveDateTime',
    'dateTime',
  ],
  [
    'dateTime of 31 April',
    { ...weight, effectiveDateTime: '2023-04-31T00:00:00Z' },
    'Observation.effectiveDateTime',
    'dateTime',
  ],
  [
    'zone beyond 14 hours',
    { ...weight, effectiveDateTime: '2023-01-01T00:00:00+14:30' },
    'Observation.effectiveDateTime',
    'dateTime',
  ],
  ['instant without time', { ...weight, issued: '2023-01-01' }, 'Observation.issued', 'instant'],
  ['instant of 30 February', { ...weight, issued: '2023-02-30T00:00:00Z' }, 'Observation.issued', 'instant'],
  ['time with a zone', { ...weight, valueTime: '12:00:00Z' }, 'Observation.valueTime', 'must be a time'],
  ['time without seconds', { ...weight, valueTime: '12:00' }, 'Observation.valueTime', 'must be a time'],
  [
    'reference to a wrong type',
    { ...weight, subject: { reference: 'Practitioner/1' } },
    'Observation.subject.reference',
    'Patient or Group',
  ],
  [
    'absolute reference to a wrong type',
    { ...weight, subject: { reference: 'https://x.org/r4/Practitioner/1/_history/1' } },
    'Observation.subject.reference',
    'must refer to Patient',
  ],
  [
    'conditional reference to a wrong type',
    { ...weight, subject: { reference: 'Practitioner?identifier=a|b' } },
    'Observation.subject.reference',
    'must refer to Patient',
  ],
  [
    'reference by a wrong type',
    { ...weight, subject: { type: 'Practitioner', display: 'x' } },
    'Observation.subject.type',
    'must refer to',
  ],
  [
    'type against the reference',
    { ...weight, subject: { reference: 'Patient/1', type: 'Group' } },
    'Observation.subject.type',
    'the type that the reference shows',
  ],
  [
    'reference to a wrong type among several',
    { ...weight, performer: [{ reference: 'Patient/1' }, { reference: 'Location/1' }] },
    'Observation.performer[1].reference',
    'must refer to Practitioner',
  ],
  [
    'comparator of a simple quantity',
    { ...weight, referenceRange: [{ low: { value: 1, comparator: '<' } }] },
    'Observation.referenceRange[0].low.comparator',
    'SimpleQuantity',
  ],
  ['script in a narrative', { ...person, text: div('a<script>alert(1)</script>') }, 'Patient.text.div', 'txt-1'],
  ['event handler in a narrative', { ...person, text: div('<p onclick="x()">a</p>') }, 'Patient.text.div', 'txt-1'],
  [
    'address of a script',
    { ...person, text: div('<a href="java&#115;cript:x()">a</a>') },
    'Patient.text.div',
    'not to scripts',
  ],
  ['narrative without content', { ...person, text: div(' <br/> ') }, 'Patient.text.div', 'txt-2'],
  ['narrative that is not well-formed', { ...person, text: div('<p>a') }, 'Patient.text.div', 'well-formed'],
  [
    'contained resource of no type',
    { ...person, contained: [{ id: 'a' }] },
    'Patient.contained[0].resourceType',
    'resource type',
  ],
  [
    'contained resource of an unknown type',
    { ...person, contained: [{ resourceType: 'Bot', id: 'a' }] },
    'Patient.contained[0].resourceType',
    'resource type',
  ],
  [
    'id of a contained resource',
    { ...person, contained: [{ resourceType: 'Group', id: '#a' }] },
    'Patient.contained[0].id',
    'must be an id',
  ],
  [
    'contained resource in a contained one',
    { ...person, contained: [{ resourceType: 'Group', contained: [{ resourceType: 'Group' }] }] },
    'Patient.contained[0].contained',
    'not allowed',
  ],
  [
    'null in a contained resource',
    { ...person, contained: [{ resourceType: 'Patient', name: [{ given: ['a', null] }] }] },
    'Patient.contained[0].name[0].given[1]',
    'must not be null',
  ],
  [
    'empty object in a contained resource',
    { ...person, contained: [{ resourceType: 'Patient', maritalStatus: {} }] },
    'Patient.contained[0].maritalStatus',
    'must not be empty',
  ],
  [
    'empty array in a resource of a bundle',
    { resourceType: 'Bundle', type: 'batch', entry: [{ resource: { resourceType: 'Patient', name: [] } }] },
    'Bundle.entry[0].resource.name',
    'empty array',
  ],
  ['another resource type', { resourceType: 'Patient' }, 'Observation.resourceType', 'must be Observation'],
];

describe('validateStructure', () => {
  it.each(broken)('refuses %s and names the element', (what, resource, expression, message) => {
    const schema = what === 'another resource type' ? schemas.Observation : schemaOf(resource);

    const issues = validateStructure(schema, resource);

    expect(issues).toHaveLength(1);
    expect(issues[0]).toMatchObject({ severity: 'error', expression });
    expect(issues[0]?.message).toContain(message);
  });

  it.each(Object.entries(validResources))('accepts: %s', (_, resource) => {
    expect(issuesOf(resource)).toEqual([]);
  });

  it.each([null, undefined, 'Patient', 1, true, [{ resourceType: 'Patient' }]])(
    'refuses what is no object: %j',
    (value) => {
      const issues = validateStructure(schemas.Patient, value);

      expect(issues).toEqual([
        { severity: 'error', code: 'structure', expression: 'Patient', message: 'must be an object' },
      ]);
    },
  );

  it('tells of every problem, those that are missing last', () => {
    const resource = {
      resourceType: 'Observation',
      status: 'x',
      subject: { reference: 'Slot/1' },
      note: [{ text: '' }],
    };

    const issues = issuesOf(resource);

    expect(issues.map(({ code, expression }) => `${code} ${expression}`)).toEqual([
      'code-invalid Observation.status',
      'value Observation.subject.reference',
      'value Observation.note[0].text',
      'required Observation.code',
    ]);
  });

  it('tells of at most 50 problems, in time that does not grow with their number', () => {
    const telecom = Array.from({ length: 300_000 }, () => ({ system: 'pigeon' }));

    const issues = issuesOf({ resourceType: 'Patient', contact: [{ telecom }], telecom });

    expect(issues).toHaveLength(50);
    expect(issues[49]?.expression).toBe('Patient.contact[0].telecom[49].system');
  });

  it('refuses JSON of more than 64 levels, however deep, without exhausting the stack', () => {
    const nested = (levels: number): Json =>
      JSON.parse(`${'{"extension":['.repeat(levels)}{}${']}'.repeat(levels)}`) as Json;

    const deep = validateStructure(schemas.Patient, { ...nested(2_000), resourceType: 'Patient' });
    const shallow = validateStructure(schemas.Patient, { ...nested(31), resourceType: 'Patient' });

    expect(deep).toEqual([
      {
        severity: 'error',
        code: 'structure',
        expression: 'Patient',
        message: 'must not be nested deeper than 64 levels',
      },
    ]);
    expect(shallow.some(({ message }) => message.includes('deeper'))).toBe(false);
  });

  it('leaves the resource as it is', () => {
    const before = structuredClone(patient);

    issuesOf(patient);

    expect(patient).toEqual(before);
  });
});

/** Every place of a JSON value: its holder and key there. */
const places = (value: unknown): { holder: Json; key: string }[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.keys(value).flatMap((key) => [{ holder: value as Json, key }, ...places((value as Json)[key])]);

describe('any change for the worse', () => {
  const resources = [patient, observation, ...Object.values(validResources)];
  const somePlace = fc
    .constantFrom(...resources)
    .chain((resource) => fc.nat({ max: places(resource).length - 1 }).map((index) => ({ resource, index })));

  const changed = (resource: Json, index: number, change: (holder: Json, key: string) => void): Json => {
    const copy = structuredClone(resource);
    const place = places(copy)[index];
    if (place !== undefined) change(place.holder, place.key);
    return copy;
  };

  it.each<[string, unknown]>([
    ['an empty string', ''],
    ['an empty array', []],
    ['an empty object', {}],
  ])('is refused: %s in place of a value', (_, worse) => {
    const accepted = resources.flatMap((resource) => {
      const type = resource.resourceType as keyof typeof schemas;
      return places(resource).flatMap((_place, index) => {
        const copy = changed(resource, index, (holder, key) => {
          holder[key] = worse;
        });
        return validateStructure(schemas[type], copy).length === 0 ? [`${type} at place ${index}`] : [];
      });
    });

    expect(accepted).toEqual([]);
  });

  it('is refused: an element that no type has', () => {
    fc.assert(
      fc.property(somePlace, ({ resource, index }) => {
        // anything may be an element of a resource whose type is not looked into
        fc.pre(
          !('contained' in resource) && resource.resourceType !== 'Bundle' && resource.resourceType !== 'Parameters',
        );
        const copy = changed(resource, index, (holder) => {
          if (!Array.isArray(holder)) holder['unheardOf'] = 'x';
          else holder.push({ unheardOf: 'x' });
        });
        expect(issuesOf(copy)).not.toEqual([]);
      }),
    );
  });

  it('is told without the value', () => {
    fc.assert(
      fc.property(somePlace, ({ resource, index }) => {
        const copy = changed(resource, index, (holder, key) => {
          holder[key] = ' Jane  Secret\u0000 ';
        });
        expect(JSON.stringify(issuesOf({ ...copy, resourceType: resource.resourceType }))).not.toContain('Secret');
      }),
    );
  });
});

describe('dates', () => {
  const digits = (number: number, length: number): string => String(number).padStart(length, '0');

  it('are those of the Gregorian calendar', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9999 }),
        fc.integer({ min: 0, max: 13 }),
        fc.integer({ min: 0, max: 32 }),
        (y, m, d) => {
          const birthDate = `${digits(y, 4)}-${digits(m, 2)}-${digits(d, 2)}`;
          const asDate = new Date(`${birthDate}T00:00:00Z`);
          const isInCalendar = !Number.isNaN(asDate.getTime()) && asDate.toISOString().startsWith(birthDate);

          expect(issuesOf({ resourceType: 'Patient', birthDate }).length).toBe(isInCalendar ? 0 : 1);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('hostile strings', () => {
  const long = 1_000_000;

  it.each<[string, Json]>([
    ['code', parameter({ valueCode: `${'a '.repeat(long / 2)} ` })],
    ['MIME type', { resourceType: 'Binary', contentType: `a/b${';a'.repeat(long / 2)}\n\n` }],
    ['base64', parameter({ valueBase64Binary: `${'abcd '.repeat(long)}-` })],
    ['reference', { ...weight, subject: { reference: `http://${'Patient/a/'.repeat(long / 10)}#` } }],
    ['narrative of entities', { ...person, text: div('&'.repeat(long)) }],
    ['narrative of spaces', { ...person, text: div(`<p${' '.repeat(long)}`) }],
    ['narrative of attributes', { ...person, text: div(`<p ${'title="a" '.repeat(long / 10)}`) }],
    ['narrative of tags', { ...person, text: div('<b>'.repeat(long / 3)) }],
    ['narrative of comments', { ...person, text: div('<!--'.repeat(long / 4)) }],
  ])('are read in a moment: %s', (_, resource) => {
    const start = performance.now();

    issuesOf(resource);

    // a pattern that looks back takes minutes for these, a busy machine a second
    expect(performance.now() - start).toBeLessThan(20_000);
  });
});

describe('schemas', () => {
  it('exist for each resource type, under its name', () => {
    expect(Object.keys(schemas)).toEqual([...resourceTypes]);
    for (const type of resourceTypes) expect(schemas[type].typeName).toBe(type);
    expect(resourceTypes).toHaveLength(146);
  });

  it('have definitions that hold together', () => {
    // reads the elements of each type, which are made at the first use
    for (const type of resourceTypes) {
      const issues = validateStructure(schemas[type], { resourceType: type, unheardOf: 1 });
      expect(issues[0]).toMatchObject({ expression: `${type}.unheardOf` });
    }
  });
});
