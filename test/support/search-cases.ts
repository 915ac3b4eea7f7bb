import type { Resource } from '../../shared/fhir/resource.ts';
import { criteriaOf } from '../../shared/search/joins.ts';
import { matches } from '../../shared/search/matches.ts';
import { parseSearchQuery } from '../../shared/search/parse-query.ts';
import { lookupsIn } from './resolve-lookups.ts';
import { otherRecords, terminology } from './search-case-world.ts';
import { casesOfJoins } from './search-cases-of-joins.ts';
import { wholeLanguage } from './search-language.ts';
import { searchParameters } from './search-parameters.ts';

const { units } = wholeLanguage;

export const baseUrl = 'http://example.org/fhir';
/** The clock of the cases: `ap` depends on it. */
export const now = Date.parse('2026-01-01T00:00:00Z');

/** `[query, record, whether it is found]`, by the anchor of the paragraph in https://hl7.org/fhir/R4/search.html */
export type SearchCases = Readonly<
  Record<string, readonly (readonly [query: string, resource: Resource, found: boolean])[]>
>;

/** Reads the query of a search as an HTTP server would. */
export const parse = (resourceType: string, query: string, strict = true) =>
  parseSearchQuery(searchParameters[resourceType] ?? [], [...new URLSearchParams(query.replaceAll('+', '%2B'))], {
    strict,
    resourceType,
    baseUrl,
    now,
    parametersOf: (type) => searchParameters[type],
    ...wholeLanguage,
  });

/** Its plain criteria. */
export const parseCriteria = (resourceType: string, query: string) => criteriaOf(parse(resourceType, query).conditions);

/** Whether a search finds a record with the id `r1` that was stored at noon on 2024-02-29, UTC. */
export const finds = (query: string, resource: Resource): boolean => {
  const { conditions } = parse(resource.resourceType, query);
  const lookups = lookupsIn(conditions, otherRecords, { baseUrl, terminology, units });
  const lastUpdated = Date.parse('2024-02-29T12:00:00.500Z');
  return matches(conditions, resource, { id: 'r1', lastUpdated, baseUrl, lookups, terminology, units });
};

const observation = (elements: object): Resource => ({ resourceType: 'Observation', ...elements });
const at = (effectiveDateTime: string) => observation({ effectiveDateTime });
const during = (start?: string, end?: string) =>
  observation({ effectivePeriod: { ...(start && { start }), ...(end && { end }) } });
const measured = (value: number, unit: object = {}) => observation({ valueQuantity: { value, ...unit } });
const mg = { system: 'http://unitsofmeasure.org', code: 'mg', unit: 'milligram' };
const risk = (probabilityDecimal: number): Resource => ({
  resourceType: 'RiskAssessment',
  prediction: [{ probabilityDecimal }],
});
const variant = (start: number): Resource => ({ resourceType: 'MolecularSequence', variant: [{ start }] });
const patient = (elements: object): Resource => ({ resourceType: 'Patient', ...elements });
const named = (name: fhir4.HumanName) => patient({ name: [name] });
const living = (address: fhir4.Address) => patient({ address: [address] });
const condition = (elements: object): Resource => ({ resourceType: 'Condition', ...elements });
const coded = (...coding: fhir4.Coding[]) => condition({ code: { coding } });
const about = (reference: string) => observation({ subject: { reference } });
const valueSet = (url: string, version?: string): Resource => ({
  resourceType: 'ValueSet',
  url,
  ...(version && { version }),
});
const answered = (questionnaire: string): Resource => ({ resourceType: 'QuestionnaireResponse', questionnaire });
const scheduled = (occurrenceTiming: fhir4.Timing): Resource => ({ resourceType: 'ServiceRequest', occurrenceTiming });
const potassium = (value: number) =>
  observation({
    code: { coding: [{ system: 'http://loinc.org', code: '2823-3' }] },
    valueQuantity: { value, system: 'http://unitsofmeasure.org', code: 'mmol/L' },
  });
const pressure = (systolic: number, diastolic: number) => {
  const part = (code: string, value: number) => ({
    code: { coding: [{ system: 'http://loinc.org', code }] },
    valueQuantity: { value, system: 'http://unitsofmeasure.org', code: 'mm[Hg]' },
  });
  return observation({
    code: { text: 'blood pressure' },
    component: [part('8480-6', systolic), part('8462-4', diastolic)],
  });
};
/** A quantity in a unit of UCUM, of what a LOINC code measures. */
const ucum = (value: number, code: string, quantity: object = {}, of = 'other') =>
  observation({
    code: { coding: [{ system: 'http://loinc.org', code: of }] },
    valueQuantity: { value, system: 'http://unitsofmeasure.org', code, ...quantity },
  });
