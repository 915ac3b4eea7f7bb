import { describe, expect, it } from 'vitest';
import { structureDefinitions } from '../../infra/generate/fhirpath/definitions.ts';
import type { Resource } from '../../shared/fhir/resource.ts';
import { hierarchies } from '../../shared/search/hierarchies.ts';
import {
  chainedFrom,
  containedMatches,
  criteriaOf,
  includedFrom,
  listedIn,
  lookupsOf,
  referencesOf,
  referringTo,
  revincluding,
  terminologyOf,
} from '../../shared/search/joins.ts';
import { matches } from '../../shared/search/matches.ts';
import { meaningAll } from '../../shared/search/same-patient.ts';
import type { Chain } from '../../shared/search/search-query.ts';
import { baseUrl, parse } from '../support/search-cases.ts';
import { searchParameters } from '../support/search-parameters.ts';

const parametersOf = (type: string) => searchParameters[type] ?? [];
const parameter = (type: string, code: string) => {
  const found = parametersOf(type).find((each) => each.code === code);
  if (!found) throw new Error(`${type} has no ${code}`);
  return found;
};
const observation: Resource = {
  resourceType: 'Observation',
  contained: [{ resourceType: 'Practitioner', id: 'p' }],
  subject: { reference: 'Patient/1' },
  encounter: { reference: `${baseUrl}/Encounter/2/_history/3` },
  performer: [
    { reference: '#p' },
    { reference: 'Practitioner/3' },
    { reference: 'Practitioner/3' },
    { display: 'somebody' },
  ],
  derivedFrom: [{ reference: 'https://other.org/fhir/Observation/4' }],
};

describe('what must be looked up', () => {
  it('comes in an order in which each needs only those before it', () => {
    const { conditions } = parse(
      'Observation',
      'subject:Patient.general-practitioner:Practitioner.name=joe&_list=42&code=x&_filter=not (subject.name co x) or encounter.location.name eq y',
    );
    const lookups = lookupsOf(conditions);
    const names = lookups.map((lookup) =>
      'kind' in lookup ? `${lookup.kind} ${'parameter' in lookup ? lookup.parameter.code : ''}` : lookup.type,
    );

    expect(names).toEqual([
      'chain general-practitioner',
      'chain subject',
      'list ',
      'chain subject',
      'chain location',
      'chain encounter',
    ]);
  });

  it('is found behind _has and in hierarchies', () => {
    const { conditions } = parse('Location', '_has:Encounter:location:patient:Patient.name=x&partof:below=Location/1');

    expect(lookupsOf(conditions).map((lookup) => ('kind' in lookup ? lookup.kind : lookup.type))).toEqual([
      'chain',
      'has',
      'hierarchy',
    ]);
  });

  it('is nothing for a plain search', () => {
    const { conditions } = parse('Observation', 'code=x&date=2024&_text=bone&_filter=code eq y');

    expect(lookupsOf(conditions)).toEqual([]);
    expect(criteriaOf(conditions).map((each) => each.parameter.code)).toEqual(['code', 'date']);
  });

  it('of terminology is each value set and code once, those behind a chain too', () => {
    const { conditions } = parse(
      'Condition',
      'code:in=http://acme.org/vs&code:not-in=http://acme.org/vs,ValueSet/2&code:below=http://snomed.info/sct|1,2,http://snomed.info/sct|&_has:Observation:focus:code:above=http://loinc.org|3',
    );

    expect(terminologyOf(conditions)).toEqual({
      valueSets: [
        { url: 'http://acme.org/vs', parameter: 'code:not-in' },
        { url: 'ValueSet/2', parameter: 'code:not-in' },
      ],
      codes: [
        { system: 'http://snomed.info/sct', code: '1', parameter: 'code:below' },
        { system: undefined, code: '2', parameter: 'code:below' },
        { system: 'http://loinc.org', code: '3', parameter: '_has:Observation:focus:code:above' },
      ],
    });
    expect(terminologyOf(parse('DocumentReference', 'contenttype:below=text/xml').conditions)).toEqual({
      valueSets: [],
      codes: [],
    });
  });

  it('and was not is a refusal, not a wrong answer', () => {
    const { conditions } = parse('Observation', 'subject:Patient.name=peter');
    const facts = { id: '1', lastUpdated: 0, baseUrl };

    expect(() => matches(conditions, observation, facts)).toThrow('This parameter is not supported here');
    expect(() =>
      matches(
        parse('Patient', 'gender:in=http://acme.org/vs').conditions,
        { resourceType: 'Patient', gender: 'male' },
        facts,
      ),
    ).toThrow('This value set is not known here');
  });
});

