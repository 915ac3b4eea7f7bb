import { encounterBody, identifierSystem, numberedPatient, observationBody, patientBody } from '../records.ts';
import type { WireRequest } from './request.ts';
import type { HostileWorld } from './world.ts';

/** A request that is answered with 2xx as it is. */
export interface ValidRequest extends WireRequest {
  /** Writes: what a refusal must leave undone. */
  readonly writes: boolean;
}

const usCorePatient = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient';
const fhirJson = 'application/fhir+json';

/** Every kind of request, with every kind of parameter, each legal. */
export const validRequests = (world: HostileWorld): readonly ValidRequest[] => {
  const { patient, observation, encounter, toDelete, pages, tokens } = world;
  const headers = { authorization: `Bearer ${tokens.physician}`, accept: fhirJson };
  const get = (path: string, query: Record<string, string | readonly string[]> = {}): ValidRequest => ({
    method: 'GET',
    path,
    query: Object.entries(query).flatMap(([name, values]) =>
      [values].flat().map((value): [string, string] => [escape(name), escape(value)]),
    ),
    form: false,
    headers,
    body: undefined,
    writes: false,
  });
  const write = (method: string, path: string, body?: unknown, more: Record<string, string> = {}): ValidRequest => ({
    ...get(path),
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': fhirJson }), ...more },
    body,
    writes: true,
  });
  const subject = `Patient/${patient}`;
  const ucum = 'http://unitsofmeasure.org';
  const searches: ValidRequest[] = [
    get('Patient', { family: 'Hostile', birthdate: ['ge1980', 'lt1990-01-01'], gender: 'female', _count: '2' }),
    get('Patient', { 'name:contains': 'osti', 'deceased:missing': 'true', _sort: '-birthdate,family' }),
    get('Patient', { identifier: `${identifierSystem}|hostile-1`, _elements: 'name,birthDate' }),
    get('Patient', { _id: patient, _lastUpdated: 'gt2020-01-01T00:00:00Z', _summary: 'true' }),
    get('Patient', { 'family:exact': 'Hostile', 'general-practitioner:missing': 'true', _total: 'accurate' }),
    get('Observation', { patient, code: 'http://loinc.org|8867-4', date: ['ge2024-05-01', 'lt2024-06'], _count: '10' }),
    get('Observation', { patient, 'value-quantity': `gt5.4|${ucum}|/min`, _sort: 'date' }),
    get('Observation', { patient, 'code-value-quantity': `http://loinc.org|8867-4$gt60|${ucum}|/min` }),
    get('Observation', { patient, 'code:not': 'x', 'status:text': 'final', category: 'vital-signs' }),
    get('Observation', { subject, _filter: 'code eq 8867-4 and (date ge 2024-01-01 or not (status eq final))' }),
    get('Observation', { patient, _text: '(heart AND rate) OR "some phrase"', _content: 'rate' }),
    get('Observation', { patient, _summary: 'count' }),
    get('Observation', { encounter: `Encounter/${encounter}`, 'performer:identifier': 'http://x.test|1' }),
    get('Encounter', {
      'subject:Patient': patient,
      'date:missing': 'false',
      length: 'gt1|http://unitsofmeasure.org|min',
    }),
    get('RiskAssessment', { patient, probability: 'gt0.5', 'method:text': 'score' }),
    get('Location', { near: '42.25|-83.69|11.2|km', name: 'Clinic' }),
    get('Questionnaire', { 'url:below': 'http://concord.test/', version: '1' }),
    get('Observation', {
      patient,
      'subject:Patient.family': 'Hostile',
      _include: ['Observation:subject', 'Observation:encounter'],
    }),
    get('Observation', {
      'encounter.subject.name': 'Hostile',
      'status:in': 'http://hl7.org/fhir/ValueSet/observation-status',
    }),
    get('Patient', {
      family: 'Hostile',
      '_has:Observation:patient:code': '8867-4',
      _revinclude: 'Observation:subject',
      '_include:iterate': 'Observation:encounter',
    }),
    get('Observation', { _page: pages.own }),
  ];
  const reads: ValidRequest[] = [
    get(subject),
    get(`Observation/${observation}`),
    get(`Observation/${observation}`, { _elements: 'code,subject' }),
    get(`Observation/${observation}/_history/1`, { _summary: 'data', _pretty: 'true' }),
    { ...get(`Encounter/${encounter}`), headers: { ...headers, 'if-none-match': 'W/"77"' } },
    get(`Encounter/${encounter}/_history/1`),
    get(`Encounter/${encounter}/_history`, { _count: '1' }),
    get('Observation/_history', { _count: '2', _since: '2020-01-01T00:00:00Z' }),
    get('_history', { _count: '2', _at: '2026' }),
    get(`${subject}/$everything`, { _count: '3', start: '2020-01-01', _type: 'Observation,Encounter' }),
    get(`Encounter/${encounter}/$everything`, { _since: '2020-01-01T00:00:00Z' }),
    get(`${subject}/$validate`, { profile: usCorePatient, mode: 'update' }),
    get('Observation/$lastn', { patient, category: 'vital-signs', max: '2' }),
    get('metadata', { _format: 'json', _pretty: 'true' }),
  ];
  const forms = searches
    .filter(({ query }) => query.every(([name]) => name !== '_page'))
    .map(
      (search): ValidRequest => ({
        ...search,
        method: 'POST',
        path: `${search.path}/_search`,
        form: true,
        headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
      }),
    );
  const measured = observationBody(subject, {
    identifier: [{ system: identifierSystem, value: 'hostile-n' }],
    encounter: { reference: `Encounter/${encounter}` },
    category: [
      { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'laboratory' }] },
    ],
    note: [{ text: 'As measured', time: '2024-05-06T08:00:00Z' }],
    component: [
      {
        code: { coding: [{ system: 'http://loinc.org', code: '8480-6' }] },
        valueQuantity: { value: 120.5, system: ucum, code: 'mm[Hg]' },
      },
    ],
  });
  const born = 'urn:uuid:2f1d2c1e-1111-4a55-8a83-0c8d5b1f6f11';
  const entries = [
    { fullUrl: born, resource: patientBody(), request: { method: 'POST', url: 'Patient' } },
    { resource: observationBody(born), request: { method: 'POST', url: 'Observation' } },
    { resource: encounterBody(subject), request: { method: 'POST', url: 'Encounter' } },
  ];
  const bundle = (type: string, entry: readonly unknown[]) =>
    write('POST', '', { resourceType: 'Bundle', type, entry });
  const conditional = (method: string, number: string, body?: unknown): ValidRequest => ({
    ...write(method, 'Observation', body),
    query: [['identifier', escape(`${identifierSystem}|${number}`)]],
  });
  const parameters = (parameter: readonly fhir4.ParametersParameter[]) => ({ resourceType: 'Parameters', parameter });
  const asked: ValidRequest[] = [
    write(
      'POST',
      'Patient/$match',
      parameters([
        { name: 'resource', resource: numberedPatient('hostile-1') },
        { name: 'count', valueInteger: 3 },
      ]),
    ),
    write('POST', `${subject}/$everything`, parameters([{ name: 'start', valueDate: '2020-01-01' }])),
    write(
      'POST',
      'Observation/$validate',
      parameters([
        { name: 'resource', resource: measured },
        { name: 'mode', valueCode: 'create' },
      ]),
    ),
    write('POST', `Observation/${observation}/$validate`, { ...measured, id: observation }),
  ];
  const jsonPatch = [
    { op: 'test', path: '/resourceType', value: 'Observation' },
    { op: 'add', path: '/issued', value: '2024-05-02T08:00:00Z' },
    { op: 'add', path: '/valueQuantity/value', value: 73.5 },
  ];
  const fhirPatch = parameters([
    {
      name: 'operation',
      part: [
        { name: 'type', valueCode: 'replace' },
        { name: 'path', valueString: 'Observation.status' },
        { name: 'value', valueCode: 'final' },
      ],
    },
  ]);
  const writes: ValidRequest[] = [
    ...asked,
    // It claims a profile and does not meet it, which is a warning that a header tells.
    write('POST', 'Patient', numberedPatient('hostile-claims', { meta: { profile: [usCorePatient] } })),
    write('POST', 'Patient', patientBody({ telecom: [{ system: 'phone', value: '+1 555 0100' }] })),
    write('POST', 'Observation', measured, { prefer: 'return=minimal' }),
    write('POST', 'Binary', {
      resourceType: 'Binary',
      contentType: 'text/plain',
      securityContext: { reference: subject },
      data: 'aGVsbG8=',
    }),
    write('POST', 'Patient', numberedPatient('hostile-once'), {
      'if-none-exist': `identifier=${escape(`${identifierSystem}|hostile-once`)}`,
    }),
    write('PUT', `Observation/${observation}`, { ...measured, id: observation }, { prefer: 'return=representation' }),
    write('PUT', subject, { ...numberedPatient('hostile-1', { name: [{ family: 'Hostile' }] }), id: patient }),
    write('DELETE', `Observation/${toDelete}`),
    write('PATCH', `Observation/${observation}`, jsonPatch, { 'content-type': 'application/json-patch+json' }),
    write('PATCH', `Observation/${observation}`, fhirPatch),
    conditional('PUT', 'hostile-p', { ...measured, identifier: [{ system: identifierSystem, value: 'hostile-p' }] }),
    conditional('DELETE', 'hostile-gone'),
    bundle('transaction', entries),
    bundle('transaction', [
      ...entries.slice(0, 1),
      {
        fullUrl: 'urn:uuid:2f1d2c1e-2222-4a55-8a83-0c8d5b1f6f11',
        resource: observationBody(born, {
          text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml"><a href="${born}">x</a></div>` },
          extension: [{ url: 'http://concord.test/about', valueUri: `${born}#name` }],
        }),
        request: { method: 'POST', url: 'Observation' },
      },
      {
        resource: { ...measured, identifier: [{ system: identifierSystem, value: 'hostile-q' }] },
        request: { method: 'PUT', url: `Observation?identifier=${escape(`${identifierSystem}|hostile-q`)}` },
      },
      { request: { method: 'HEAD', url: subject } },
      { request: { method: 'GET', url: `?_type=Observation&patient=${patient}&_count=1` } },
      { request: { method: 'POST', url: `Observation/_search?patient=${patient}&_count=1` } },
      { resource: parameters([]), request: { method: 'POST', url: `${subject}/$meta` } },
    ]),
    bundle('batch', [
      ...entries.slice(2),
      { request: { method: 'GET', url: `Observation?patient=${patient}&_count=1` } },
      { request: { method: 'GET', url: subject } },
    ]),
  ];
  return [...searches, ...reads, ...forms, ...writes];
};

const escape = (text: string): string => encodeURIComponent(text);
