import { describe, expect, it } from 'vitest';
import { RecordError } from '../../shared/errors.ts';
import { requireSelfContained } from '../../shared/search/joins.ts';
import { parseSearchQuery } from '../../shared/search/parse-query.ts';
import { toQueryString } from '../../shared/search/query-string.ts';
import { baseUrl, now, parse, parseCriteria } from '../support/search-cases.ts';
import { wholeLanguage } from '../support/search-language.ts';
import { distinctIncludes, searchParameters } from '../support/search-parameters.ts';

/** Reads a search where nothing is known of other types. */
const parseAlone = (resourceType: string, query: string, strict: boolean) =>
  parseSearchQuery(searchParameters[resourceType] ?? [], [...new URLSearchParams(query)], {
    strict,
    resourceType,
    baseUrl,
    now,
    ...wholeLanguage,
  });

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
    ['Observation', 'code:in=', 'code:in'],
    ['Observation', 'code:near=x', 'code:near'],
    ['Observation', 'subject:identifier.name=x', 'subject:identifier.name'],
    ['Observation', 'subject:Practitioner.name=x', 'subject:Practitioner.name'],
    ['Observation', 'subject.nonsense=x', 'subject.nonsense'],
    ['Observation', 'subject:below=Patient/1', 'subject:below'],
    ['Observation', 'performer:above=http://other.org/Organization/1', 'performer:above'],
    ['Patient', 'identifier:of-type=a|b', 'identifier:of-type'],
    ['Patient', 'identifier:of-type=a||c', 'identifier:of-type'],
    ['Patient', 'gender:of-type=http://a.org|b|c', 'gender:of-type'],
    ['Observation', 'code:of-type=http://a.org|b|c', 'code:of-type'],
    ['Observation', 'subject:Patient.gender:of-type=http://a.org|b|c', 'subject:Patient.gender:of-type'],
    ['Patient', 'name:text=-', 'name:text'],
    ['Patient', 'name:text=a AND', 'name:text'],
    ['Patient', '_has=1', '_has'],
    ['Patient', '_has:Observation:patient=1', '_has:Observation:patient'],
    ['Patient', '_has:Foo:patient:code=1', '_has:Foo:patient:code'],
    ['Patient', '_has:Observation:code:code=1', '_has:Observation:code:code'],
    ['Patient', '_has:Observation:specimen:code=1', '_has:Observation:specimen:code'],
    ['Patient', '_has:Observation:patient:nonsense=1', '_has:Observation:patient:nonsense'],
    ['Patient', '_has:Observation:patient:code=|', '_has:Observation:patient:code'],
    ['Patient', '_list=a b', '_list'],
    ['Patient', '_list=$', '_list'],
    ['Patient', '_list:not=42', '_list:not'],
    ['Patient', '_text=', '_text'],
    ['Patient', '_text=(a', '_text'],
    ['Patient', '_text=a)', '_text'],
    ['Patient', '_text=OR a', '_text'],
    ['Patient', '_content=*', '_content'],
    ['Location', 'near=91|0', 'near'],
    ['Location', 'near=1', 'near'],
    ['Location', 'near=1|1|5|kg', 'near'],
    ['Location', 'near:missing=true', 'near:missing'],
    ['Patient', '_filter=', '_filter'],
    ['Patient', '_filter=name', '_filter'],
    ['Patient', '_filter=name is peter', '_filter'],
    ['Patient', '_filter=name eq', '_filter'],
    ['Patient', '_filter=name eq peter and', '_filter'],
    ['Patient', '_filter=name eq peter gender eq male', '_filter'],
    ['Patient', '_filter=(name eq peter', '_filter'],
    ['Patient', '_filter=name eq peter)', '_filter'],
    ['Patient', '_filter=name eq "peter', '_filter'],
    ['Patient', '_filter=name eq "\\x"', '_filter'],
    ['Patient', '_filter=not name eq peter', '_filter'],
    ['Patient', '_filter=nonsense eq peter', '_filter'],
    ['Patient', '_filter=name po 2024', '_filter'],
    ['Patient', '_filter=birthdate sw 2024', '_filter'],
    ['Patient', '_filter=birthdate eq peter', '_filter'],
    ['Patient', '_filter=gender co male', '_filter'],
    ['Patient', '_filter=organization eq Organization/1', '_filter'],
    ['Patient', '_filter=name pr maybe', '_filter'],
    ['Patient', '_filter=name.family eq x', '_filter'],
    ['Patient', '_filter=name[use eq official] eq x', '_filter'],
    ['Group', '_filter=characteristic[nonsense eq gender].value eq x', '_filter'],
    ['Group', '_filter=characteristic[code eq gender].nonsense eq x', '_filter'],
    ['Patient', '_include=x', '_include'],
    ['Patient', '_include=Patient', '_include'],
    ['Patient', '_include=Foo:bar', '_include'],
    ['Patient', '_include=Patient:link:Foo', '_include'],
    ['Patient', '_include=Patient:link:Patient:more', '_include'],
    ['Patient', '_include:recurse=Patient:link', '_include:recurse'],
    ['Patient', '_revinclude:not=Encounter:subject', '_revinclude:not'],
    ['Patient', '_summary=text&_include=Patient:link', '_summary'],
    ['Patient', '_containedType=other', '_containedType'],
    ['Patient', '_count=-1', '_count'],
    ['Patient', '_count=many', '_count'],
    ['Patient', '_count=', '_count'],
    ['Patient', '_count=1&_count=2', '_count'],
    ['Patient', '_summary=yes', '_summary'],
    ['Patient', '_total=some', '_total'],
    ['Patient', '_sort=', '_sort'],
    ['Patient', '_sort:desc=name', '_sort:desc'],
    ['Patient', '_elements=name,', '_elements'],
    ['Patient', '_elements=name..family', '_elements'],
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
    ['Patient', '_query=mine', '_query'],
    ['Observation', 'subject.name=peter', 'subject.name'],
    ['Observation', 'subject:Patient.name=peter', 'subject:Patient.name'],
    ['Patient', '_has:Observation:patient:code=1', '_has:Observation:patient:code'],
    ['Patient', '_filter=general-practitioner.name eq joe', '_filter'],
  ])('%s?%s is refused in either handling where other types are not known', (type, query, expression) => {
    for (const strict of [true, false]) {
      const error = refusal(() => parseAlone(type, query, strict));

      expect(error).toMatchObject({
        kind: 'invalid',
        reason: 'not-supported',
        details: [{ expression, code: 'not-supported' }],
      });
    }
  });

  it.each([
    ['Observation', 'code:in=http://acme.org/vs', 'code:in'],
    ['Observation', 'code:not-in=http://acme.org/vs', 'code:not-in'],
    ['Observation', 'code:above=x', 'code:above'],
    ['Encounter', 'part-of:below=Encounter/1', 'part-of:below'],
    ['Encounter', 'part-of.status=finished', 'part-of.status'],
    ['Patient', '_list=42', '_list'],
    ['Patient', '_filter=not (gender in http://acme.org/vs)', '_filter'],
    ['Encounter', '_filter=not (part-of.status eq finished)', '_filter'],
    ['Patient', '_contained=true', '_contained'],
    ['Patient', '_contained=both', '_contained'],
  ])('%s?%s is refused where nothing is looked up', (type, query, expression) => {
    const error = refusal(() => requireSelfContained(parseAlone(type, query, false)));

    expect(error.kind).toBe('invalid');
    expect(error.details).toMatchObject([{ expression, code: 'not-supported' }]);
  });

  it('is also what leads to other records, where they could be looked up', () => {
    const refused = refusal(() => requireSelfContained(parse('Observation', '_include=Observation:subject')));

    expect(refused.details).toMatchObject([{ expression: '_include', code: 'not-supported' }]);
    expect(() =>
      requireSelfContained(parse('Observation', 'code=x&_text=bone&_filter=code eq y&_sort=date')),
    ).not.toThrow();
  });
});

