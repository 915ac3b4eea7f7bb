import { beforeAll, describe, expect, it } from 'vitest';
import { entryOf, type StoredAuditRow } from '../../shared/audit/audit-row.ts';
import { heldTerminology } from '../../shared/terminology/held.ts';
import type { TestCaller } from '../support/callers.ts';
import type { TestBody } from '../support/fhir-server.ts';
import { anyCode, naiveExpansion, naiveValueSets } from '../support/naive-terminology.ts';
import { elsewhere } from '../support/records.ts';
import {
  acme,
  animals,
  birds,
  codesIn,
  type Input,
  numbers,
  okay,
  part,
  refusalOf,
  type TerminologyWorld,
  terminologyWorld,
  useOf,
  valueSetOf,
} from '../support/terminology-world.ts';
import { allRows } from '../support/test-store.ts';

// https://hl7.org/fhir/R4/valueset-operation-expand.html

const snomed = 'http://snomed.info/sct';
const loinc = 'http://loinc.org';
const vs = 'http://hl7.org/fhir/ValueSet';
const v3 = 'http://terminology.hl7.org/CodeSystem';

let world: TerminologyWorld;
beforeAll(async () => {
  world = await terminologyWorld();
});

describe('ValueSet/$expand', () => {
  const expand = (input: Input, as?: TestCaller) => world.ask('ValueSet/$expand', input, as);
  const codes = async (input: Input) => codesIn(await okay(expand(input)));

  it("lists the codes of R4's own value sets, with displays and what was used, without a call", async () => {
    world.server.calls.reset();
    const body = await okay(expand({ url: `${vs}/administrative-gender` }));

    expect(body).toMatchObject({
      resourceType: 'ValueSet',
      url: `${vs}/administrative-gender`,
      version: '4.0.1',
      status: 'active',
      expansion: {
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        total: 4,
        parameter: [{ name: 'version', valueUri: 'http://hl7.org/fhir/administrative-gender|4.0.1' }],
        contains: ['male', 'female', 'other', 'unknown'].map((code) => ({
          system: 'http://hl7.org/fhir/administrative-gender',
          code,
          display: `${code[0]?.toUpperCase()}${code.slice(1)}`,
        })),
      },
    });
    expect(body.expansion?.offset).toBeUndefined();
    expect(body.compose).toBeUndefined();
    expect(world.server.calls.names).toEqual([]);
  });

  it('tells the status that R4 gives a value set', async () => {
    expect((await okay(expand({ url: `${vs}/account-status` }))).status).toBe('draft');
  });

  it("expands R4's own examples: what is listed, what cannot be told, what was expanded elsewhere", async () => {
    const extensional = await okay(expand({ url: `${vs}/example-extensional` }));
    expect([...(extensional.expansion?.contains ?? [])]).toEqual([
      { system: loinc, version: '2.36', code: '14647-2', display: 'Cholesterol [Moles/Volume]' },
      { system: loinc, version: '2.36', code: '2093-3', display: 'Cholesterol [Mass/Volume]' },
      { system: loinc, version: '2.36', code: '35200-5', display: 'Cholesterol [Mass Or Moles/Volume]' },
      { system: loinc, version: '2.36', code: '9342-7', display: 'Cholesterol [Percentile]' },
    ]);
    expect(extensional.copyright).toContain('Regenstrief');
    expect(await refusalOf(expand({ url: `${vs}/example-intensional` }))).toEqual({
      status: 400,
      code: 'not-supported',
      expression: 'url',
      text: `The codes of ${loinc}, which it selects from, are not known here`,
    });
    expect(await codes({ url: `${vs}/example-expansion` })).toEqual([
      '14647-2',
      '2093-3',
      '48620-9',
      '9342-7',
      '2096-6',
      '35200-5',
      '48089-7',
      '55838-7',
    ]);
  });

  it("expands the organisation's own, by address, by id and as they are sent, with what they import", async () => {
    const all = ['bird', 'gull', 'dodo'];
    expect(await codes({ url: `${acme}/ValueSet/birds` })).toEqual(all);
    expect(codesIn(await okay(world.server.get(`ValueSet/${world.idOf('birds')}/$expand`)))).toEqual(all);
    expect(
      codesIn(await okay(world.server.post(`ValueSet/${world.idOf('birds')}/$expand`, { resourceType: 'Parameters' }))),
    ).toEqual(all);
    const inline = valueSetOf('sent', {
      include: [{ valueSet: [`${acme}/ValueSet/imports`] }, { system: animals, concept: [{ code: 'bat' }] }],
    });
    expect(codesIn(await okay(world.post('ValueSet/$expand', [{ name: 'valueSet', resource: inline }])))).toEqual([
      'bird',
      'gull',
      'bat',
    ]);
    expect(codesIn(await okay(world.server.post('ValueSet/$expand', inline)))).toEqual(['bird', 'gull', 'bat']);
  });

  it('costs a Query for each definition of the organisation, however often it is named, and the trace', async () => {
    world.server.calls.reset();
    await okay(expand({ url: `${acme}/ValueSet/imports` }));

    // the value set, the one that it imports, their code system; the trace
    expect(world.server.calls.names).toEqual(['Query', 'Query', 'Query', 'PutItem']);
  });

  it('says which codes group others and which are not in use', async () => {
    const { expansion } = await okay(expand({ url: `${acme}/ValueSet/birds` }));

    expect([...(expansion?.contains ?? [])]).toEqual([
      { system: animals, code: 'bird', display: 'Bird', abstract: true },
      { system: animals, code: 'gull', display: 'Sea gull' },
      { system: animals, code: 'dodo', display: 'Dodo', inactive: true },
    ]);
    expect(await codes({ url: `${acme}/ValueSet/birds`, activeOnly: true })).toEqual(['bird', 'gull']);
    expect(await codes({ url: `${acme}/ValueSet/birds`, excludeNotForUI: true })).toEqual(['gull', 'dodo']);
  });

  it('tells of listed codes what their code system says, and first what the value set says', async () => {
    const concept = [{ code: 'dodo' }, { code: 'gull', display: 'Gull' }, { code: 'unknown' }];
    const resource = valueSetOf('listed', { include: [{ system: animals, concept }] });
    const { expansion } = await okay(world.server.post('ValueSet/$expand', resource));

    expect([...(expansion?.contains ?? [])]).toEqual([
      { system: animals, code: 'dodo', display: 'Dodo', inactive: true },
      { system: animals, code: 'gull', display: 'Gull' },
      { system: animals, code: 'unknown' },
    ]);
  });

  it('takes the address of a code system for all of its codes', async () => {
    expect(await codes({ url: animals })).toEqual(['bird', 'gull', 'dodo', 'bat', 'cat']);
    expect(await codes({ url: `${animals}|1` })).toEqual(['bird', 'gull', 'dodo', 'bat']);
  });

  it.each([
    ['acut', []],
    ['MARR', ['M', 'S']],
    ['legally sep', ['L']],
    ['sep legally', ['L']],
    ['ally', []],
    ['unk', ['UNK']],
  ])('filters by the beginnings of words, without case or accents: %s', async (filter, expected) => {
    expect(await codes({ url: `${vs}/marital-status`, filter })).toEqual(expected);
  });

  it('filters by signs, and by names in other languages', async () => {
    expect(await codes({ url: `${vs}/ucum-common`, filter: '%', count: 3 })).toContain('%');
    expect(await codes({ url: `${acme}/ValueSet/birds`, filter: 'mow' })).toEqual(['gull']);
  });

  it('gives pages in one order, each code once', async () => {
    const url = numbers;
    const pages: string[][] = [];
    for (let offset = 0; offset < 1_200; offset += 500) {
      const { expansion } = await okay(expand({ url, offset, count: 500 }));
      expect(expansion).toMatchObject({ total: 1_200, offset });
      pages.push([...(expansion?.contains ?? [])].map(({ code }) => `${code}`));
    }

    expect(pages.map(({ length }) => length)).toEqual([500, 500, 200]);
    expect(pages.flat()).toEqual(Array.from({ length: 1_200 }, (_, n) => `c${n}`));
    const beyond = await okay(expand({ url, offset: 1_200 }));
    expect(beyond.expansion).toMatchObject({ total: 1_200, offset: 1_200 });
    expect(beyond.expansion?.contains).toBeUndefined();
    expect((await okay(expand({ url, count: 0 }))).expansion).toMatchObject({ total: 1_200, offset: 0 });
  });

  it('gives no more than 1,000 codes at a time, and tells how many there are', async () => {
    const url = numbers;
    expect(await refusalOf(expand({ url }))).toEqual({
      status: 400,
      code: 'too-costly',
      expression: 'count',
      text: 'There are 1200 codes: ask for up to 1000 at a time, by count and offset',
    });
    expect(await codes({ url, filter: 'number 119' })).toHaveLength(11);
    const { expansion } = await okay(expand({ url, count: 5_000 }));
    expect([...(expansion?.contains ?? [])]).toHaveLength(1_000);
    expect([...(expansion?.parameter ?? [])]).toContainEqual({ name: 'count', valueInteger: 1_000 });
  });

  it('looks at so many codes and no more, and sends no more than a page holds', async () => {
    const include = Array.from({ length: 84 }, () => ({ system: numbers }));
    const resource = valueSetOf('again-and-again', { include });
    expect(await refusalOf(world.post('ValueSet/$expand', [{ name: 'valueSet', resource }]))).toMatchObject({
      code: 'too-costly',
      expression: 'valueSet',
    });
    const display = 'long '.repeat(1_000);
    const concept = Array.from({ length: 500 }, (_, n) => ({ code: `c${n}`, display: `${display}${n}` }));
    const long = valueSetOf('long', { include: [{ system: acme, concept }] });
    const asked = [
      { name: 'valueSet', resource: long },
      { name: 'includeDefinition', valueBoolean: true },
    ];
    expect(await refusalOf(world.post('ValueSet/$expand', asked))).toMatchObject({
      code: 'too-costly',
      expression: 'count',
      text: 'This would weigh too much: ask for fewer at a time, by count',
    });
    expect(codesIn(await okay(world.post('ValueSet/$expand', asked.slice(0, 1))))).toHaveLength(500);
  });

  it('shows other names on demand, and names in a language where there are some', async () => {
    const gull = async (input: Input) =>
      (await okay(expand({ url: `${acme}/ValueSet/birds`, filter: 'gull', ...input }))).expansion?.contains?.[0];
    const [german, latin] = [
      { language: 'de-DE', value: 'Möwe' },
      { use: useOf('latin'), value: 'Larus' },
    ];

    expect((await gull({}))?.designation).toBeUndefined();
    expect((await gull({ includeDesignations: true }))?.designation).toEqual([german, latin]);
    expect((await gull({ designation: 'de' }))?.designation).toEqual([german]);
    expect((await gull({ designation: `${acme}/use|latin` }))?.designation).toEqual([latin]);
    expect((await gull({ designation: 'urn:ietf:bcp:47|fr' }))?.designation).toBeUndefined();
    expect((await gull({ displayLanguage: 'de' }))?.display).toBe('Möwe');
    expect((await gull({ displayLanguage: 'fr' }))?.display).toBe('Sea gull');
  });

  it('repeats the input that decided, and the definition on demand', async () => {
    const input = {
      filter: 'b',
      includeDesignations: true,
      activeOnly: true,
      excludeNotForUI: false,
      excludePostCoordinated: true,
      includeDefinition: true,
      excludeNested: false,
      displayLanguage: 'de',
      count: 10,
    };
    const { compose, expansion } = await okay(expand({ url: `${acme}/ValueSet/birds`, ...input }));

    expect(compose).toEqual({ include: [birds] });
    expect([...(expansion?.parameter ?? [])]).toEqual([
      { name: 'filter', valueString: 'b' },
      { name: 'includeDesignations', valueBoolean: true },
      { name: 'activeOnly', valueBoolean: true },
      { name: 'excludeNotForUI', valueBoolean: false },
      { name: 'excludePostCoordinated', valueBoolean: true },
      { name: 'excludeNested', valueBoolean: true },
      { name: 'displayLanguage', valueCode: 'de' },
      { name: 'offset', valueInteger: 0 },
      { name: 'count', valueInteger: 10 },
      { name: 'version', valueUri: `${animals}|2` },
    ]);
  });

  it('takes versions of code systems as it is told to', async () => {
    const [all, ofOne] = [`${acme}/ValueSet/birds`, `${acme}/ValueSet/of-one`];
    const versions = async (input: Input) =>
      [...((await okay(expand(input))).expansion?.parameter ?? [])].filter(({ name }) => `${name}` === 'version');

    expect(await versions({ url: all, 'system-version': `${animals}|1` })).toEqual([
      { name: 'version', valueUri: `${animals}|1` },
    ]);
    expect(await codes({ url: ofOne })).not.toContain('cat');
    expect(await codes({ url: ofOne, 'system-version': `${animals}|2` })).not.toContain('cat');
    expect(await codes({ url: ofOne, 'force-system-version': `${animals}|2` })).toContain('cat');
    expect(await versions({ url: ofOne, 'force-system-version': `${animals}|2` })).toEqual([
      { name: 'version', valueUri: `${animals}|2` },
    ]);
    expect(await versions({ url: all, 'check-system-version': `${animals}|1` })).toEqual([
      { name: 'version', valueUri: `${animals}|1` },
    ]);
    expect(await refusalOf(expand({ url: ofOne, 'check-system-version': `${animals}|2` }))).toEqual({
      status: 400,
      code: 'invalid',
      expression: 'check-system-version',
      text: `The value set ${ofOne} takes ${animals}|1`,
    });
    expect(await refusalOf(expand({ url: all, 'system-version': `${animals}|3` }))).toMatchObject({
      code: 'not-supported',
      text: `The codes of ${animals}|3, which it selects from, are not known here`,
    });
    expect(await refusalOf(expand({ url: all, 'system-version': animals }))).toMatchObject({
      expression: 'system-version',
    });
    expect(await refusalOf(expand({ url: all, 'system-version': [`${animals}|1`, `${animals}|2`] }))).toMatchObject({
      expression: 'system-version',
      text: 'A code system is named with two versions',
    });
  });

  it('leaves out code systems, or versions of them', async () => {
    const url = `${vs}/marital-status`;
    const kept = await codes({ url, 'exclude-system': `${v3}/v3-MaritalStatus` });

    expect(kept).toEqual(['UNK']);
    expect(await codes({ url, 'exclude-system': `${v3}/v3-NullFlavor|2018-08-12` })).not.toContain('UNK');
    expect(await codes({ url, 'exclude-system': `${v3}/v3-NullFlavor|1` })).toContain('UNK');
  });

  it('takes the version of a value set that is named', async () => {
    expect(await codes({ url: `${acme}/ValueSet/of-one`, valueSetVersion: '7' })).toContain('bat');
    for (const valueSetVersion of ['8', '4.0.1'])
      expect(await refusalOf(expand({ url: `${acme}/ValueSet/of-one`, valueSetVersion }))).toMatchObject({
        status: 404,
        expression: 'url',
      });
    expect(await refusalOf(expand({ url: `${acme}/ValueSet/of-one|7`, valueSetVersion: '8' }))).toMatchObject({
      expression: 'valueSetVersion',
    });
    expect(
      await refusalOf(world.ask(`ValueSet/${world.idOf('of-one')}/$expand`, { valueSetVersion: '8' })),
    ).toMatchObject({
      status: 404,
      expression: 'valueSetVersion',
    });
  });

  it.each([
    [
      'all codes of a system that is not here',
      `${vs}/dataelement-sdcobjectclass`,
      `All codes of ${snomed} are in it, which are not known here`,
    ],
    [
      'a filter on such a system',
      `${vs}/condition-code`,
      `The codes of ${snomed}, which it selects from, are not known here`,
    ],
    [
      'a system that has too many codes to list',
      `${vs}/ucum-units`,
      'All codes of http://unitsofmeasure.org are in it, which are not known here',
    ],
    ['a system that is here in part', part, `All codes of ${part} are in it, which are not known here`],
  ])('refuses %s, with its name', async (_, url, text) => {
    expect(await refusalOf(expand({ url }))).toEqual({ status: 400, code: 'not-supported', expression: 'url', text });
  });

  it.each<[string, Input, Record<string, unknown>]>([
    ['no value set', {}, { status: 400, code: 'invalid', expression: 'url' }],
    ['one that nobody knows', { url: `${vs}/none` }, { status: 404, code: 'not-found', expression: 'url' }],
    ['a date', { url: animals, date: '2020-01-01' }, { status: 400, code: 'not-supported', expression: 'date' }],
    [
      'an element',
      { context: 'http://x.org#Patient.gender' },
      { status: 400, code: 'not-supported', expression: 'context' },
    ],
    [
      'a direction',
      { url: animals, contextDirection: 'incoming' },
      { code: 'not-supported', expression: 'contextDirection' },
    ],
    ['a parameter that R4 does not have', { url: animals, property: 'x' }, { status: 400, expression: 'property' }],
    ['a negative count', { url: animals, count: -1 }, { status: 400, expression: 'count' }],
    ['a negative offset', { url: animals, offset: -1 }, { status: 400, expression: 'offset' }],
    ['a number that is none', { url: animals, count: 'many' }, { status: 400, expression: 'count' }],
  ])('refuses %s by name', async (_, input, expected) => {
    expect(await refusalOf(expand(input))).toMatchObject(expected);
  });

  it('takes as many values of a parameter as a query may have', async () => {
    const of = (length: number) => [
      { name: 'url', valueUri: animals },
      ...Array.from({ length }, () => ({ name: 'exclude-system', valueCanonical: numbers })),
    ];
    expect((await okay(world.post('ValueSet/$expand', of(200)))).expansion?.total).toBe(5);
    expect(await refusalOf(world.post('ValueSet/$expand', of(201)))).toMatchObject({
      code: 'too-costly',
      expression: 'exclude-system',
    });
  });

  it('refuses two value sets, and one that breaks rules', async () => {
    const resource = valueSetOf('sent', { include: [birds] });
    expect(
      await refusalOf(
        world.post('ValueSet/$expand', [
          { name: 'valueSet', resource },
          { name: 'url', valueUri: animals },
        ]),
      ),
    ).toMatchObject({ status: 400, expression: 'valueSet' });
    expect(
      await refusalOf(world.post(`ValueSet/${world.idOf('birds')}/$expand`, [{ name: 'url', valueUri: animals }])),
    ).toMatchObject({ status: 400, expression: 'url' });
    const broken = { ...resource, compose: { include: [] } } as unknown as fhir4.ValueSet;
    expect(await refusalOf(world.post('ValueSet/$expand', [{ name: 'valueSet', resource: broken }]))).toMatchObject({
      status: 400,
      expression: 'ValueSet.compose.include',
    });
    const patient: fhir4.Patient = { resourceType: 'Patient' };
    expect(await refusalOf(world.post('ValueSet/$expand', [{ name: 'valueSet', resource: patient }]))).toMatchObject({
      status: 400,
      expression: 'resourceType',
    });
  });

  it("asks the access decision for the organisation's own, and no right for R4's", async () => {
    const narrow: TestCaller = { role: 'physician', scope: 'user/Patient.rs' };
    const path = `ValueSet/${world.idOf('theirs')}/$expand`;

    expect(codesIn(await okay(expand({ url: `${vs}/administrative-gender` }, narrow)))).toHaveLength(4);
    expect(await refusalOf(expand({ url: `${acme}/ValueSet/birds` }, narrow))).toMatchObject({ status: 404 });
    expect(await refusalOf(world.ask(path, {}, narrow))).toMatchObject({ status: 403 });
    expect(await refusalOf(world.ask(path, {}))).toMatchObject({ status: 404 });
    expect(await refusalOf(expand({ url: `${acme}/ValueSet/theirs` }))).toMatchObject({ status: 404 });
    // they may see their own value set, and not the code system that it is made of
    expect(await refusalOf(world.ask(path, {}, elsewhere))).toMatchObject({
      status: 400,
      code: 'not-supported',
      expression: 'id',
    });
    expect((await world.server.get(`ValueSet/$expand?url=${vs}/administrative-gender`, { token: '' })).status).toBe(
      401,
    );
  });

  it('leaves a trace of the records that it took something from, whether it answers or not', async () => {
    const traceOf = async (work: () => Promise<unknown>): Promise<readonly (readonly string[])[]> => {
      const before = new Set(await operations());
      await work();
      return (await operations()).filter((each) => !before.has(each)).map((each) => each.split(' '));
    };
    const named = (...names: readonly string[]) =>
      names.map((name) => `${name.split('/')[0]}/${world.idOf(name.split('/')[1] ?? '')}`).sort();

    expect(await traceOf(() => okay(expand({ url: `${acme}/ValueSet/imports` })))).toEqual([
      [expect.any(String), 'ValueSet/$expand', ...named('ValueSet/imports', 'ValueSet/birds', 'CodeSystem/animals')],
    ]);
    expect(await traceOf(() => refusalOf(expand({ url: `${vs}/example-intensional` })))).toEqual([
      [expect.any(String), 'ValueSet/$expand', ...named('ValueSet/example-intensional')],
    ]);
    const path = `ValueSet/${world.idOf('of-one')}/$expand`;
    expect((await traceOf(() => okay(world.ask(path, {})))).map((each) => each.slice(1)).sort()).toEqual([
      [path, expect.stringMatching(/^CodeSystem\//)],
      [path, ...named('ValueSet/of-one')],
    ]);
    expect(await traceOf(() => okay(expand({ url: `${vs}/administrative-gender` })))).toEqual([]);
  });

  it("of R4's own, page by page, is what the definitions say, and a filter selects from it", async () => {
    const sampled = await sample();
    let compared = 0;
    for (const url of sampled) {
      const expected = naiveExpansion(url) ?? new Set();
      const all: string[] = [];
      for (let total = 1; all.length < total; ) {
        const { expansion } = await okay(expand({ url, offset: all.length, count: 40 }));
        total = Number(expansion?.total);
        all.push(...namesIn(expansion));
      }
      compared += all.length;
      expect(all.toSorted(), url).toEqual([...expected].sort());
      const filtered = namesIn((await okay(expand({ url, filter: 'a', count: 1_000 }))).expansion);
      expect(filtered, url).toEqual(all.filter((each) => filtered.includes(each)));
    }
    expect(compared).toBeGreaterThan(300);
  });
});

/** Request, path and records of each operation in the log. */
const operations = async (): Promise<string[]> => {
  const rows = await allRows(world.server.store);
  const entries = rows
    .filter(({ pk }) => pk.startsWith('A#'))
    .map((row) => entryOf(row as unknown as StoredAuditRow, world.server.store.ids));
  return entries.flatMap(({ interaction, request, query, what }) =>
    interaction === 'operation' ? [[request, query, ...what].join(' ')] : [],
  );
};

/** One in forty of R4's own value sets that can be expanded. */
const sample = async (): Promise<string[]> => {
  const held = await heldTerminology();
  const known = [...naiveValueSets.keys()].filter((url) => held.valueSet(url) !== undefined);
  const told = known.filter((url) => ![...(naiveExpansion(url) ?? [anyCode])].some((each) => each.endsWith(anyCode)));
  return told.filter((_, index) => index % 40 === 0);
};

const namesIn = (expansion: TestBody | undefined): string[] =>
  [...(expansion?.contains ?? [])].map(({ system, code }) => `${system}|${code}`);