describe('the records that a record leads to', () => {
  it('are those of one parameter, each once, without what is elsewhere', () => {
    expect(referencesOf(parameter('Observation', 'performer'), observation, baseUrl)).toEqual(['Practitioner/3']);
    expect(referencesOf(parameter('Observation', 'encounter'), observation, baseUrl)).toEqual(['Encounter/2']);
    expect(referencesOf(parameter('Observation', 'derived-from'), observation, baseUrl)).toEqual([]);
  });

  it('by a chain are those of its types, and canonicals', () => {
    const chain = (type: string, query: string) => parse(type, query).conditions[0] as Chain;
    const answers: Resource = { resourceType: 'QuestionnaireResponse', questionnaire: 'http://acme.org/q|1' };

    expect(chainedFrom(chain('Observation', 'subject.name=x'), observation, baseUrl)).toEqual(['Patient/1']);
    expect(chainedFrom(chain('Observation', 'subject:Group._id=x'), observation, baseUrl)).toEqual([]);
    expect(chainedFrom(chain('Observation', 'performer:Practitioner.name=x'), observation, baseUrl)).toEqual([
      'Practitioner/3',
      'Practitioner/3',
    ]);
    expect(chainedFrom(chain('QuestionnaireResponse', 'questionnaire.title=x'), answers, baseUrl)).toEqual([
      'http://acme.org/q|1',
    ]);
  });

  it('are found by what refers to them', () => {
    const criterion = referringTo(parameter('Observation', 'subject'), ['Patient/9', 'Patient/1']);
    const facts = { id: 'o', lastUpdated: 0, baseUrl };

    expect(matches([criterion], observation, facts)).toBe(true);
    expect(matches([referringTo(parameter('Observation', 'subject'), ['Group/1'])], observation, facts)).toBe(false);
  });

  it('by a list are those that were not taken off', () => {
    const list: Resource = {
      resourceType: 'List',
      entry: [
        { item: { reference: 'Patient/1' } },
        { item: { reference: 'Patient/2' }, deleted: true },
        { item: { reference: '#x' } },
      ],
    };

    expect(listedIn(list, baseUrl)).toEqual(['Patient/1']);
    expect(listedIn({ resourceType: 'List' }, baseUrl)).toEqual([]);
  });
});

describe('what is contained in a record', () => {
  it('is found by its own parameters, and leads to what is contained beside it', () => {
    const container: Resource = {
      resourceType: 'MedicationRequest',
      contained: [
        { resourceType: 'Medication', id: 'm', manufacturer: { reference: '#o' }, status: 'active' },
        { resourceType: 'Medication', id: 'n', status: 'active' },
        { resourceType: 'Organization', id: 'o', name: 'Mixers' },
      ],
    };
    const facts = { id: 'r', lastUpdated: 0, baseUrl, lookups: new Map() };
    const found = (query: string) =>
      containedMatches(parse('Medication', query).conditions, 'Medication', container, facts).map(({ id }) => id);

    expect(found('status=active')).toEqual(['m', 'n']);
    expect(found('status=active&_id=n')).toEqual(['n']);
    expect(found('manufacturer.name=mixers')).toEqual(['m']);
    expect(found('_lastUpdated=gt1900')).toEqual([]);
    expect(containedMatches([], 'Medication', observation, facts)).toEqual([]);
  });
});