describe('a limit', () => {
  const long = (part: string, times: number): string => Array.from({ length: times }, () => part).join('');

  it.each([
    ['Observation', `${long('subject.', 6)}name=a`, 'invalid'],
    ['Encounter', `${long('part-of.', 6)}status=finished`, 'invalid'],
    ['Encounter', `${long('part-of.', 5)}status=finished`, undefined],
    ['Patient', `${long('_has:Observation:patient:', 1)}${long('_has:Observation:has-member:', 5)}code=a`, 'invalid'],
    ['Patient', `_filter=${'('.repeat(17)}gender eq male${')'.repeat(17)}`, 'invalid'],
    ['Patient', `_filter=${'('.repeat(15)}gender eq male${')'.repeat(15)}`, undefined],
    ['Patient', `_filter=gender eq ${'a'.repeat(4_000)}`, 'invalid'],
    ['Patient', `_filter=${long('link.', 6)}name eq a`, 'invalid'],
    ['Patient', `_text=${'('.repeat(17)}a${')'.repeat(17)}`, 'invalid'],
    ['Patient', `_text=${long('NOT ', 40)}a`, 'invalid'],
    ['Patient', `_text=${long('a ', 201)}`, 'invalid'],
    ['Patient', `_sort=${long('name,', 20)}name`, 'invalid'],
    ['Patient', distinctIncludes(51).join('&'), 'invalid'],
    ['Patient', distinctIncludes(50).join('&'), undefined],
    ['Patient', `${'a'.repeat(501)}=1`, 'invalid'],
    ['Observation', `${long('focus.', 5)}_id=a`, 'too-costly'],
  ])('refuses %s?%.60s… as %s', (type, query, kind) => {
    if (kind === undefined) expect(() => parse(type, query)).not.toThrow();
    else expect(refusal(() => parse(type, query, false)).kind).toBe(kind);
  });
});

