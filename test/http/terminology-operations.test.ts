import { beforeAll, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { elsewhere, resourcesIn } from '../support/records.ts';
import {
  acme,
  animals,
  type Input,
  okay,
  part,
  partsIn,
  refusalOf,
  type TerminologyWorld,
  terminologyWorld,
  useOf,
  valueSetOf,
  valuesIn,
} from '../support/terminology-world.ts';

// https://hl7.org/fhir/R4/terminology-service.html; $expand has a file of its own

const snomed = 'http://snomed.info/sct';
const loinc = 'http://loinc.org';
const vs = 'http://hl7.org/fhir/ValueSet';
const gender = 'http://hl7.org/fhir/administrative-gender';
const status = 'http://hl7.org/fhir/observation-status';
const clinical = 'http://terminology.hl7.org/CodeSystem/condition-clinical';
const act = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const cholesterol = { system: loinc, code: '2093-3' };
const narrow: TestCaller = { role: 'physician', scope: 'user/Patient.rs' };

let world: TerminologyWorld;
beforeAll(async () => {
  world = await terminologyWorld();
});

const coding = (name: string, value: fhir4.Coding): fhir4.ParametersParameter => ({ name, valueCoding: value });
const concept = (...codings: fhir4.Coding[]): fhir4.ParametersParameter => ({
  name: 'codeableConcept',
  valueCodeableConcept: { coding: codings },
});

describe('ValueSet/$validate-code', () => {
  const path = 'ValueSet/$validate-code';
  const validate = async (input: Input, as?: TestCaller) => valuesIn(await okay(world.ask(path, input, as)));
  const posted = async (...parameter: fhir4.ParametersParameter[]) => valuesIn(await okay(world.post(path, parameter)));
  const genders = { url: `${vs}/administrative-gender`, system: gender };
  const ofBirds = { url: `${acme}/ValueSet/birds`, system: animals };

  it('says yes, with the display, and no, with the reason', async () => {
    world.server.calls.reset();
    expect(await validate({ ...genders, code: 'male' })).toEqual({ result: true, display: 'Male' });
    expect(await validate({ ...genders, code: 'MALE' })).toEqual({
      result: false,
      message: `The code is not in the code system ${gender}`,
    });
    expect(await validate({ ...genders, system: clinical, code: 'active' })).toEqual({
      result: false,
      message: 'The code is not in the value set',
      display: 'Active',
    });
    expect(world.server.calls.names).toEqual([]);
  });

  it("tells the right display where one is wrong, as R4's example does", async () => {
    const url = `${vs}/example-extensional`;
    const asked = { url, ...cholesterol };
    expect(await validate({ ...asked, display: 'test' })).toEqual({
      result: false,
      message: 'The display is incorrect',
      display: 'Cholesterol [Mass/Volume]',
    });
    expect(await posted({ name: 'url', valueUri: url }, concept({ ...cholesterol, display: 'test' }))).toMatchObject({
      result: false,
      display: 'Cholesterol [Mass/Volume]',
    });
    const { id, ...code } = { id: world.idOf('example-extensional'), ...cholesterol };
    expect(
      valuesIn(await okay(world.ask(`ValueSet/${id}/$validate-code`, { ...code, display: 'test' }))),
    ).toMatchObject({
      result: false,
    });
  });

  it.each(['Sea gull', '  sea   GULL', 'Möwe', 'larus'])(
    'takes every name of a code for right: %s',
    async (display) => {
      expect(await validate({ ...ofBirds, code: 'gull', display })).toEqual({ result: true, display: 'Sea gull' });
    },
  );

  it('shows a display in a language, and says where none could be checked', async () => {
    expect(await validate({ ...ofBirds, code: 'gull', displayLanguage: 'de' })).toMatchObject({ display: 'Möwe' });
    const url = `${vs}/c80-doc-typecodes`;
    expect(await validate({ url, system: loinc, code: '55107-7', display: 'any' })).toEqual({
      result: true,
      message: 'The display was not checked: none is known here',
    });
  });

  it('takes one good coding of a concept for enough, also where another cannot be judged', async () => {
    const url = { name: 'url', valueUri: genders.url };
    const male = { system: gender, code: 'male' };
    expect(await posted(url, concept({ system: snomed, code: '248153007' }, male))).toEqual({
      result: true,
      display: 'Male',
    });
    expect(await posted(url, concept({ system: snomed, code: '1' }, { code: 'male' }))).toEqual({
      result: false,
      message: 'The code is not in the value set; A coding without a system or a code is in no value set',
    });
    expect(await posted(url, { name: 'codeableConcept', valueCodeableConcept: { text: 'a man' } })).toEqual({
      result: false,
      message: 'There is no coding',
    });
    const both = valueSetOf('both', { include: [{ system: snomed }, { system: gender }] });
    const valueSet = { name: 'valueSet', resource: both };
    expect(await posted(valueSet, concept({ system: snomed, code: '1' }, male))).toMatchObject({ result: true });
    expect(await refusalOf(world.post(path, [valueSet, concept({ system: snomed, code: '1' })]))).toEqual({
      status: 400,
      code: 'not-supported',
      expression: 'valueSet',
      text: `All codes of ${snomed} are in it, which are not known here`,
    });
  });

  it('takes a coding by GET and by POST', async () => {
    expect(await validate({ url: genders.url, coding: `${gender}|other` })).toMatchObject({ result: true });
    expect(
      await posted({ name: 'url', valueUri: genders.url }, coding('coding', { system: gender, code: 'x' })),
    ).toMatchObject({
      result: false,
    });
  });

  it('tells of abstract codes, or refuses them, and tells of codes that are out of use', async () => {
    expect(await validate({ ...ofBirds, code: 'bird' })).toEqual({
      result: true,
      message: 'The code groups others: it is abstract',
      display: 'Bird',
    });
    expect(await validate({ ...ofBirds, code: 'bird', abstract: true })).toEqual({ result: true, display: 'Bird' });
    expect(await validate({ ...ofBirds, code: 'bird', abstract: false })).toMatchObject({ result: false });
    expect(await validate({ ...ofBirds, code: 'gull', abstract: false })).toMatchObject({ result: true });
    expect(await validate({ ...ofBirds, code: 'dodo' })).toMatchObject({
      result: true,
      message: 'The code is not in use any more',
    });
  });

  it('judges by the version of the code system that a coding names, where the value set names none', async () => {
    const all = { url: animals, system: animals, code: 'cat' };
    expect(await validate(all)).toMatchObject({ result: true });
    expect(await validate({ ...all, systemVersion: '2' })).toMatchObject({ result: true });
    expect(await validate({ ...all, systemVersion: '1' })).toMatchObject({ result: false });
    expect(await refusalOf(world.ask(path, { ...all, systemVersion: '3' }))).toMatchObject({
      code: 'not-supported',
      text: `All codes of ${animals}|3 are in it, which are not known here`,
    });
    const ofOne = { url: `${acme}/ValueSet/of-one`, system: animals, code: 'bat' };
    expect(await validate({ ...ofOne, systemVersion: '1' })).toMatchObject({ result: true });
    expect(await validate({ ...ofOne, systemVersion: '2' })).toEqual({
      result: false,
      message: 'The value set takes another version of the code system',
      display: 'Bat',
    });
  });

  it("takes the organisation's own, by id and as they are sent", async () => {
    const ask = (id: string, code: string) =>
      world.ask(`ValueSet/${world.idOf(id)}/$validate-code`, { system: animals, code });
    expect(valuesIn(await okay(ask('imports', 'gull')))).toMatchObject({ result: true });
    expect(valuesIn(await okay(ask('imports', 'dodo')))).toMatchObject({ result: false, display: 'Dodo' });
    const resource = valueSetOf('sent', { include: [{ valueSet: [`${acme}/ValueSet/imports`] }] });
    expect(
      await posted({ name: 'valueSet', resource }, coding('coding', { system: animals, code: 'gull' })),
    ).toMatchObject({
      result: true,
    });
  });

  it('judges codings of several versions each by its own', async () => {
    const url = { name: 'url', valueUri: animals };
    const cat = { system: animals, code: 'cat' };
    expect(await posted(url, concept({ ...cat, version: '1' }))).toMatchObject({ result: false });
    expect(await posted(url, concept({ ...cat, version: '1' }, { ...cat, version: '2' }))).toMatchObject({
      result: true,
    });
  });

  it('tells of a code that a value set lists and its code system does not have', async () => {
    const listed = valueSetOf('listed', { include: [{ system: animals, concept: [{ code: 'dog' }] }] });
    const asked = coding('coding', { system: animals, code: 'dog' });
    expect(await posted({ name: 'valueSet', resource: listed }, asked)).toEqual({
      result: true,
      message: `The code is not in the code system ${animals}`,
    });
  });

  it('is answered in batches', async () => {
    const entry = ['male', 'none'].map((code) => ({
      request: { method: 'GET', url: `${path}?url=${genders.url}&system=${gender}&code=${code}` },
    }));
    const posting = {
      request: { method: 'POST', url: path },
      resource: {
        resourceType: 'Parameters',
        parameter: [{ name: 'url', valueUri: genders.url }, coding('coding', { system: gender, code: 'other' })],
      },
    };
    const body = await okay(
      world.server.post('', { resourceType: 'Bundle', type: 'batch', entry: [...entry, posting] }),
    );

    expect(resourcesIn(body).map((each) => valuesIn(each)['result'])).toEqual([true, false, true]);
  });

  it.each<[string, Input, Record<string, unknown>]>([
    ['no code', { url: genders.url }, { status: 400, expression: 'code' }],
    ['a code without a system', { url: genders.url, code: 'male' }, { status: 400, expression: 'system' }],
    [
      'a code and a coding',
      { ...genders, code: 'male', coding: `${gender}|male` },
      { status: 400, expression: 'coding' },
    ],
    ['a system without a code', { ...genders, coding: `${gender}|male` }, { status: 400, expression: 'system' }],
    [
      'a display without a code',
      { url: genders.url, coding: `${gender}|male`, display: 'x' },
      { status: 400, expression: 'display' },
    ],
    ['no value set', { system: gender, code: 'male' }, { status: 400, expression: 'url' }],
    [
      'a value set that nobody knows',
      { ...genders, url: `${vs}/none`, code: 'male' },
      { status: 404, code: 'not-found', expression: 'url' },
    ],
    ['a date', { ...genders, code: 'male', date: '2020' }, { status: 400, code: 'not-supported', expression: 'date' }],
    [
      'an element',
      { system: gender, code: 'male', context: 'x#Patient.gender' },
      { code: 'not-supported', expression: 'context' },
    ],
    [
      'a parameter of a later release',
      { ...genders, code: 'male', inferSystem: true },
      { status: 400, expression: 'inferSystem' },
    ],
    ['a concept by GET', { url: genders.url, codeableConcept: 'x' }, { status: 400, expression: 'codeableConcept' }],
    [
      'a code of a system of which any code would do',
      { url: `${vs}/all-languages`, system: 'urn:ietf:bcp:47', code: 'de' },
      { code: 'not-supported', expression: 'url' },
    ],
  ])('refuses %s by name', async (_, input, expected) => {
    expect(await refusalOf(world.ask(path, input))).toMatchObject(expected);
  });

  it('refuses a coding that breaks rules, and a concept with too many', async () => {
    const url = { name: 'url', valueUri: genders.url };
    const broken = { system: 5, code: 'male' } as unknown as fhir4.Coding;
    expect(await refusalOf(world.post(path, [url, coding('coding', broken)]))).toMatchObject({
      status: 400,
      expression: 'coding.system',
    });
    const many = Array.from({ length: 21 }, () => ({ system: gender, code: 'x' }));
    expect(await refusalOf(world.post(path, [url, concept(...many)]))).toMatchObject({
      code: 'too-costly',
      expression: 'codeableConcept',
    });
    expect(await posted(url, concept(...many.slice(1)))).toMatchObject({ result: false });
  });

  it("asks the access decision for the organisation's own", async () => {
    expect(await validate({ ...genders, code: 'male' }, narrow)).toMatchObject({ result: true });
    expect(await refusalOf(world.ask(path, { ...ofBirds, code: 'gull' }, narrow))).toMatchObject({ status: 404 });
    expect(await refusalOf(world.ask(path, { ...ofBirds, code: 'gull' }, elsewhere))).toMatchObject({ status: 404 });
  });
});

describe('CodeSystem/$validate-code', () => {
  const path = 'CodeSystem/$validate-code';
  const validate = async (input: Input) => valuesIn(await okay(world.ask(path, input)));

  it('says whether a code is of a code system', async () => {
    expect(await validate({ url: gender, code: 'male' })).toEqual({ result: true, display: 'Male' });
    expect(await validate({ url: gender, code: 'x' })).toEqual({
      result: false,
      message: `The code is not in the code system ${gender}`,
    });
    expect(await validate({ url: gender, code: 'male', version: '4.0.1' })).toMatchObject({ result: true });
  });

  it("checks displays, those of R4's example among them", async () => {
    const url = 'http://hl7.org/fhir/CodeSystem/example';
    expect(await validate({ url, code: 'chol', display: 'schol' })).toEqual({ result: true, display: 'SChol' });
    expect(await validate({ url, code: 'chol', display: 'test' })).toEqual({
      result: false,
      message: 'The display is incorrect',
      display: 'SChol',
    });
    expect(await validate({ url, code: 'chol-mass', display: 'From Paragon Labs' })).toMatchObject({ result: true });
  });

  it('takes codings and concepts, of which one has to be of the code system', async () => {
    const url = { name: 'url', valueUri: animals };
    const gull = { system: animals, code: 'gull' };
    const posted = async (...parameter: fhir4.ParametersParameter[]) =>
      valuesIn(await okay(world.post(path, [url, ...parameter])));
    expect(await posted(coding('coding', gull))).toMatchObject({ result: true });
    expect(await posted(coding('coding', { ...gull, system: gender }))).toEqual({
      result: false,
      message: 'The coding is of another code system',
    });
    expect(await posted(concept({ system: gender, code: 'male' }, gull))).toMatchObject({ result: true });
    expect(await posted(concept({ ...gull, version: '1' }))).toEqual({
      result: false,
      message: 'The coding is of another version of the code system',
    });
    expect(await posted(coding('coding', { ...gull, version: '1' }))).toMatchObject({ result: true });
  });

  it('takes versions, and code systems by id and as they are sent', async () => {
    expect(await validate({ url: animals, code: 'cat' })).toMatchObject({ result: true });
    expect(await validate({ url: animals, version: '1', code: 'cat' })).toMatchObject({ result: false });
    expect(await validate({ url: `${animals}|1`, code: 'cat' })).toMatchObject({ result: false });
    const id = world.idOf('animals');
    expect(valuesIn(await okay(world.ask(`CodeSystem/${id}/$validate-code`, { code: 'cat' })))).toMatchObject({
      result: true,
    });
    expect(await refusalOf(world.ask(`CodeSystem/${id}/$validate-code`, { code: 'cat', version: '1' }))).toMatchObject({
      status: 404,
      expression: 'version',
    });
    const resource: fhir4.CodeSystem = {
      resourceType: 'CodeSystem',
      status: 'draft',
      url: 'http://x.org/cs',
      content: 'complete',
      concept: [{ code: 'A' }],
    };
    const sent = async (code: string) =>
      valuesIn(
        await okay(
          world.post(path, [
            { name: 'codeSystem', resource },
            { name: 'code', valueCode: code },
          ]),
        ),
      );
    expect(await sent('a')).toEqual({ result: true });
    expect(await sent('b')).toMatchObject({ result: false });
  });

  it('tells of abstract codes, or refuses them', async () => {
    expect(await validate({ url: act, code: '_ActEncounterCode' })).toMatchObject({
      result: true,
      message: 'The code groups others: it is abstract',
    });
    expect(await validate({ url: act, code: '_ActEncounterCode', abstract: false })).toMatchObject({ result: false });
  });

  it('knows of a part of a code system what is there', async () => {
    expect(await validate({ url: part, code: 'two' })).toEqual({ result: true });
    expect(await refusalOf(world.ask(path, { url: part, code: 'four' }))).toEqual({
      status: 400,
      code: 'not-supported',
      expression: 'url',
      text: `Of ${part} a part is here, which does not have this code`,
    });
  });

  it.each<[string, Input, Record<string, unknown>]>([
    ['no code system', { code: 'male' }, { status: 400, expression: 'url' }],
    ['one that nobody knows', { url: snomed, code: '1' }, { status: 404, code: 'not-found', expression: 'url' }],
    [
      'a version that nobody knows',
      { url: gender, version: '5.0.0', code: 'male' },
      { status: 404, expression: 'url' },
    ],
    ['no code', { url: gender }, { status: 400, expression: 'code' }],
    ['a date', { url: gender, code: 'male', date: '2020' }, { status: 400, code: 'not-supported', expression: 'date' }],
    [
      'a parameter that R4 does not have',
      { url: gender, code: 'male', system: gender },
      { status: 400, expression: 'system' },
    ],
  ])('refuses %s by name', async (_, input, expected) => {
    expect(await refusalOf(world.ask(path, input))).toMatchObject(expected);
  });
});

describe('CodeSystem/$lookup', () => {
  const path = 'CodeSystem/$lookup';
  const lookUp = (input: Input, as?: TestCaller) => okay(world.ask(path, input, as));

  it("tells name, version and display of R4's own codes, and where they stand", async () => {
    world.server.calls.reset();
    const body = await lookUp({ system: clinical, code: 'recurrence' });

    expect(valuesIn(body)).toEqual({ name: 'ConditionClinicalStatusCodes', version: '4.0.1', display: 'Recurrence' });
    expect(partsIn(body, 'property')).toEqual([
      { code: 'parent', value: 'active', description: 'Active' },
      { code: 'inactive', value: false },
    ]);
    expect(partsIn(await lookUp({ system: clinical, code: 'active', property: 'child' }), 'property')).toEqual([
      { code: 'child', value: 'recurrence', description: 'Recurrence' },
      { code: 'child', value: 'relapse', description: 'Relapse' },
    ]);
    expect(world.server.calls.names).toEqual([]);
  });

  it('tells what a code system of the organisation says of a code', async () => {
    const { text } = await world.server.get(`${path}?system=${animals}&code=gull`);
    const body = await lookUp({ system: animals, code: 'gull' });

    expect(valuesIn(body)).toEqual({ name: 'Animals', version: '2', display: 'Sea gull' });
    expect(partsIn(body, 'designation')).toEqual([
      { language: 'de-DE', value: 'Möwe' },
      { use: useOf('latin'), value: 'Larus' },
    ]);
    expect(partsIn(body, 'property')).toEqual([
      { code: 'definition', value: 'A bird of the coast.' },
      { code: 'parent', value: 'bird', description: 'Bird' },
      { code: 'inactive', value: false },
      { code: 'weight', value: 1.25 },
    ]);
    expect(text).toContain('"valueDecimal":1.25');
  });

  it.each<[string | string[], string[], number]>([
    ['parent', ['parent'], 0],
    [['weight', 'inactive'], ['inactive', 'weight'], 0],
    ['designation', [], 2],
    ['lang.de', [], 1],
    ['lang.fr', [], 0],
    ['definition', ['definition'], 0],
    ['unheard-of', [], 0],
  ])('tells the properties that are asked for alone: %s', async (property, properties, designations) => {
    const body = await lookUp({ system: animals, code: 'gull', property });

    expect(Object.keys(valuesIn(body))).toEqual(['name', 'version', 'display']);
    expect(partsIn(body, 'property').map(({ code }) => code)).toEqual(properties);
    expect(partsIn(body, 'designation')).toHaveLength(designations);
  });

  it("tells what R4's example of a code system says", async () => {
    const body = await lookUp({ system: 'http://hl7.org/fhir/CodeSystem/example', code: 'chol-mmol' });

    expect(valuesIn(body)).toEqual({ name: 'ACMECholCodesBlood', version: '4.0.1', display: 'SChol (mmol/L)' });
    expect(partsIn(body, 'designation')).toEqual([
      {
        use: { system: 'http://acme.com/config/fhir/codesystems/internal', code: 'internal-label' },
        value: 'From ACME POC Testing',
      },
    ]);
  });

  it('tells which codes are out of use or group others', async () => {
    const properties = async (code: string) =>
      partsIn(await lookUp({ system: animals, code, version: '1' }), 'property');
    expect(await properties('dodo')).toEqual([
      { code: 'parent', value: 'bird', description: 'Bird' },
      { code: 'inactive', value: true },
    ]);
    expect(await properties('bird')).toContainEqual({ code: 'notSelectable', value: true });
  });

  it('takes a coding, versions and languages', async () => {
    const posted = async (value: fhir4.Coding) => valuesIn(await okay(world.post(path, [coding('coding', value)])));
    expect(await posted({ system: animals, code: 'bat' })).toMatchObject({ version: '2' });
    expect(await posted({ system: animals, code: 'bat', version: '1' })).toMatchObject({ version: '1' });
    expect(valuesIn(await lookUp({ coding: `${animals}|bat`, version: '1' }))).toMatchObject({ version: '1' });
    expect(valuesIn(await lookUp({ system: animals, code: 'gull', displayLanguage: 'de-DE' }))).toMatchObject({
      display: 'Möwe',
    });
    expect(valuesIn(await lookUp({ system: part, code: 'two' }))).toEqual({ name: part, display: 'two' });
  });

  it.each<[string, Input, Record<string, unknown>]>([
    [
      'a code that there is not',
      { system: gender, code: 'x' },
      { status: 404, code: 'not-found', expression: 'code', text: 'The code system has no such code' },
    ],
    [
      'a code that the part which is here does not have',
      { system: part, code: 'x' },
      { status: 404, expression: 'code', text: 'The part of the code system that is here has no such code' },
    ],
    ['a code system that nobody knows', { system: loinc, code: '1963-8' }, { status: 404, expression: 'system' }],
    [
      'a version that nobody knows',
      { system: gender, version: '1', code: 'male' },
      { status: 404, expression: 'system' },
    ],
    ['no code', { system: gender }, { status: 400, expression: 'code' }],
    ['no system', { code: 'male' }, { status: 400, expression: 'system' }],
    ['a coding without a system', { coding: 'male' }, { status: 400, expression: 'coding' }],
    [
      'a code and a coding',
      { system: gender, code: 'male', coding: `${gender}|male` },
      { status: 400, expression: 'code' },
    ],
    ['a system and a coding', { system: gender, coding: `${gender}|male` }, { status: 400, expression: 'system' }],
    [
      'a date',
      { system: gender, code: 'male', date: '2020' },
      { status: 400, code: 'not-supported', expression: 'date' },
    ],
    [
      'a parameter that R4 does not have',
      { system: gender, code: 'male', useSupplement: 'x' },
      { status: 400, expression: 'useSupplement' },
    ],
  ])('refuses %s by name', async (_, input, expected) => {
    expect(await refusalOf(world.ask(path, input))).toMatchObject(expected);
  });

  it("asks the access decision for the organisation's own", async () => {
    expect(valuesIn(await lookUp({ system: gender, code: 'male' }, narrow))).toMatchObject({ display: 'Male' });
    expect(await refusalOf(world.ask(path, { system: animals, code: 'bat' }, narrow))).toMatchObject({ status: 404 });
    expect(await refusalOf(world.ask(path, { system: animals, code: 'bat' }, elsewhere))).toMatchObject({
      status: 404,
    });
  });
});

describe('CodeSystem/$subsumes', () => {
  const path = 'CodeSystem/$subsumes';
  const outcome = async (input: Input) => valuesIn(await okay(world.ask(path, input)))['outcome'];

  it.each([
    ['active', 'active', 'equivalent'],
    ['active', 'relapse', 'subsumes'],
    ['relapse', 'active', 'subsumed-by'],
    ['relapse', 'recurrence', 'not-subsumed'],
    ['active', 'resolved', 'not-subsumed'],
  ])("compares R4's own codes: %s and %s", async (codeA, codeB, expected) => {
    expect(await outcome({ system: clinical, codeA, codeB })).toBe(expected);
  });

  it('goes all the way up', async () => {
    expect(await outcome({ system: act, codeA: '_ActEncounterCode', codeB: 'ACUTE' })).toBe('subsumes');
    expect(await outcome({ system: act, codeA: 'ACUTE', codeB: '_ActEncounterCode' })).toBe('subsumed-by');
    expect(await outcome({ system: status, codeA: 'amended', codeB: 'corrected' })).toBe('subsumes');
  });

  it('takes codings, versions and the id of a code system', async () => {
    const of = (code: string, version?: string) => ({
      system: animals,
      code,
      ...(version === undefined ? {} : { version }),
    });
    const system = { name: 'system', valueUri: animals };
    const posted = (a: fhir4.Coding, b: fhir4.Coding, ...others: fhir4.ParametersParameter[]) =>
      world.post(path, [system, coding('codingA', a), coding('codingB', b), ...others]);
    expect(valuesIn(await okay(posted(of('gull'), of('bird'))))).toEqual({ outcome: 'subsumed-by' });
    expect(valuesIn(await okay(posted(of('gull', '1'), of('bird', '1'))))).toEqual({ outcome: 'subsumed-by' });
    expect(await refusalOf(posted(of('gull', '1'), of('bird', '2')))).toMatchObject({
      code: 'not-supported',
      expression: 'codingB',
    });
    expect(await refusalOf(posted(of('cat'), of('bird'), { name: 'version', valueString: '1' }))).toMatchObject({
      code: 'code-invalid',
      expression: 'codingA',
    });
    const instance = await okay(
      world.ask(`CodeSystem/${world.idOf('animals')}/$subsumes`, { codeA: 'bird', codeB: 'cat' }),
    );
    expect(valuesIn(instance)).toEqual({ outcome: 'not-subsumed' });
  });

  it('tells of a part of a code system what is certain', async () => {
    expect(await outcome({ system: part, codeA: 'one', codeB: 'two' })).toBe('subsumes');
    expect(await refusalOf(world.ask(path, { system: part, codeA: 'one', codeB: 'three' }))).toEqual({
      status: 400,
      code: 'not-supported',
      expression: 'system',
      text: `Of ${part} a part is here, which does not tell all that is above a code`,
    });
    expect(await refusalOf(world.ask(path, { system: part, codeA: 'one', codeB: 'x' }))).toMatchObject({
      code: 'not-supported',
    });
  });

  it.each<[string, Input, Record<string, unknown>]>([
    [
      'a code that there is not',
      { system: clinical, codeA: 'active', codeB: 'x' },
      { status: 400, code: 'code-invalid', expression: 'codeB' },
    ],
    [
      'a code system that nobody knows',
      { system: snomed, codeA: '235856003', codeB: '3738000' },
      { status: 404, expression: 'system' },
    ],
    ['no system', { codeA: 'active', codeB: 'relapse' }, { status: 400, expression: 'system' }],
    ['one code', { system: clinical, codeB: 'active' }, { status: 400, expression: 'codeA' }],
    [
      'a code and a coding',
      { system: clinical, codeA: 'active', codeB: 'active', codingB: `${clinical}|active` },
      { status: 400, expression: 'codingB' },
    ],
    [
      'codings of another system',
      { system: clinical, codingA: `${gender}|male`, codeB: 'active' },
      { status: 400, code: 'not-supported', expression: 'codingA' },
    ],
    [
      'a coding without a system',
      { system: clinical, codingA: 'active', codeB: 'active' },
      { status: 400, code: 'not-supported', expression: 'codingA' },
    ],
    [
      'a parameter that R4 does not have',
      { system: clinical, codeA: 'active', codeB: 'active', date: '2020' },
      { status: 400, expression: 'date' },
    ],
  ])('refuses %s by name', async (_, input, expected) => {
    expect(await refusalOf(world.ask(path, input))).toMatchObject(expected);
  });

  it("asks the access decision for the organisation's own", async () => {
    const id = world.idOf('animals');
    const input = { codeA: 'bird', codeB: 'gull' };
    expect(await refusalOf(world.ask(`CodeSystem/${id}/$subsumes`, input, narrow))).toMatchObject({ status: 403 });
    expect(await refusalOf(world.ask(`CodeSystem/${id}/$subsumes`, input, elsewhere))).toMatchObject({ status: 404 });
    expect(await refusalOf(world.ask(path, { ...input, system: animals }, elsewhere))).toMatchObject({ status: 404 });
  });
});