describe('linked patients', () => {
  const facts = { id: 'o', lastUpdated: 0, baseUrl };
  const meaning = (query: string) => meaningAll(parse('Observation', query).conditions, ['1', '7']);

  it.each([
    'patient=7',
    'subject:Patient=7',
    '_filter=subject re Patient/7',
    '_filter=not (not (subject re Patient/7 or code eq x))',
  ])('are one where %s names either of them', (query) => {
    expect(matches(parse('Observation', query).conditions, observation, facts)).toBe(false);
    expect(matches(meaning(query), observation, facts)).toBe(true);
  });

  it.each(['patient=8', 'subject=Group/7', '_filter=not (subject re Patient/7)'])(
    'stay what they are where %s means another',
    (query) => {
      expect(matches(meaning(query), observation, facts)).toBe(false);
    },
  );

  it('leave lookups the objects that they are', () => {
    const { conditions } = parse('Observation', 'encounter.patient=7&_filter=not (encounter.patient re Patient/7)');

    expect(lookupsOf(meaningAll(conditions, ['1', '7']))).toEqual(lookupsOf(conditions));
    for (const [index, lookup] of lookupsOf(meaningAll(conditions, ['1', '7'])).entries())
      expect(lookup).toBe(lookupsOf(conditions)[index]);
  });
});

describe('an include', () => {
  const includes = (query: string) => parse('Observation', query).includes;
  const included = (query: string): string[] =>
    includes(query).flatMap((each) => includedFrom(each, observation, parametersOf('Observation'), baseUrl));

  it.each([
    ['_include=Observation:subject', ['Patient/1']],
    ['_include=Observation:subject:Patient', ['Patient/1']],
    ['_include=Observation:subject:Group', []],
    ['_include=Observation:performer', ['Practitioner/3']],
    ['_include=Observation:derived-from', ['https://other.org/fhir/Observation/4']],
    [
      '_include=Observation:*',
      ['https://other.org/fhir/Observation/4', 'Encounter/2/_history/3', 'Patient/1', 'Practitioner/3'],
    ],
    ['_include=*', ['https://other.org/fhir/Observation/4', 'Encounter/2/_history/3', 'Patient/1', 'Practitioner/3']],
    ['_include:iterate=Encounter:location', []],
    ['_revinclude=Provenance:target', []],
  ])('%s adds %j', (query, expected) => {
    expect(included(query)).toEqual(expected);
  });

  it.each([
    ['Provenance', '_revinclude=Provenance:target', ['Observation/1'], [['target', 'Observation/1']]],
    ['Observation', '_revinclude=Provenance:target', ['Observation/1'], []],
    [
      'DiagnosticReport',
      '_revinclude=DiagnosticReport:*',
      ['Observation/1', 'Patient/2'],
      [
        ['patient', 'Patient/2'],
        ['performer', ''],
        ['result', 'Observation/1'],
        ['subject', 'Patient/2'],
      ],
    ],
    ['DiagnosticReport', '_revinclude=*', ['Observation/1'], [['result', 'Observation/1']]],
    [
      'Observation',
      '_revinclude:iterate=Observation:has-member:Observation',
      ['Patient/2', 'Observation/1'],
      [['has-member', 'Observation/1']],
    ],
  ])('of %s by %s finds what refers to %j', (type, query, references, expected) => {
    const [include] = includes(query);
    const criteria = include ? revincluding(include, type, parametersOf(type), references) : [];
    const asked = criteria.map(({ parameter: { code }, values }) => [
      code,
      ...values.map((value) => (value.type === 'reference' ? `${value.resourceType}/${value.id}` : '')),
    ]);

    expect(asked).toEqual(expected.filter(([, reference]) => reference !== ''));
  });
});

describe('the hierarchies', () => {
  it('are those that the definitions call so', () => {
    const declared = structureDefinitions().flatMap(({ name, snapshot }) =>
      snapshot.element.flatMap(({ path, type = [] }) =>
        type.flatMap((each) => {
          const { extension = [] } = each as { extension?: { url: string; valueBoolean?: boolean }[] };
          const isHierarchy = extension.some(
            ({ url, valueBoolean }) => url.endsWith('structuredefinition-hierarchy') && valueBoolean === true,
          );
          // StructureDefinition.baseDefinition is a canonical, not a reference to a record
          return isHierarchy && name !== 'StructureDefinition' ? [path] : [];
        }),
      ),
    );
    const sample = { reference: 'X/1' };
    const selected = Object.entries(hierarchies).flatMap(([type, codes]) =>
      codes.map((code) => {
        const elements = ['partOf', 'basedOn', 'replaces'];
        const found = elements.find(
          (element) => parameter(type, code).values({ resourceType: type, [element]: sample }).length > 0,
        );
        expect(parameter(type, code).targets).toContain(type);
        return `${type}.${found}`;
      }),
    );

    expect(selected.sort()).toEqual(declared.sort());
  });
});