describe('what is unknown, or presents the result otherwise than we can', () => {
  it.each([
    ['Patient', 'nonsense=1', 'nonsense'],
    ['Patient', 'nonsense:exact=1', 'nonsense:exact'],
    ['Patient', '__proto__=1', '__proto__'],
    ['Patient', '_include=Observation:subject', '_include'],
    ['Patient', '_include=Patient:birthdate', '_include'],
    ['Patient', '_include=Patient:nonsense', '_include'],
    ['Patient', '_include=Patient:organization:Patient', '_include'],
    ['Patient', '_revinclude=Encounter:location', '_revinclude'],
    ['Patient', '_revinclude=Encounter:subject:Group', '_revinclude'],
    ['Patient', '_sort=nonsense', '_sort'],
    ['Patient', '_sort=_score', '_sort'],
    ['Location', '_sort=near', '_sort'],
    ['Observation', '_sort=code-value-quantity', '_sort'],
    ['Patient', '_score=1', '_score'],
    ['Patient', '_count=1001', '_count'],
    ['Patient', '_elements=name.family', '_elements'],
    ['Patient', '_type=Patient', '_type'],
  ])('%s?%s is a warning, and refused with strict handling', (type, query, parameter) => {
    const { warnings } = parse(type, `${query}&_id=1`, false);
    const error = refusal(() => parse(type, query, true));

    expect(warnings.map((warning) => warning.parameter)).toEqual([parameter]);
    expect(error).toMatchObject({ kind: 'invalid', details: [{ expression: parameter }] });
  });
});

