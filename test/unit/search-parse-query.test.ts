import { describe, expect, it } from 'vitest';
import { RecordError } from '../../shared/errors.ts';
import { toQueryString } from '../../shared/search/query-string.ts';
import { parse } from '../support/search-cases.ts';

const refusal = (act: () => unknown): RecordError => {
  try {
    act();
  } catch (error) {
    if (error instanceof RecordError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};

describe('a parameter that breaks a rule', () => {
  it.each([
    ['Observation', 'date=23 May 2009', 'date'],
    ['Observation', 'date=2013-02-29', 'date'],
    ['Observation', 'date=2013-13', 'date'],
    ['Observation', 'date=2013-01-14T25:00:00Z', 'date'],
    ['Observation', 'date=2013-01-14T10', 'date'],
    ['Observation', 'date=xx2013', 'date'],
    ['Observation', 'date=GE2013', 'date'],
    ['Observation', 'date=ge', 'date'],
    ['Observation', 'date:exact=2013', 'date:exact'],
    ['Observation', 'date:text=2013', 'date:text'],
    ['Observation', 'date=', 'date'],
    ['Observation', 'date=2013,', 'date'],
    ['RiskAssessment', 'probability=many', 'probability'],
    ['RiskAssessment', 'probability=1.', 'probability'],
    ['RiskAssessment', 'probability=1e999', 'probability'],
    ['RiskAssessment', 'probability=gt', 'probability'],
    ['Observation', 'value-quantity=5.4|mg', 'value-quantity'],
    ['Observation', 'value-quantity=5.4|a|b|c', 'value-quantity'],
    ['Observation', 'value-quantity=|http://unitsofmeasure.org|mg', 'value-quantity'],
    ['Observation', 'code=a|b|c', 'code'],
    ['Observation', 'code=|', 'code'],
    ['Observation', 'code=', 'code'],
    ['Observation', 'code=xx\\xx', 'code'],
    ['Observation', 'code:exact=a', 'code:exact'],
    ['Observation', 'code:=a', 'code:'],
    ['Observation', 'code:missing=yes', 'code:missing'],
    ['Observation', 'code.text=a', 'code.text'],
    ['Patient', 'name=', 'name'],
    ['Patient', 'name=-', 'name'],
    ['Patient', 'name:not=x', 'name:not'],
    ['Observation', 'subject:Foo=1', 'subject:Foo'],
    ['Observation', 'subject:Medication=1', 'subject:Medication'],
    ['Observation', 'subject:Patient=Group/1', 'subject:Patient'],
    ['Observation', 'subject:Patient=http://other.org/Patient/1', 'subject:Patient'],
    ['Observation', 'subject=Foo/1', 'subject'],
    ['Observation', 'subject=#p1', 'subject'],
    ['Observation', 'subject=a b', 'subject'],
    ['Observation', 'component-code-value-quantity=8480-6', 'component-code-value-quantity'],
    ['Observation', 'component-code-value-quantity=8480-6$', 'component-code-value-quantity'],
    ['Observation', 'component-code-value-quantity=a$1$2', 'component-code-value-quantity'],
    ['Observation', 'component-code-value-quantity:missing=true', 'component-code-value-quantity:missing'],
    ['ValueSet', 'url:below=urn:oid:1.2.3', 'url:below'],
    ['Patient', '_count=-1', '_count'],
    ['Patient', '_count=many', '_count'],
    ['Patient', '_count=', '_count'],
    ['Patient', '_count=1&_count=2', '_count'],
    ['Patient', '_summary=yes', '_summary'],
    ['Patient', '_total=some', '_total'],
    ['Patient', '_sort=', '_sort'],
    ['Patient', '_sort:desc=name', '_sort:desc'],
    ['Patient', '_elements=name,', '_elements'],
    ['Patient', '_contained=maybe', '_contained'],
    ['Patient', '_pretty=yes', '_pretty'],
    ['Patient', '_format=', '_format'],
  ])('%s?%s is refused and names %s', (type, query, expression) => {
    const error = refusal(() => parse(type, query, false));

    expect(error.kind).toBe('invalid');
    expect(error.details.map((detail) => detail.expression)).toEqual([expression]);
  });

  it('does not repeat the value, which may be a patient’s', () => {
    const error = refusal(() => parse('Patient', 'birthdate=Meier', false));

    expect(JSON.stringify([error.message, error.details])).not.toContain('Meier');
  });
});

describe('what is not served and would widen the result if ignored', () => {
  it.each([
    ['Observation', 'code:in=http://acme.org/vs', 'code:in'],
    ['Observation', 'code:not-in=http://acme.org/vs', 'code:not-in'],
    ['Observation', 'code:above=x', 'code:above'],
    ['Observation', 'code:below=x', 'code:below'],
    ['Patient', 'identifier:of-type=a|b|c', 'identifier:of-type'],
    ['Patient', 'name:text=x', 'name:text'],
    ['Observation', 'subject:below=1', 'subject:below'],
    ['Observation', 'subject.name=peter', 'subject.name'],
    ['Observation', 'subject:Patient.name=peter', 'subject:Patient.name'],
    ['Patient', '_has:Observation:patient:code=1', '_has:Observation:patient:code'],
    ['Patient', '_filter=name eq peter', '_filter'],
    ['Patient', '_list=42', '_list'],
    ['Patient', '_text=bone', '_text'],
    ['Patient', '_content=bone', '_content'],
    ['Patient', '_query=mine', '_query'],
    ['Patient', '_contained=true', '_contained'],
  ])('%s?%s is refused in either handling', (type, query, expression) => {
    for (const strict of [true, false]) {
      const error = refusal(() => parse(type, query, strict));

      expect(error).toMatchObject({
        kind: 'invalid',
        reason: 'not-supported',
        details: [{ expression, code: 'not-supported' }],
      });
    }
  });
});

describe('what is unknown, or presents the result otherwise than we can', () => {
  it.each([
    ['Patient', 'nonsense=1', 'nonsense'],
    ['Patient', 'nonsense:exact=1', 'nonsense:exact'],
    ['Patient', '__proto__=1', '__proto__'],
    ['Patient', '_include=Patient:organization', '_include'],
    ['Patient', '_include:iterate=Patient:organization', '_include:iterate'],
    ['Patient', '_revinclude=Provenance:target', '_revinclude'],
    ['Patient', '_sort=nonsense', '_sort'],
    ['Patient', '_sort=_score', '_sort'],
    ['Observation', '_sort=value-quantity', '_sort'],
    ['Patient', '_contained=both', '_contained'],
    ['Patient', '_containedType=container', '_containedType'],
    ['Patient', '_count=1001', '_count'],
  ])('%s?%s is a warning, and refused with strict handling', (type, query, parameter) => {
    const { warnings } = parse(type, `${query}&_id=1`, false);
    const error = refusal(() => parse(type, query, true));

    expect(warnings.map((warning) => warning.parameter)).toEqual([parameter]);
    expect(error).toMatchObject({ kind: 'invalid', details: [{ expression: parameter }] });
  });
});

describe('a search that is understood', () => {
  it('keeps alternatives together and repetitions apart', () => {
    const { criteria } = parse('Patient', 'language=fr,nl&language=en');

    expect(criteria.map(({ values }) => values)).toEqual([
      [
        { type: 'token', system: undefined, code: 'fr' },
        { type: 'token', system: undefined, code: 'nl' },
      ],
      [{ type: 'token', system: undefined, code: 'en' }],
    ]);
  });

  it('reads the parameters that manage the result', () => {
    const query = parse('Patient', '_count=10&_summary=count&_total=accurate&_sort=-_lastUpdated,name');

    expect(query).toMatchObject({
      count: 10,
      summary: 'count',
      total: 'accurate',
      criteria: [],
    });
    expect(query.sort.map(({ parameter, descending }) => [parameter.code, descending])).toEqual([
      ['_lastUpdated', true],
      ['name', false],
    ]);
  });

  it('has no result parameters where none were sent', () => {
    expect(parse('Patient', '')).toEqual({
      criteria: [],
      count: undefined,
      summary: undefined,
      total: undefined,
      sort: [],
      elements: undefined,
      warnings: [],
      understood: [],
    });
  });

  it('keeps 0 as a count, which asks for the number of matches only', () => {
    expect(parse('Patient', '_count=0').count).toBe(0);
  });

  it('knows the record that an absolute reference inside the base names, and the only type that a parameter may point at', () => {
    const [subject, patient] = parse('Observation', 'subject=http://example.org/fhir/Patient/1&patient=1').criteria;

    expect(subject?.values).toEqual(patient?.values);
    expect(patient?.values).toEqual([
      { type: 'reference', resourceType: 'Patient', id: '1', url: undefined, version: undefined },
    ]);
  });

  it('takes a space in an offset for the plus sign that was not percent-encoded', () => {
    const values = parse('Observation', 'date=2013-01-14T10:00:00%2002:00').criteria[0]?.values;

    expect(values).toMatchObject([{ prefix: 'eq', text: '2013-01-14T10:00:00+02:00' }]);
  });

  it('names in its self link only what was used, and the count that was used', () => {
    const query = parse(
      'Patient',
      'name=a\\,b&nonsense=1&_count=5000&_sort=name,nonsense&_include=x&_format=json',
      false,
    );

    expect(toQueryString(query)).toBe('name=a%5C%2Cb&_count=1000&_sort=name&_format=json');
  });

  it('is refused as too costly when it lists thousands of values', () => {
    const ids = Array.from({ length: 1_500 }, (_, index) => `p${index}`).join(',');

    expect(parse('Patient', `_id=${ids}`).criteria[0]?.values).toHaveLength(1_500);
    expect(refusal(() => parse('Patient', `_id=${ids}&_id=${ids}`)).kind).toBe('too-costly');
  });
});
