import { describe, expect, it } from 'vitest';
import { auditEvent } from '../../shared/audit/audit-event.ts';
import type { AuditEntry, AuditedInteraction } from '../../shared/audit/audit-row.ts';
import { checkInvariants } from '../../shared/fhir/check-invariants.ts';
import { auditEventInvariants } from '../../shared/fhir/generated/invariants/AuditEvent.ts';
import { auditEventSchema } from '../../shared/fhir/generated/schemas/AuditEvent.ts';
import { validateStructure } from '../../shared/fhir/validate.ts';

const entry = (over: Partial<AuditEntry> = {}): AuditEntry => ({
  at: Date.UTC(2026, 10, 24, 8, 30),
  interaction: 'read',
  what: ['Observation/o-1'],
  subject: 'sub-1',
  name: 'nurse@northside.example',
  client: 'app',
  fhirUser: 'Practitioner/northside-nurse',
  roles: ['nurse'],
  organization: 'northside',
  request: 'r-1',
  ...over,
});
const shown = (over: Partial<AuditEntry> = {}, refused = false, patient: string | undefined = 'Patient/p-1') =>
  auditEvent({ id: 'a-1', entry: entry(over), refused, patient }) as unknown as fhir4.AuditEvent;

const actions: [AuditedInteraction, string][] = [
  ['create', 'C'],
  ['read', 'R'],
  ['vread', 'R'],
  ['update', 'U'],
  ['patch', 'U'],
  ['delete', 'D'],
  ['history-instance', 'R'],
  ['search-type', 'E'],
  ['operation', 'E'],
];

const { organization: _organization, ...ofPatient } = entry({ roles: ['patient'], fhirUser: 'Patient/p-1' });