describe('a search that is understood', () => {
  it('takes what is repeated to the letter once, and refuses the second of what can be given once', () => {
    const query = parse('Patient', 'language=fr&language=fr&language=en&_include=Patient:link&_include=Patient:link');

    expect(query.conditions).toHaveLength(2);
    expect(query.understood.map(([name]) => name)).toEqual(['language', 'language', '_include']);
    expect(refusal(() => parse('Patient', '_count=1&_count=1'))).toMatchObject({ details: [{ expression: '_count' }] });
  });

  it('keeps alternatives together and repetitions apart', () => {
    const criteria = parseCriteria('Patient', 'language=fr,nl&language=en');

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
      conditions: [],
    });
    expect(query.sort.map(({ parameter, descending }) => [parameter.code, descending])).toEqual([
      ['_lastUpdated', true],
      ['name', false],
    ]);
  });

  it('has no result parameters where none were sent', () => {
    expect(parse('Patient', '')).toEqual({
      conditions: [],
      count: undefined,
      summary: undefined,
      total: undefined,
      sort: [],
      elements: undefined,
      explain: false,
      includes: [],
      contained: { search: 'false', answer: 'container' },
      warnings: [],
      understood: [],
    });
  });

  it('keeps 0 as a count, which asks for the number of matches only', () => {
    expect(parse('Patient', '_count=0').count).toBe(0);
  });

  it('knows the record that an absolute reference inside the base names, and the only type that a parameter may point at', () => {
    const [subject, patient] = parseCriteria('Observation', 'subject=http://example.org/fhir/Patient/1&patient=1');

    expect(subject?.values).toEqual(patient?.values);
    expect(patient?.values).toEqual([
      { type: 'reference', resourceType: 'Patient', id: '1', url: undefined, version: undefined },
    ]);
  });

  it('takes a space in an offset for the plus sign that was not percent-encoded', () => {
    const values = parseCriteria('Observation', 'date=2013-01-14T10:00:00%2002:00')[0]?.values;

    expect(values).toMatchObject([{ prefix: 'eq', text: '2013-01-14T10:00:00+02:00' }]);
  });

  it('names in its self link only what was used, and the count that was used', () => {
    const query = parse(
      'Patient',
      'name=a\\,b&nonsense=1&_count=5000&_sort=name,nonsense&_include=Patient:nonsense&_elements=name.family,id&_format=json',
      false,
    );

    expect(toQueryString(query)).toBe('name=a%5C%2Cb&_count=1000&_sort=name&_elements=name%2Cid&_format=json');
  });

  it('is refused as too costly when it lists thousands of values', () => {
    const ids = Array.from({ length: 1_500 }, (_, index) => `p${index}`).join(',');

    expect(parseCriteria('Patient', `_id=${ids}`)[0]?.values).toHaveLength(1_500);
    expect(refusal(() => parse('Patient', `_id=${ids}&_id=${ids},p`)).kind).toBe('too-costly');
  });

  it('follows a chain into each type that has the next parameter, and no other', () => {
    const [chain] = parse('Observation', 'subject.name=peter').conditions;
    const [typed] = parse('Observation', 'subject:Patient.name=peter').conditions;

    expect(chain?.kind === 'chain' && chain.targets.map(({ resourceType }) => resourceType)).toEqual([
      'Patient',
      'Location',
    ]);
    expect(typed).toMatchObject({
      kind: 'chain',
      name: 'subject:Patient.name',
      targets: [{ resourceType: 'Patient' }],
    });
  });

  it('nests what _has leads through', () => {
    const [has] = parse('Patient', '_has:Observation:patient:_has:AuditEvent:entity:altid=MyUserId').conditions;

    expect(has).toMatchObject({
      kind: 'has',
      resourceType: 'Observation',
      parameter: { code: 'patient' },
      conditions: [
        { kind: 'has', resourceType: 'AuditEvent', conditions: [{ kind: 'criterion', parameter: { code: 'altid' } }] },
      ],
    });
  });

  it('takes and and or of a filter from left to right', () => {
    const [filter] = parse('Patient', '_filter=gender eq a and gender eq b or gender eq c and gender eq d').conditions;

    expect(filter).toMatchObject({
      kind: 'all',
      conditions: [{ kind: 'any', conditions: [{ kind: 'all', conditions: [{}, {}] }, {}] }, {}],
    });
  });

  it('knows what a star in an include stands for', () => {
    const { includes } = parse(
      'Patient',
      '_include=*&_include:iterate=Practitioner:*&_revinclude=*&_revinclude=Encounter:subject:Patient',
    );

    expect(includes.map(({ parameter, ...rest }) => ({ ...rest, parameter: parameter?.code }))).toEqual([
      { kind: 'include', iterate: false, source: 'Patient', parameter: undefined, target: undefined },
      { kind: 'include', iterate: true, source: 'Practitioner', parameter: undefined, target: undefined },
      { kind: 'revinclude', iterate: false, source: undefined, parameter: undefined, target: undefined },
      { kind: 'revinclude', iterate: false, source: 'Encounter', parameter: 'subject', target: 'Patient' },
    ]);
  });

  it('names root elements with or without the type', () => {
    expect(parse('Patient', '_elements=identifier,Patient.active,Encounter.status').elements).toEqual([
      'identifier',
      'active',
    ]);
    expect(parse('Patient', '_elements=Encounter.status').elements).toBeUndefined();
  });

  it('may ask for what is contained', () => {
    expect(parse('Patient', '_contained=both&_containedType=contained').contained).toEqual({
      search: 'both',
      answer: 'contained',
    });
  });
});
