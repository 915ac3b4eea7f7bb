import { beforeAll, describe, expect, it } from 'vitest';
import type { Asking } from '../../shared/access/question.ts';
import { parseScopes } from '../../shared/access/scopes.ts';
import { loadTerminology } from '../../shared/interactions/terms/search-terms.ts';
import type { TerminologyFacts } from '../../shared/search/facts.ts';
import type { NeededTerminology } from '../../shared/search/joins.ts';
import { base, type FhirServer, fhirServer } from '../support/fhir-server.ts';
import { create, elsewhere, system } from '../support/records.ts';

const acme = 'http://acme.org/fhir';
const codes = `${acme}/CodeSystem/animals`;

let server: FhirServer;
let byId: string;

const codeSystem = (over: Partial<fhir4.CodeSystem> = {}): fhir4.CodeSystem => ({
  resourceType: 'CodeSystem',
  status: 'active',
  url: codes,
  content: 'complete',
  caseSensitive: true,
  concept: [{ code: 'bird', concept: [{ code: 'gull' }] }, { code: 'bat' }],
  ...over,
});
const valueSet = (
  name: string,
  compose: fhir4.ValueSetCompose,
  over: Partial<fhir4.ValueSet> = {},
): fhir4.ValueSet => ({
  resourceType: 'ValueSet',
  status: 'active',
  url: `${acme}/ValueSet/${name}`,
  compose,
  ...over,
});
const listed = (...list: string[]): fhir4.ValueSetCompose => ({
  include: [{ system: codes, concept: list.map((code) => ({ code })) }],
});

beforeAll(async () => {
  server = await fhirServer();
  const store = (resource: fhir4.FhirResource) => create(server, resource, system);
  await store(codeSystem());
  await store(codeSystem({ url: `${acme}/CodeSystem/part`, content: 'fragment' }));
  const birds = { include: [{ system: codes, filter: [{ property: 'concept', op: 'is-a' as const, value: 'bird' }] }] };
  ({ id: byId } = await store(valueSet('birds', birds)));
  await store(valueSet('all', { include: [{ valueSet: [`${acme}/ValueSet/birds`] }, ...listed('bat').include] }));
  await store(valueSet('versions', listed('nine'), { version: '1.9.0' }));
  await store(valueSet('versions', listed('ten'), { version: '1.10.0' }));
  await store(valueSet('versions', listed('draft'), { version: '2.0.0', status: 'draft' }));
  await store(valueSet('circle', { include: [{ valueSet: [`${acme}/ValueSet/circle`] }] }));
  const birdsOf = (url: string) => ({
    include: [{ system: url, filter: [{ property: 'concept', op: 'is-a' as const, value: 'bird' }] }],
  });
  await store(valueSet('unknown', birdsOf(`${acme}/CodeSystem/none`)));
  for (let n = 0; n < 101; n++)
    await store(valueSet(`chain-${n}`, { include: [{ valueSet: [`${acme}/ValueSet/chain-${n + 1}`] }] }));
  const { id: deleted } = await store(valueSet('deleted', listed('bat')));
  expect((await server.delete(`ValueSet/${deleted}`, { as: system })).status).toBe(204);
  await create(server, valueSet('theirs', listed('bat')), { ...system, organization: 'lakeside' });
});

const asking = (scopes = 'user/*.cruds', organization: string | undefined = 'northside'): Asking => ({
  caller: {
    subject: 's',
    name: 'n',
    client: 'c',
    organization,
    roles: [organization === undefined ? 'patient' : 'physician'],
    scopes: parseScopes(scopes),
    fhirUser: 'Practitioner/1',
    patient: undefined,
  },
  chart: undefined,
});

const load = (needed: Partial<NeededTerminology>, as: Asking = asking()): Promise<TerminologyFacts | undefined> =>
  loadTerminology(
    { store: server.store, known: new Map(), asking: as, request: { baseUrl: base } },
    { valueSets: [], codes: [], ...needed },
  );

/** Which of some codes are in a value set. */
const membersIn = async (url: string, as?: Asking): Promise<string[]> => {
  const facts = await load({ valueSets: [{ url, parameter: 'code:in' }] }, as);
  const members = facts?.members(url);
  return ['bird', 'gull', 'bat', 'nine', 'ten', 'draft'].filter((code) => members?.has(codes, code));
};
const unknown = {
  kind: 'invalid',
  reason: 'not-supported',
  details: [{ expression: 'code:in', message: 'This value set is not known here', code: 'not-supported' }],
};