describe('an AuditEvent', () => {
  const every: readonly (readonly [string, object])[] = [
    ['a read', shown()],
    ['a refused read', shown({}, true)],
    ['a search of a chart', shown({ interaction: 'search-type', what: [], query: 'Observation?patient=p-1' })],
    [
      'a search that found much',
      shown({ interaction: 'search-type', what: ['Task/1', 'Task/2'], query: 'Task?status=ready' }),
    ],
    [
      'an access that concerns no patient',
      auditEvent({ id: 'a-1', entry: entry(), refused: false, patient: undefined }),
    ],
    ['an access by a patient', auditEvent({ id: 'a-1', entry: ofPatient, refused: false, patient: 'Patient/p-1' })],
    ...actions.map(([interaction]) => [interaction, shown({ interaction })] as const),
  ];
  it.each(every)('is legal R4: %s', (_name, event) => {
    expect(validateStructure(auditEventSchema, event)).toEqual([]);
    expect(
      checkInvariants(auditEventSchema, auditEventInvariants, event).filter(({ severity }) => severity === 'error'),
    ).toEqual([]);
  });

  it.each(actions)('says that %s is %s', (interaction, action) => {
    const event = shown({ interaction });

    expect(event.action).toBe(action);
    expect(event.subtype?.[0]).toMatchObject({ system: 'http://hl7.org/fhir/restful-interaction', code: interaction });
  });

  it('says who, with which application on which server, for which organisation', () => {
    const [person, application, server, organization] = shown().agent;

    expect(person).toMatchObject({
      who: { reference: 'Practitioner/northside-nurse' },
      name: 'nurse@northside.example',
      role: [{ text: 'nurse' }],
      requestor: true,
    });
    expect(application).toMatchObject({ who: { identifier: { value: 'app' } }, requestor: false });
    expect(server).toMatchObject({ who: { display: 'Concord' }, requestor: false });
    expect(organization).toMatchObject({ who: { reference: 'Organization/northside' }, requestor: false });
  });

  it('says what, of whom, in which request', () => {
    const entities = shown().entity ?? [];

    expect(entities.map(({ what }) => what?.reference ?? what?.identifier?.value)).toEqual([
      'Patient/p-1',
      'Observation/o-1',
      'r-1',
    ]);
    expect(entities[0]?.role?.code).toBe('1');
  });

  it('names the patient as such, and once more where the patient is what was read', () => {
    const roles = shown({ what: ['Patient/p-1'] }).entity?.map(({ what, role }) => [what?.reference, role?.code]);

    expect(roles?.filter(([reference]) => reference === 'Patient/p-1')).toEqual([
      ['Patient/p-1', '1'],
      ['Patient/p-1', '4'],
    ]);
  });

  it('holds the query of a search, encoded as FHIR asks', () => {
    const query = shown({ interaction: 'search-type', query: 'Patient?name=ä' }).entity?.find(
      (entity) => entity.query,
    )?.query;

    expect(Buffer.from(query ?? '', 'base64').toString()).toBe('Patient?name=ä');
  });

  it('tells an access that was refused from one that was not', () => {
    expect(shown().outcome).toBe('0');
    expect(shown({}, true)).toMatchObject({ outcome: '4', outcomeDesc: 'Refused: nothing was shown' });
  });

  it('says why, by what right, for whom and of what labels, where the row does', () => {
    const event = shown({
      purpose: 'BTG',
      basis: 'break-glass',
      behalf: 'Organization/westside',
      labels: ['http://terminology.hl7.org/CodeSystem/v3-ActCode|HIV', 'PSY'],
    });

    const labels = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'HIV' }, { code: 'PSY' }];
    const purpose = [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'BTG' }] }];
    expect(event.purposeOfEvent).toEqual(purpose);
    expect(event.agent[0]).toMatchObject({ purposeOfUse: purpose, policy: ['urn:concord:basis:break-glass'] });
    expect(event.agent.at(-1)).toMatchObject({ who: { reference: 'Organization/westside' }, requestor: false });
    expect(event.meta?.security).toEqual(labels);
    expect(event.entity?.find(({ what }) => what?.reference === 'Observation/o-1')?.securityLabel).toEqual(labels);
    expect(event.entity?.find(({ role }) => role?.code === '1')?.securityLabel).toBeUndefined();
  });

  it('gives each record its own labels where they are known, and says where something is not told', () => {
    const labelled = new Map([['Observation/o-1', ['urn:x|HIV']]]);
    const labels = ['urn:x|HIV', 'urn:x|PSY'];
    const said = entry({ what: ['Observation/o-1', 'Observation/o-2'], labels });
    const event = auditEvent({
      id: 'a-1',
      entry: said,
      refused: false,
      patient: 'Patient/p-1',
      labelled,
      masked: true,
    });

    expect(validateStructure(auditEventSchema, event)).toEqual([]);
    const { entity = [], meta } = event as unknown as fhir4.AuditEvent;
    const of = (reference: string) => entity.find(({ what }) => what?.reference === reference)?.securityLabel;
    expect([of('Observation/o-1'), of('Observation/o-2')]).toEqual([[{ system: 'urn:x', code: 'HIV' }], undefined]);
    expect(meta?.security?.map(({ code }) => code)).toEqual(['HIV', 'PSY', 'MASKED']);
    expect(entity.map(({ what }) => what?.extension?.[0]?.valueCode).filter(Boolean)).toEqual(['masked']);
  });

  it.each([
    ['refused', 'Refused: nothing was shown'],
    ['failed', 'Failed'],
  ] as const)('tells of a row that says itself that it was %s', (outcome, outcomeDesc) => {
    expect(shown({ outcome })).toMatchObject({ outcome: '4', outcomeDesc });
  });
});

/** What the patterns require of an event, written down from them by hand. */
interface Required {
  readonly type: string;
  readonly subtypes: readonly string[];
  readonly action: string;
  readonly user: string;
  readonly client: string;
  readonly server: string;
  /** Type and role of each entity, in any order. */
  readonly entities: readonly string[];
}

const transaction = 'XrequestId -';
const patientEntity = '1 1';
const data = '2 4';
const writes = { type: 'rest', user: 'AUT', client: '110153', server: '110152' };
const reads = { type: 'rest', user: 'IRCP', client: '110152', server: '110153' };
const asks = { type: 'rest', user: 'IRCP', client: '110153', server: '110152', action: 'E' };
const alert = { user: 'IRCP', client: '110150', server: 'custodian', action: 'E' };
const ofOne = [patientEntity, data, transaction];

