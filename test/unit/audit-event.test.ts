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

  it('says who, with which application, for which organisation', () => {
    const [person, application, organization] = shown().agent;

    expect(person).toMatchObject({
      who: { reference: 'Practitioner/northside-nurse' },
      name: 'nurse@northside.example',
      role: [{ text: 'nurse' }],
      requestor: true,
    });
    expect(application).toMatchObject({ who: { identifier: { value: 'app' } }, requestor: false });
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

  it('names the patient once where the patient is what was read', () => {
    const references = shown({ what: ['Patient/p-1'] }).entity?.map(({ what }) => what?.reference);

    expect(references?.filter((reference) => reference === 'Patient/p-1')).toHaveLength(1);
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
});