const usCore = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-';
const ombCategory = (code: string) => [
  { url: 'ombCategory', valueCoding: { system: 'urn:oid:2.16.840.1.113883.6.238', code } },
  { url: 'text', valueString: 'in words' },
];
const american = patient({
  extension: [
    { url: `${usCore}race`, extension: ombCategory('2106-3') },
    { url: `${usCore}ethnicity`, extension: ombCategory('2135-2') },
    {
      url: `${usCore}genderIdentity`,
      valueCodeableConcept: { coding: [{ system: 'http://hl7.org/gender', code: 'male' }] },
    },
  ],
});
const male = patient({ gender: 'male' });
const nobody = patient({});
const carreno = named({
  family: 'Carreño Quiñones',
  given: ['Severine', 'Ana-María'],
  text: 'Dr. Ana Carreño',
  prefix: ['Dr.'],
});

const ownCases: SearchCases = {
  id: [
    ['_id=r1', nobody, true],
    ['_id=R1', nobody, false],
    ['_id=r2', nobody, false],
    ['_id=r2,r1', nobody, true],
    ['_id:not=r1', nobody, false],
  ],
  lastUpdated: [
    ['_lastUpdated=gt2010-10-01', nobody, true],
    ['_lastUpdated=2024-02-29', nobody, true],
    ['_lastUpdated=2024-02-29T12:00:00.500Z', nobody, true],
    ['_lastUpdated=2024-02-29T14:00:00+02:00', nobody, true],
    ['_lastUpdated=ge2024-03-01', nobody, false],
    ['_lastUpdated=lt2024-02-29', nobody, false],
  ],
  tag: [
    [
      '_tag=http://acme.org/codes|needs-review',
      patient({ meta: { tag: [{ system: 'http://acme.org/codes', code: 'needs-review' }] } }),
      true,
    ],
    [
      '_tag=http://acme.org/codes|done',
      patient({ meta: { tag: [{ system: 'http://acme.org/codes', code: 'needs-review' }] } }),
      false,
    ],
    ['_profile=http://acme.org/p', patient({ meta: { profile: ['http://acme.org/p|2.0'] } }), true],
    ['_profile=http://acme.org/p|1.0', patient({ meta: { profile: ['http://acme.org/p|2.0'] } }), false],
  ],
  missing: [
    ['gender:missing=true', nobody, true],
    ['gender:missing=true', male, false],
    ['gender:missing=false', male, true],
    ['gender:missing=true', patient({ _gender: { extension: [{ url: 'http://acme.org/x', valueCode: 'y' }] } }), true],
    ['gender=male&gender:missing=true', male, false],
  ],
  number: [
    ['probability=gt0.8', risk(0.81), true],
    ['probability=gt8e-1', risk(0.8), false],
    ['probability=100', risk(99.5), true],
    ['probability=100', risk(100.49), true],
    ['probability=100', risk(100.5), false],
    ['probability=100', risk(99.4), false],
    ['probability=100.00', risk(99.995), true],
    ['probability=100.00', risk(100.005), false],
    ['probability=1e2', risk(95), true],
    ['probability=1e2', risk(104.9), true],
    ['probability=1e2', risk(105), false],
    ['probability=1e2', risk(94.9), false],
    ['probability=1.00e2', risk(99.5), true],
    ['probability=1.00e2', risk(101), false],
    ['probability=lt100', risk(99.9), true],
    ['probability=lt100', risk(100), false],
    ['probability=le100', risk(100), true],
    ['probability=le100', risk(100.1), false],
    ['probability=gt100', risk(100), false],
    ['probability=gt100', risk(100.1), true],
    ['probability=ge100', risk(100), true],
    ['probability=ge100', risk(99.9), false],
    ['probability=ne100', risk(100.4), false],
    ['probability=ne100', risk(100.5), true],
    ['probability=sa2', risk(2), false],
    ['probability=eb2', risk(1.9), true],
    ['probability=ap10', risk(11), true],
    ['probability=ap10', risk(11.1), false],
    ['probability=ap-10', risk(-9), true],
    ['probability=-5', risk(-5.4), true],
    ['probability=-5', risk(5), false],
    ['probability=5.4', risk(5.35), true],
    ['variant-start=2', variant(2), true],
    ['variant-start=2', variant(3), false],
    ['variant-start=2.0', variant(2), true],
    ['variant-start=2.5', variant(2), false],
    ['variant-start=2.5', variant(3), false],
  ],
  date: [
    ['date=eq2013-01-14', at('2013-01-14T00:00:00Z'), true],
    ['date=eq2013-01-14', at('2013-01-14T10:00:00Z'), true],
    ['date=eq2013-01-14', at('2013-01-15T00:00:00Z'), false],
    ['date=2013-01-14', at('2013-01-14'), true],
    ['date=2013-01', at('2013-01-14'), true],
    ['date=2013-01-14', at('2013-01'), false],
    ['date=ne2013-01-14', at('2013-01-15T00:00:00Z'), true],
    ['date=ne2013-01-14', at('2013-01-14T00:00:00Z'), false],
    ['date=ne2013-01-14', at('2013-01-14T10:00:00Z'), false],
    ['date=ne2013-01-14', observation({}), false],
    ['date=lt2013-01-14T10:00', at('2013-01-14'), true],
    ['date=lt2013-01-14T10:00', at('2013-01-14T10:00:00Z'), false],
    ['date=gt2013-01-14T10:00', at('2013-01-14'), true],
    ['date=gt2013-01-14', at('2013-01-14T23:59:59Z'), false],
    ['date=gt2013-01-14', at('2013-01-15T00:00:00Z'), true],
    ['date=ge2013-03-14', during('2013-01-21'), true],
    ['date=ge2013-03-14', during('2013-01-21', '2013-03-14T09:00:00Z'), true],
    ['date=ge2013-03-14', during('2013-01-21', '2013-03-13'), false],
    ['date=le2013-03-14', during('2013-01-21'), true],
    ['date=le2013-03-14', during('2013-03-15'), false],
    ['date=le2013-03-14', at('2013-03-14T23:59:59.999Z'), true],
    ['date=sa2013-03-14', during('2013-03-15'), true],
    ['date=sa2013-03-14', during('2013-01-21'), false],
    ['date=sa2013-03-14', during(undefined, '2013-01-21'), false],
    ['date=eb2013-03-14', during('2013-03-15'), false],
    ['date=eb2013-03-14', during('2013-01-21'), false],
    ['date=eb2013-03-14', during(undefined, '2013-01-21'), true],
    ['date=ap2013-03-14', at('2013-03-14'), true],
    ['date=ap2013-03-14', at('2013-01-21'), true],
    ['date=ap2013-03-14', at('2014-01-01'), true],
    ['date=ap2013-03-14', at('2015-06-15'), false],
    ['date=2000', at('2000-12-31T23:59:59.999Z'), true],
    ['date=2000', at('2001-01-01T00:00:00Z'), false],
    ['date=2000-02', at('2000-02-29T23:00:00Z'), true],
    ['date=2001-02', at('2001-03-01'), false],
    ['date=2000-04', at('2000-04-30T23:59:59Z'), true],
    ['date=2000-04', at('2000-05-01'), false],
    ['date=ge2010-01-01&date=le2011-12-31', at('2011-12-31T22:00:00Z'), true],
    ['date=ge2010-01-01&date=le2011-12-31', at('2012-01-01'), false],
    ['date=2013-01-14T10:00', at('2013-01-14T10:00:30Z'), true],
    ['date=2013-01-14T10:00:00+01:00', at('2013-01-14T09:00:00Z'), true],
    ['date=2013-01-14T10:00:00%2001:00', at('2013-01-14T09:00:00Z'), true],
    ['date=2013-01-14T10:00:00', at('2013-01-14T10:00:00Z'), true],
    ['date=2013-01-14', at('2013-01-14T23:30:00-05:00'), false],
    ['date=2013-01-15', at('2013-01-14T23:30:00-05:00'), true],
    ['date=2016-12-31', at('2016-12-31T23:59:59Z'), true],
    ['date=2017-01-01T00:00:00Z', at('2016-12-31T23:59:60Z'), true],
    ['date=2013-03-31', at('2013-03-31T02:30:00Z'), true],
    ['date=2013-01-31', during('2013-01-31T00:00:00Z', '2013-01-31T23:59:59Z'), true],
    ['date=2013-01-31', during('2013-01-31', '2013-02-01'), false],
    [
      'occurrence=2013-02-01',
      scheduled({ repeat: { boundsPeriod: { start: '2013-01-31', end: '2013-03-24' } } }),
      false,
    ],
    [
      'occurrence=ge2013-02-01&occurrence=le2013-02-01',
      scheduled({ repeat: { boundsPeriod: { start: '2013-01-31', end: '2013-03-24' } } }),
      true,
    ],
    ['occurrence=2013', scheduled({ repeat: { boundsPeriod: { start: '2013-01-31', end: '2013-03-24' } } }), true],
    ['occurrence=2013-05', scheduled({ event: ['2013-05-02', '2013-05-30'] }), true],
    ['occurrence=lt2013-05-03', scheduled({ event: ['2013-05-30', '2013-05-02'] }), true],
    ['occurrence=ge2013-05-03', scheduled({ repeat: { frequency: 2, period: 1, periodUnit: 'd' } }), true],
  ],
  string: [
    ['given=eve', named({ given: ['Eve'] }), true],
    ['given=eve', named({ given: ['Evelyn'] }), true],
    ['given=eve', carreno, false],
    ['given:contains=eve', carreno, true],
    ['given:contains=EVE', named({ given: ['Evelyn'] }), true],
    ['given:exact=Eve', named({ given: ['Eve'] }), true],
    ['given:exact=Eve', named({ given: ['eve'] }), false],
    ['given:exact=Eve', named({ given: ['Evelyn'] }), false],
    ['given:exact=Ana-Mari%CC%81a', carreno, true],
    ['given:exact=Ana-Maria', carreno, false],
    ['given=ana%20maria', carreno, true],
    ['family=carreno', carreno, true],
    ['family=QUINONES', carreno, true],
    ['family=Quin%CC%83ones', named({ family: 'Quin\u0303ones' }), true],
    ['family=inones', carreno, false],
    ['family=o%27brien', named({ family: 'O’Brien' }), true],
    ['family=obrien', named({ family: "O'Brien" }), true],
    ['family=jones', named({ family: 'Smith-Jones' }), true],
    ['family=jorgensen', named({ family: 'Jørgensen' }), true],
    ['family=strasse', named({ family: 'Straße' }), true],
    ['name=dr', carreno, true],
    ['name=severine', carreno, true],
    ['name=ana%20carreno', carreno, true],
    ['name=carreno', named({ text: 'Dr. Ana Carreño' }), true],
    ['name=official', named({ use: 'official', family: 'Li' }), false],
    ['name=peter,ana', carreno, true],
    ['name=peter&name=ana', carreno, false],
    ['name=peter\\,ana', named({ text: 'Peter, Ana' }), true],
    ['address=springfield', living({ city: 'Springfield', use: 'home' }), true],
    ['address=12%20main', living({ line: ['12  Main St.'] }), true],
    ['address=main', living({ line: ['12 Main St.'] }), true],
    ['address=home', living({ city: 'Springfield', use: 'home' }), false],
    ['address-city=spring', living({ city: 'Springfield' }), true],
    ['address-city=field', living({ city: 'Springfield' }), false],
  ],
  uri: [
    ['url=http://acme.org/fhir/ValueSet/123', valueSet('http://acme.org/fhir/ValueSet/123'), true],
    ['url=http://acme.org/fhir/valueset/123', valueSet('http://acme.org/fhir/ValueSet/123'), false],
    ['url=http://acme.org/fhir/ValueSet/12', valueSet('http://acme.org/fhir/ValueSet/123'), false],
    ['url:below=http://acme.org/fhir/', valueSet('http://acme.org/fhir/ValueSet/123'), true],
    ['url:below=http://acme.org/other/', valueSet('http://acme.org/fhir/ValueSet/123'), false],
    ['url:above=http://acme.org/fhir/ValueSet/123/_history/5', valueSet('http://acme.org/fhir/ValueSet/123'), true],
    ['url:above=http://acme.org/fhir/ValueSet/123/_history/5', valueSet('http://acme.org/fhir/ValueSet/124'), false],
    ['url=urn:oid:1.2.3.4.5', valueSet('urn:oid:1.2.3.4.5'), true],
    ['url:below=http://acme.org/', valueSet('urn:oid:1.2.3.4.5'), false],
    ['url=http://acme.org/vs|2.0', valueSet('http://acme.org/vs', '2.0'), true],
    ['url=http://acme.org/vs|2.0', valueSet('http://acme.org/vs', '3.0'), false],
    ['url=http://acme.org/vs|2.0', valueSet('http://acme.org/vs'), false],
    ['url=http://acme.org/vs/_history/2', valueSet('http://acme.org/vs', '2'), false],
  ],
  token: [
    [
      'identifier=http://acme.org/patient|2345',
      patient({ identifier: [{ system: 'http://acme.org/patient', value: '2345' }] }),
      true,
    ],
    [
      'identifier=http://acme.org/other|2345',
      patient({ identifier: [{ system: 'http://acme.org/patient', value: '2345' }] }),
      false,
    ],
    ['identifier=2345', patient({ identifier: [{ system: 'http://acme.org/patient', value: '2345' }] }), true],
    ['identifier=|2345', patient({ identifier: [{ system: 'http://acme.org/patient', value: '2345' }] }), false],
    ['identifier=|2345', patient({ identifier: [{ value: '2345' }] }), true],
    ['identifier=http://acme.org/patient|', patient({ identifier: [{ system: 'http://acme.org/patient' }] }), true],
    ['identifier=ab1', patient({ identifier: [{ value: 'AB1' }] }), false],
    [
      'identifier:text=medical',
      patient({ identifier: [{ value: '1', type: { text: 'Medical record number' } }] }),
      true,
    ],
    ['gender=male', male, true],
    ['gender=Male', male, false],
    ['gender=http://hl7.org/fhir/administrative-gender|male', male, true],
    ['gender=http://acme.org|male', male, false],
    ['gender=female,male', male, true],
    ['gender:not=male', male, false],
    ['gender:not=male', nobody, true],
    ['gender:not=male,female', patient({ gender: 'female' }), false],
    ['gender:not=male,female', patient({ gender: 'other' }), true],
    ['active=true', patient({ active: true }), true],
    ['active=false', patient({ active: true }), false],
    ['active=http://terminology.hl7.org/CodeSystem/special-values|true', patient({ active: true }), true],
    ['phone=555-1234', patient({ telecom: [{ system: 'phone', value: '555-1234' }] }), true],
    ['email=a@x.org', patient({ telecom: [{ system: 'email', value: 'A@X.org' }] }), true],
    ['email=a@x.org', patient({ telecom: [{ system: 'phone', value: 'a@x.org' }] }), false],
    [
      'code=http://acme.org/conditions/codes|ha125',
      coded({ system: 'http://acme.org/conditions/codes', code: 'ha125' }),
      true,
    ],
    [
      'code=ha125',
      coded({ system: 'http://other.org', code: 'x' }, { system: 'http://acme.org', code: 'ha125' }),
      true,
    ],
    ['code=HA125', coded({ system: 'http://acme.org', code: 'ha125' }), false],
    ['code=http://acme.org|', coded({ system: 'http://acme.org', code: 'ha125' }), true],
    ['code=http://acme.org|', coded({ system: 'http://other.org', code: 'ha125' }), false],
    ['code=http://loinc.org|la6752-5', coded({ system: 'http://loinc.org', code: 'LA6752-5' }), true],
    ['code=a,b', coded({ code: 'b' }), true],
    ['code=a\\,b', coded({ code: 'a,b' }), true],
    ['code=a\\,b', coded({ code: 'a' }), false],
    ['code=http://acme.org|x\\|y', coded({ system: 'http://acme.org', code: 'x|y' }), true],
    ['code=x$y', coded({ code: 'x$y' }), true],
    ['code:text=headache', condition({ code: { text: 'Headache, tension' } }), true],
    ['code:text=headache', coded({ code: 'x', display: 'HEADACHE' }), true],
    ['code:text=headache', condition({ code: { text: 'Migraine' } }), false],
    ['code:not=a', coded({ code: 'a' }, { code: 'b' }), false],
    [
      'code:in=http://acme.org/fhir/ValueSet/cardiac-conditions',
      coded({ system: 'http://acme.org', code: 'ha125' }),
      true,
    ],
    [
      'code:in=http://acme.org/fhir/ValueSet/cardiac-conditions',
      coded({ system: 'http://other.org', code: 'ha125' }),
      false,
    ],
    ['code:in=http://acme.org/fhir/ValueSet/cardiac-conditions', condition({}), false],
    [
      'code:not-in=http://acme.org/fhir/ValueSet/cardiac-conditions',
      coded({ system: 'http://acme.org', code: 'x' }),
      true,
    ],
    [
      'code:not-in=http://acme.org/fhir/ValueSet/cardiac-conditions',
      coded({ system: 'http://acme.org', code: 'ha126' }),
      false,
    ],
    ['code:not-in=http://acme.org/fhir/ValueSet/cardiac-conditions', condition({}), true],
    ['gender:in=ValueSet/genders', male, true],
    ['gender:not-in=ValueSet/genders', male, false],
    ['code:below=126851005', coded({ system: 'http://snomed.info/sct', code: 'hepatoma' }), true],
    [
      'code:below=http://snomed.info/sct|126851005',
      coded({ system: 'http://snomed.info/sct', code: '126851005' }),
      true,
    ],
    ['code:below=http://snomed.info/sct|126851005', coded({ system: 'http://other.org', code: 'hepatoma' }), false],
    ['code:below=126851005', coded({ system: 'http://flat.org', code: 'hepatoma' }), false],
    ['code:below=http://snomed.info/sct|126851005', coded({ code: 'hepatoma' }), false],
    ['code:below=|126851005', coded({ system: 'http://snomed.info/sct', code: 'hepatoma' }), false],
    ['code:below=|126851005', coded({ code: 'hepatoma' }), true],
    ['code:below=126851005', coded({ system: 'http://snomed.info/sct', code: 'neoplasm' }), false],
    ['code:above=126851005', coded({ system: 'http://snomed.info/sct', code: 'neoplasm' }), true],
    ['code:above=126851005', coded({ system: 'http://snomed.info/sct', code: 'hepatoma' }), false],
    ['code:above=hepatoma,x', coded({ system: 'http://snomed.info/sct', code: 'neoplasm' }), true],
    [
      'identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|446053',
      patient({
        identifier: [
          {
            value: '446053',
            type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }] },
          },
        ],
      }),
      true,
    ],
    [
      'identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|446053',
      patient({
        identifier: [
          { value: '1', type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }] } },
          { value: '446053' },
        ],
      }),
      false,
    ],
    [
      'contenttype=text/xml',
      { resourceType: 'DocumentReference', content: [{ attachment: { contentType: 'text/xml; charset=UTF-8' } }] },
      false,
    ],
    [
      'language=fr&language=nl',
      patient({
        communication: [{ language: { coding: [{ code: 'fr' }] } }, { language: { coding: [{ code: 'nl' }] } }],
      }),
      true,
    ],
    ['language=fr&language=nl', patient({ communication: [{ language: { coding: [{ code: 'fr' }] } }] }), false],
    ['language=fr,nl', patient({ communication: [{ language: { coding: [{ code: 'nl' }] } }] }), true],
  ],
  mimetype: [
    [
      'contenttype:below=image',
      { resourceType: 'DocumentReference', content: [{ attachment: { contentType: 'image/png' } }] },
      true,
    ],
    [
      'contenttype:below=image',
      { resourceType: 'DocumentReference', content: [{ attachment: { contentType: 'text/plain' } }] },
      false,
    ],
    [
      'contenttype:below=image',
      { resourceType: 'DocumentReference', content: [{ attachment: { contentType: 'imagery/png' } }] },
      false,
    ],
    [
      'content-type:below=text',
      {
        resourceType: 'Library',
        status: 'active',
        type: { coding: [{ code: 'logic-library' }] },
        content: [{ contentType: 'text/cql; charset=UTF-8' }],
      } as never,
      true,
    ],
    [
      'contenttype:below=text/xml',
      { resourceType: 'DocumentReference', content: [{ attachment: { contentType: 'text/xml; charset=UTF-8' } }] },
      true,
    ],
    [
      'contenttype:below=text/xml',
      { resourceType: 'DocumentReference', content: [{ attachment: { contentType: 'text/xml' } }] },
      true,
    ],
    [
      'contenttype:below=text/x',
      { resourceType: 'DocumentReference', content: [{ attachment: { contentType: 'text/xml' } }] },
      false,
    ],
    [
      'contenttype:above=text/xml; charset=UTF-8',
      { resourceType: 'DocumentReference', content: [{ attachment: { contentType: 'text/xml' } }] },
      true,
    ],
  ],
  parameters: [
    ['race=2106-3', american, true],
    ['race=urn:oid:2.16.840.1.113883.6.238|2106-3', american, true],
    ['race=2028-9', american, false],
    ['ethnicity=2135-2', american, true],
    ['ethnicity=2106-3', american, false],
    ['gender-identity=http://hl7.org/gender|male', american, true],
    [
      'asserted-date=2024-01',
      condition({
        extension: [
          { url: 'http://hl7.org/fhir/StructureDefinition/condition-assertedDate', valueDateTime: '2024-01-05' },
        ],
      }),
      true,
    ],
    [
      'discharge-disposition=home',
      { resourceType: 'Encounter', hospitalization: { dischargeDisposition: { coding: [{ code: 'home' }] } } },
      true,
    ],
    ['description=123', { resourceType: 'Goal', description: { coding: [{ code: '123' }] } }, true],
    ['role=nurse', { resourceType: 'CareTeam', participant: [{ role: [{ coding: [{ code: 'nurse' }] }] }] }, true],
  ],
  quantity: [
    ['value-quantity=5.4|http://unitsofmeasure.org|mmol/L', ucum(5_400, 'umol/L'), true],
    ['value-quantity=5.4|http://unitsofmeasure.org|mmol/L', ucum(5_449.9, 'umol/L'), true],
    ['value-quantity=5.4|http://unitsofmeasure.org|mmol/L', ucum(5_350, 'umol/L'), true],
    ['value-quantity=5.4|http://unitsofmeasure.org|mmol/L', ucum(5_450, 'umol/L'), false],
    ['value-quantity=5.4|http://unitsofmeasure.org|mmol/L', ucum(5_349.9, 'umol/L'), false],
    ['value-quantity=0.0054|http://unitsofmeasure.org|mol/L', ucum(5.4, 'mmol/L'), true],
    ['value-quantity=gt5.4|http://unitsofmeasure.org|mmol/L', ucum(5_400, 'umol/L'), false],
    ['value-quantity=gt5.4|http://unitsofmeasure.org|mmol/L', ucum(5_400.1, 'umol/L'), true],
    ['value-quantity=ne5.4|http://unitsofmeasure.org|mmol/L', ucum(5_400, 'umol/L'), false],
    ['value-quantity=ap5.4|http://unitsofmeasure.org|mmol/L', ucum(5_900, 'umol/L'), true],
    ['value-quantity=lt1|http://unitsofmeasure.org|g', ucum(999, 'mg', { comparator: '<' }), true],
    ['value-quantity=5.4|http://unitsofmeasure.org|mmol/L', measured(5_400, { unit: 'umol/L' }), false],
    ['value-quantity=5.4||mmol/L', ucum(5_400, 'umol/L'), false],
    ['value-quantity=5.4|http://other.org|mmol/L', ucum(5_400, 'umol/L'), false],
    ['value-quantity=5.4|http://unitsofmeasure.org|mmol/L', ucum(5.4, 'mg/L'), false],
    ['value-quantity=37|http://unitsofmeasure.org|Cel', ucum(98.6, '[degF]'), true],
    ['value-quantity=ge38|http://unitsofmeasure.org|Cel', ucum(100.4, '[degF]'), true],
    ['value-quantity=ge38|http://unitsofmeasure.org|Cel', ucum(100.3, '[degF]'), false],
    ['value-quantity=100|http://unitsofmeasure.org|mg/dL', ucum(5.55, 'mmol/L', {}, '2345-7'), true],
    ['value-quantity=100|http://unitsofmeasure.org|mg/dL', ucum(5.6, 'mmol/L', {}, '2345-7'), false],
    ['value-quantity=5.5|http://unitsofmeasure.org|mmol/L', ucum(100, 'mg/dL', {}, '2345-7'), false],
    ['value-quantity=5.6|http://unitsofmeasure.org|mmol/L', ucum(100, 'mg/dL', {}, '2345-7'), true],
    ['value-quantity=5.6|http://unitsofmeasure.org|mmol/L', ucum(100, 'mg/dL', {}, 'unknown'), false],
    ['value-quantity=88|http://unitsofmeasure.org|umol/L', ucum(1, 'mg/dL', {}, '2160-0'), true],
    [
      'combo-code-value-quantity=http://loinc.org|2160-0$88|http://unitsofmeasure.org|umol/L',
      observation({
        code: { coding: [{ system: 'http://loinc.org', code: '2345-7' }] },
        component: [
          {
            code: { coding: [{ system: 'http://loinc.org', code: '2160-0' }] },
            valueQuantity: { value: 1, system: 'http://unitsofmeasure.org', code: 'mg/dL' },
          },
        ],
      }),
      true,
    ],
    [
      'onset-age=gt40|http://unitsofmeasure.org|a',
      condition({
        onsetRange: {
          low: { value: 490, system: 'http://unitsofmeasure.org', code: 'mo' },
          high: { value: 500, system: 'http://unitsofmeasure.org', code: 'mo' },
        },
      }),
      true,
    ],
    [
      'onset-age=gt40|http://unitsofmeasure.org|a',
      condition({
        onsetRange: {
          low: { value: 41, system: 'http://unitsofmeasure.org', code: 'a' },
          high: { value: 500, system: 'http://unitsofmeasure.org', code: 'mo' },
        },
      }),
      false, // two units in one range
    ],
    ['value-quantity=5.4|http://unitsofmeasure.org|mg', measured(5.44, mg), true],
    ['value-quantity=5.4|http://unitsofmeasure.org|mg', measured(5.35, mg), true],
    ['value-quantity=5.4|http://unitsofmeasure.org|mg', measured(5.45, mg), false],
    ['value-quantity=5.4|http://unitsofmeasure.org|mg', measured(5.4, { ...mg, code: 'g' }), false],
    ['value-quantity=5.4|http://unitsofmeasure.org|mg', measured(5.4, { unit: 'mg' }), false],
    ['value-quantity=5.4|http://unitsofmeasure.org|', measured(5.4, mg), true],
    ['value-quantity=5.40e-3|http://unitsofmeasure.org|g', measured(0.005404, { ...mg, code: 'g' }), true],
    ['value-quantity=5.40e-3|http://unitsofmeasure.org|g', measured(0.00541, { ...mg, code: 'g' }), false],
    ['value-quantity=179.23347621031567', measured(179.23347621031567), true],
    ['value-quantity=5.4||mg', measured(5.4, { code: 'mg' }), true],
    ['value-quantity=5.4||mg', measured(5.4, { unit: 'mg' }), true],
    ['value-quantity=5.4||mg', measured(5.4, { unit: 'g' }), false],
    ['value-quantity=5.4', measured(5.4, mg), true],
    ['value-quantity=5.4', measured(5.4), true],
    ['value-quantity=le5.4|http://unitsofmeasure.org|mg', measured(5.4, mg), true],
    ['value-quantity=le5.4|http://unitsofmeasure.org|mg', measured(5.41, mg), false],
    ['value-quantity=ap5.4|http://unitsofmeasure.org|mg', measured(5.9, mg), true],
    ['value-quantity=ap5.4|http://unitsofmeasure.org|mg', measured(6, mg), false],
    ['value-quantity=lt10', measured(5, { comparator: '<' }), true],
    ['value-quantity=ge5', measured(5, { comparator: '<' }), false],
    ['value-quantity=ge5', measured(5, { comparator: '<=' }), true],
    ['value-quantity=gt100', measured(5, { comparator: '>' }), true],
    ['value-quantity=sa5', measured(5, { comparator: '>' }), true],
    ['value-quantity=5', measured(5, { comparator: '<' }), false],
    ['value-quantity=eb5', measured(5, { comparator: '<' }), true],
    ['value-quantity=eb5', measured(5, { comparator: '<=' }), false],
    ['value-quantity=le5', measured(5, { comparator: '>' }), false],
    ['value-quantity=le5', measured(5, { comparator: '>=' }), true],
    [
      'value-quantity=ge5',
      observation({ valueSampledData: { origin: { value: 2 }, period: 10, dimensions: 1, factor: 2, data: '1 E 2' } }),
      true,
    ],
    [
      'value-quantity=gt6',
      observation({ valueSampledData: { origin: { value: 2 }, period: 10, dimensions: 1, factor: 2, data: '1 E 2' } }),
      false,
    ],
    ['onset-age=gt40', condition({ onsetRange: { low: { value: 35 }, high: { value: 45 } } }), true],
    ['onset-age=sa40', condition({ onsetRange: { low: { value: 35 }, high: { value: 45 } } }), false],
    ['onset-age=lt40', condition({ onsetRange: { high: { value: 45 } } }), true],
    ['onset-age=40', condition({ onsetAge: { value: 40 } }), true],
    [
      'price-override=12.50|urn:iso:std:iso:4217|EUR',
      { resourceType: 'ChargeItem', priceOverride: { value: 12.5, currency: 'EUR' } },
      true,
    ],
    [
      'price-override=12.50|urn:iso:std:iso:4217|USD',
      { resourceType: 'ChargeItem', priceOverride: { value: 12.5, currency: 'EUR' } },
      false,
    ],
  ],
  reference: [
    ['subject=Patient/123', about('Patient/123'), true],
    ['subject=Patient/123', about('http://example.org/fhir/Patient/123'), true],
    ['subject=http://example.org/fhir/Patient/123', about('Patient/123'), true],
    ['subject=http://example.org/fhir/Patient/123', about('http://example.org/fhir/Patient/123'), true],
    ['subject=http://other.org/fhir/Patient/123', about('Patient/123'), false],
    ['subject=http://other.org/fhir/Patient/123', about('http://other.org/fhir/Patient/123'), true],
    ['subject=Patient/123', about('http://other.org/fhir/Patient/123'), false],
    ['subject=123', about('Patient/123'), true],
    ['subject=123', about('Group/123'), true],
    ['subject=123', about('Medication/123'), false],
    ['subject=Patient/123', about('Group/123'), false],
    ['subject:Patient=123', about('Patient/123'), true],
    ['subject:Patient=123', about('Group/123'), false],
    ['subject:Patient=Patient/123', about('Patient/123'), true],
    ['patient=123', about('Patient/123'), true],
    ['patient=123', about('Group/123'), false],
    ['subject=12', about('Patient/123'), false],
    ['subject=1,123', about('Patient/123'), true],
    [
      'subject=urn:uuid:6f1f2a3e-6d34-4a5b-9d5c-0c8fdb1d2a11',
      about('urn:uuid:6f1f2a3e-6d34-4a5b-9d5c-0c8fdb1d2a11'),
      true,
    ],
    [
      'subject:identifier=http://acme.org/mrn|123456',
      observation({ subject: { identifier: { system: 'http://acme.org/mrn', value: '123456' } } }),
      true,
    ],
    [
      'subject:identifier=http://acme.org/mrn|1',
      observation({ subject: { identifier: { system: 'http://acme.org/mrn', value: '123456' } } }),
      false,
    ],
    ['subject:identifier=123', about('Patient/123'), false],
    ['subject:missing=true', observation({}), true],
    ['subject=123', observation({ subject: { display: 'somebody' } }), false],
  ],
  versions: [
    ['subject=Patient/123', about('Patient/123/_history/2'), true],
    ['subject=Patient/123/_history/2', about('Patient/123/_history/2'), true],
    ['subject=Patient/123/_history/3', about('Patient/123/_history/2'), false],
    ['subject=Patient/123/_history/2', about('Patient/123'), false],
    ['questionnaire=http://acme.org/q', answered('http://acme.org/q|1.0'), true],
    ['questionnaire=http://acme.org/q|1.0', answered('http://acme.org/q|1.0'), true],
    ['questionnaire=http://acme.org/q|2.0', answered('http://acme.org/q|1.0'), false],
    ['questionnaire:below=http://acme.org/q', answered('http://acme.org/q|1.0'), true],
    ['questionnaire:below=http://acme.org/q|1', answered('http://acme.org/q|1.1'), true],
    ['questionnaire:below=http://acme.org/q|1', answered('http://acme.org/q|10'), false],
    ['questionnaire:below=http://acme.org/q|1', answered('http://acme.org/q'), false],
    ['questionnaire=Questionnaire/1', answered('http://example.org/fhir/Questionnaire/1|3'), true],
  ],
  composite: [
    ['code-value-quantity=http://loinc.org|2823-3$gt5.4|http://unitsofmeasure.org|mmol/L', potassium(5.5), true],
    ['code-value-quantity=http://loinc.org|2823-3$gt5.4|http://unitsofmeasure.org|mmol/L', potassium(5.4), false],
    ['component-code-value-quantity=http://loinc.org|8480-6$lt60', pressure(55, 40), true],
    ['component-code-value-quantity=http://loinc.org|8480-6$lt60', pressure(120, 40), false],
    ['component-code-value-quantity=8480-6$lt60,8462-4$lt60', pressure(120, 40), true],
    [
      'characteristic-value=weight$kg',
      {
        resourceType: 'Group',
        characteristic: [{ code: { coding: [{ code: 'weight' }] }, valueQuantity: { value: 3, unit: 'kg' } }],
      },
      true,
    ],
    [
      'characteristic-value=gender$mixed',
      {
        resourceType: 'Group',
        characteristic: [
          { code: { coding: [{ code: 'gender' }] }, valueCodeableConcept: { coding: [{ code: 'mixed' }] } },
        ],
      },
      true,
    ],
    [
      'characteristic-value=owner$mixed',
      {
        resourceType: 'Group',
        characteristic: [
          { code: { coding: [{ code: 'gender' }] }, valueCodeableConcept: { coding: [{ code: 'mixed' }] } },
          { code: { coding: [{ code: 'owner' }] }, valueBoolean: true },
        ],
      },
      false,
    ],
  ],
};

/** All cases: those of single records, and those that lead to others. */
export const cases: SearchCases = { ...ownCases, ...casesOfJoins };
