import { describe, expect, it } from 'vitest';
import { parseSystemQuery } from '../../shared/search/parse-system-query.ts';
import { wholeLanguage } from '../support/search-language.ts';
import { searchParameters } from '../support/search-parameters.ts';

const served = ['Observation', 'Condition', 'Patient', 'Organization'];

const read = (query: string, strict = true) =>
  parseSystemQuery(served, [...new URLSearchParams(query)], {
    strict,
    baseUrl: 'http://example.org/fhir',
    now: 0,
    parametersOf: (type) => searchParameters[type],
    ...wholeLanguage,
  });
const parse = (query: string, strict = true) => read(query, strict).byType;

describe('a search across types', () => {
  it('searches the types that it names, each by its own parameter of that name', () => {
    const queries = parse('_type=Condition,Observation&patient=1&_lastUpdated=gt2024');
    const codes = [...queries].map(([type, { conditions }]) => [
      type,
      conditions.map((each) => (each.kind === 'criterion' ? each.parameter.code : each.kind)),
    ]);

    expect(codes).toEqual([
      ['Observation', ['patient', '_lastUpdated']],
      ['Condition', ['patient', '_lastUpdated']],
    ]);
    expect(read('_type=Condition,Observation&patient=1&_lastUpdated=gt2024').presented.understood).toEqual([
      ['_type', 'Condition,Observation'],
      ['patient', '1'],
      ['_lastUpdated', 'gt2024'],
    ]);
  });

  it('uses only parameters that all of them have', () => {
    expect(() => parse('_type=Condition,Observation&onset-date=2024')).toThrow('no such search parameter');
    expect(parse('_type=Condition,Observation&onset-date=2024', false).get('Condition')).toMatchObject({
      conditions: [],
      warnings: [{ parameter: 'onset-date' }],
    });
    expect(parse('_type=Condition&onset-date=2024').get('Condition')?.conditions).toHaveLength(1);
  });

  it('searches all types by what every type has, if it names none', () => {
    const queries = parse('_tag=x&_count=5');

    expect([...queries.keys()]).toEqual(served);
    expect(queries.get('Patient')).toMatchObject({ count: 5, conditions: [{ parameter: { code: '_tag' } }] });
    expect(() => parse('patient=1')).toThrow('no such search parameter');
  });

  it('searches what each of several _type names', () => {
    expect([...parse('_type=Patient,Condition&_type=Condition,Observation').keys()]).toEqual(['Condition']);
    expect([...parse('_type=Patient&_type=Condition').keys()]).toEqual([]);
  });

  it('refuses a type that does not exist, or is not searched here', () => {
    expect(() => parse('_type=Nonsense')).toThrow('A type is one of the resource types');
    expect(() => parse('_type=Patient,Claim')).toThrow('Claim cannot be searched together');
  });

  it('uses an include that applies to any of the types, and no other', () => {
    const includes = (query: string, strict = true) =>
      read(query, strict).presented.includes.map(({ source, parameter }) => [source, parameter?.code]);

    expect(includes('_type=Condition,Patient&_include=Condition:subject')).toEqual([['Condition', 'subject']]);
    expect(includes('_lastUpdated=gt2024&_revinclude=Observation:subject')).toEqual([['Observation', 'subject']]);
    expect(includes('_include=*')).toEqual([[undefined, undefined]]);
    expect(() => read('_type=Patient,Organization&_include=Condition:subject')).toThrow('Nothing that is found');
    expect(read('_type=Patient,Organization&_include=Condition:subject', false).presented).toMatchObject({
      includes: [],
      warnings: [{ parameter: '_include' }],
      understood: [['_type', 'Patient,Organization']],
    });
    expect(() => read('_type=Condition,Patient&_include=Condition:subject&_summary=text')).toThrow('cannot be mixed');
  });
});