const patterns: readonly (readonly [string, Partial<AuditEntry>, Required])[] = [
  ['PatientCreate', { interaction: 'create' }, { ...writes, subtypes: ['create'], action: 'C', entities: ofOne }],
  ['PatientRead', {}, { ...reads, subtypes: ['read'], action: 'R', entities: ofOne }],
  [
    'PatientRead of a version',
    { interaction: 'vread' },
    { ...reads, subtypes: ['vread'], action: 'R', entities: ofOne },
  ],
  ['PatientUpdate', { interaction: 'update' }, { ...writes, subtypes: ['update'], action: 'U', entities: ofOne }],
  [
    'PatientUpdate by patch',
    { interaction: 'patch' },
    { ...writes, subtypes: ['patch'], action: 'U', entities: ofOne },
  ],
  [
    'PatientDelete',
    { interaction: 'delete' },
    {
      type: 'rest',
      subtypes: ['delete'],
      action: 'D',
      user: 'AUT',
      client: '110150',
      server: 'custodian',
      entities: ofOne,
    },
  ],
  [
    'PatientQuery',
    { interaction: 'search-type', query: 'Observation?patient=p-1' },
    { ...asks, subtypes: ['search-type'], entities: [patientEntity, 'Observation 4', '2 24', transaction] },
  ],
  [
    'PrivacyDisclosure.Source of a whole chart',
    { interaction: 'operation', query: 'Patient/p-1/$everything' },
    {
      ...reads,
      type: '110106',
      subtypes: ['disclose', 'operation', '$everything'],
      action: 'R',
      entities: [patientEntity, 'Observation 4', '2 24', transaction],
    },
  ],
  [
    'PrivacyDisclosure.Source of a document',
    { interaction: 'operation', operation: '$document' },
    {
      ...reads,
      type: '110106',
      subtypes: ['disclose', 'operation', '$document'],
      action: 'R',
      entities: ofOne,
    },
  ],
  [
    'another operation',
    { interaction: 'operation', operation: '$lastn' },
    { ...asks, subtypes: ['operation', '$lastn'], entities: ofOne },
  ],
  [
    'the login of DICOM',
    { interaction: 'sign-in', what: [] },
    { ...alert, type: '110114', subtypes: ['110122'], entities: [patientEntity, transaction] },
  ],
  [
    'the logout of DICOM',
    { interaction: 'sign-out', what: [] },
    { ...alert, type: '110114', subtypes: ['110123'], entities: [patientEntity, transaction] },
  ],
  [
    'the emergency override of DICOM',
    { interaction: 'operation', operation: '$break-glass', what: [] },
    {
      ...alert,
      type: '110113',
      subtypes: ['110127', 'operation', '$break-glass'],
      entities: [patientEntity, transaction],
    },
  ],
  [
    'the change of roles of DICOM',
    { interaction: 'privilege', what: [] },
    { ...alert, type: '110113', subtypes: ['110136'], entities: [patientEntity, transaction] },
  ],
];

describe('the patterns of IHE and DICOM', () => {
  it.each(patterns)('are kept: %s', (_name, over, required) => {
    const event = shown(over);

    const [user, client, server] = event.agent.map(({ type }) => type?.coding?.[0]?.code);
    const entities = event.entity?.map(({ type, role }) => `${type?.code} ${role?.code ?? '-'}`);
    const subtypes = event.subtype?.map(({ code }) => code);
    expect({ type: event.type.code, subtypes, action: event.action, user, client, server, entities }).toEqual(required);
    expect(event.agent.map(({ requestor }) => requestor)).toEqual([true, false, false, false]);
    expect(event.agent.every(({ who }) => who !== undefined)).toBe(true);
    expect(event.agent[2]?.who).toEqual(event.source.observer);
    expect(event.outcome).toBe('0');
    expect(validateStructure(auditEventSchema, event)).toEqual([]);
  });
});