describe('the terminology that a search needs', () => {
  it('is nothing, and is not looked for, where it asks nothing', async () => {
    server.calls.reset();

    expect(await load({})).toBeUndefined();
    expect(server.calls.names).toEqual([]);
  });

  it("needs no call and no right for R4's own", async () => {
    server.calls.reset();
    const url = 'http://hl7.org/fhir/ValueSet/condition-clinical';
    const clinical = 'http://terminology.hl7.org/CodeSystem/condition-clinical';

    const facts = await load(
      { valueSets: [{ url, parameter: 'a' }], codes: [{ system: clinical, code: 'active', parameter: 'b' }] },
      asking('user/Condition.rs'),
    );

    expect(facts?.members(url)?.has(clinical, 'relapse')).toBe(true);
    expect(facts?.ancestors(clinical, 'relapse').has('active')).toBe(true);
    expect(facts?.ancestors(undefined, 'relapse').has('active')).toBe(true);
    expect(facts?.ancestors('http://acme.org/other', 'relapse').has('active')).toBe(false);
    expect(facts?.systemsOf('DiagnosticReport', 'status', 'amended')).toEqual([
      'http://hl7.org/fhir/diagnostic-report-status',
    ]);
    expect(facts?.systemsOf('DiagnosticReport', 'status', 'nonsense')).toEqual([]);
    expect(facts?.systemsOf('Condition', 'code', 'active')).toEqual([]);
    expect(server.calls.names).toEqual([]);
  });

  it("is the organisation's, with what it is made of, by address and by id", async () => {
    expect(await membersIn(`${acme}/ValueSet/birds`)).toEqual(['bird', 'gull']);
    expect(await membersIn(`${acme}/ValueSet/all`)).toEqual(['bird', 'gull', 'bat']);
    expect(await membersIn(`ValueSet/${byId}`)).toEqual(['bird', 'gull']);
    expect(await membersIn(`${base}/ValueSet/${byId}`)).toEqual(['bird', 'gull']);
  });

  it('costs a Query for each value set and code system', async () => {
    server.calls.reset();
    await membersIn(`${acme}/ValueSet/all`);

    // value set, imported value set, its code system
    expect(server.calls.names).toEqual(['Query', 'Query', 'Query']);
  });

  it('is of the version that is named, else of the highest in force', async () => {
    expect(await membersIn(`${acme}/ValueSet/versions|1.9.0`)).toEqual(['nine']);
    expect(await membersIn(`${acme}/ValueSet/versions|2.0.0`)).toEqual(['draft']);
    expect(await membersIn(`${acme}/ValueSet/versions`)).toEqual(['ten']);
    await expect(membersIn(`${acme}/ValueSet/versions|3`)).rejects.toMatchObject(unknown);
  });

  it('has hierarchies of its own code systems', async () => {
    const facts = await load({ codes: [{ system: codes, code: 'bird', parameter: 'code:below' }] });

    expect(facts?.ancestors(codes, 'gull').has('bird')).toBe(true);
    expect(facts?.ancestors(codes, 'bat').has('bird')).toBe(false);
  });

  it.each([
    ['never stored', `${acme}/ValueSet/none`],
    ['of another organisation', `${acme}/ValueSet/theirs`],
    ['deleted', `${acme}/ValueSet/deleted`],
    ['of an id that nobody uses', 'ValueSet/none'],
    ['of another type', 'CodeSystem/none'],
    ['an address of which only the case differs', `${acme}/valueset/birds`],
  ])('is refused where a value set is %s', async (_, url) => {
    await expect(membersIn(url)).rejects.toMatchObject(unknown);
  });

  it('is refused where an earlier version of a record is named', async () => {
    await expect(membersIn(`ValueSet/${byId}/_history/1`)).rejects.toMatchObject(unknown);
  });

  it('is refused, as if it did not exist, to whoever may not search value sets', async () => {
    await expect(membersIn(`${acme}/ValueSet/birds`, asking('user/Condition.rs'))).rejects.toMatchObject(unknown);
    await expect(membersIn(`ValueSet/${byId}`, asking('user/Condition.rs'))).rejects.toMatchObject(unknown);
    const they = asking('user/*.cruds', elsewhere.organization);
    await expect(membersIn(`ValueSet/${byId}`, they)).rejects.toMatchObject(unknown);
    expect(await membersIn(`${acme}/ValueSet/theirs`, they)).toEqual(['bat']);
  });

  it('is refused where it cannot be evaluated, with what is missing', async () => {
    const refusal = (message: string) => ({ reason: 'not-supported', details: [{ expression: 'code:in', message }] });

    await expect(membersIn(`${acme}/ValueSet/unknown`)).rejects.toMatchObject(
      refusal(`The codes of ${acme}/CodeSystem/none, which it selects from, are not known here`),
    );
    await expect(membersIn(`${acme}/ValueSet/circle`)).rejects.toMatchObject(
      refusal(`The value set ${acme}/ValueSet/circle is made of itself`),
    );
  });

  it.each([
    ['is not here', 'http://snomed.info/sct'],
    ['is here in part', `${acme}/CodeSystem/part`],
  ])('is refused where the hierarchy is of a code system that %s', async (_, url) => {
    await expect(load({ codes: [{ system: url, code: 'bird', parameter: 'code:below' }] })).rejects.toMatchObject({
      reason: 'not-supported',
      details: [{ expression: 'code:below' }],
    });
  });

  it('is refused where a code without a system is of none that FHIR defines', async () => {
    await expect(
      load({ codes: [{ system: undefined, code: '73211009', parameter: 'code:below' }] }),
    ).rejects.toMatchObject({
      reason: 'not-supported',
      details: [{ expression: 'code:below', message: 'No code system of FHIR has this code: write system|code' }],
    });
    expect(await load({ codes: [{ system: undefined, code: 'order', parameter: 'intent:below' }] })).toBeDefined();
  });

  it('is refused where too many value sets are made of one another', async () => {
    await expect(membersIn(`${acme}/ValueSet/chain-0`)).rejects.toMatchObject({
      kind: 'too-costly',
      details: [{ expression: 'code:in' }],
    });
  });

  it("lets an organisation's code system tell what R4's own value set selects", async () => {
    const url = 'http://hl7.org/fhir/ValueSet/condition-code';
    const snomed = 'http://snomed.info/sct';
    const lakeside = { ...system, organization: 'lakeside' };
    await create(
      server,
      codeSystem({ url: snomed, concept: [{ code: '404684003', concept: [{ code: '73211009' }] }] }),
      lakeside,
    );

    const facts = await load({ valueSets: [{ url, parameter: 'code:in' }] }, asking('user/*.rs', 'lakeside'));

    expect(facts?.members(url)?.has(snomed, '73211009')).toBe(true);
    expect(facts?.members(url)?.has(snomed, '1')).toBe(false);
    await expect(load({ valueSets: [{ url, parameter: 'code:in' }] })).rejects.toMatchObject({
      reason: 'not-supported',
    });
  });
});
