import { maskedLabel, maskedValue } from '../fhir/masks.ts';
import type { Resource } from '../fhir/resource.ts';
import type { AuditEntry } from './audit-row.ts';
import { recordedIn } from './disclosure-event.ts';
import { patternOf } from './event-pattern.ts';

const entityType = 'http://terminology.hl7.org/CodeSystem/audit-entity-type';
const entityRole = 'http://terminology.hl7.org/CodeSystem/object-role';

/** An access in the log, and whether it was refused in the end. */
export interface AuditedAccess {
  readonly id: string;
  readonly entry: AuditEntry;
  readonly refused: boolean;
  /** Reference to the patient whose chart it was, if it was a patient's. */
  readonly patient: string | undefined;
  /** Labels of what it names, by reference, where they are known of each; else those of the row are taken to be those of all. */
  readonly labelled?: ReadonlyMap<string, readonly string[]>;
  /** Whether it names something that is not told of here, and so is not in the entry. */
  readonly masked?: boolean;
}

/** A label as a row keeps it, `system|code`. */
const labelOf = (label: string): fhir4.Coding => {
  const bar = label.lastIndexOf('|');
  return { ...(bar > 0 ? { system: label.slice(0, bar) } : {}), code: label.slice(bar + 1) };
};

const purposeIn = ({ purpose }: AuditEntry): fhir4.CodeableConcept[] =>
  purpose === undefined
    ? []
    : [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: purpose }] }];

const concept = (coding: fhir4.Coding): fhir4.CodeableConcept => ({ coding: [coding] });

/** This server, which records the event too. */
const observer = { display: 'Concord' };

const outcomeOf = ({ outcome, refusal }: AuditEntry, refused: boolean) => {
  if (refusal !== undefined) return { outcome: '4', outcomeDesc: `Refused: ${refusal}` };
  if (outcome === 'failed') return { outcome: '4', outcomeDesc: 'Failed' };
  return refused || outcome === 'refused'
    ? { outcome: '4', outcomeDesc: 'Refused: nothing was shown' }
    : { outcome: '0' };
};

const agentsOf = (entry: AuditEntry): fhir4.AuditEventAgent[] => {
  const { user, client, server } = patternOf(entry);
  const purpose = purposeIn(entry);
  return [
    {
      type: concept(user),
      ...(entry.roles.length === 0 ? {} : { role: entry.roles.map((role) => ({ text: role })) }),
      who: {
        ...(entry.fhirUser === '' ? {} : { reference: entry.fhirUser }),
        identifier: { value: entry.subject },
        display: entry.name,
      },
      altId: entry.subject,
      name: entry.name,
      requestor: true,
      ...(entry.basis === undefined ? {} : { policy: [`urn:concord:basis:${entry.basis}`] }),
      ...(purpose.length === 0 ? {} : { purposeOfUse: purpose }),
    },
    { type: concept(client), who: { identifier: { value: entry.client } }, requestor: false },
    { type: concept(server), who: observer, requestor: false },
    ...(entry.organization === undefined
      ? []
      : [
          {
            type: concept({
              system: 'http://terminology.hl7.org/CodeSystem/v3-RoleClass',
              code: 'PROV',
              display: 'healthcare provider',
            }),
            who: { reference: `Organization/${entry.organization}` },
            requestor: false,
          },
        ]),
    ...(entry.behalf === undefined
      ? []
      : [{ type: { text: 'on behalf of' }, who: { reference: entry.behalf }, requestor: false }]),
    ...recordedIn(entry).agents,
  ];
};

const entitiesOf = ({ entry, patient, labelled, masked }: AuditedAccess): fhir4.AuditEventEntity[] => {
  const { what, query, labels = [], request } = entry;
  const labelsOf = (reference: string) => (labelled ? (labelled.get(reference) ?? []) : labels).map(labelOf);
  return [
    ...(patient === undefined
      ? []
      : [
          {
            what: { reference: patient },
            type: { system: entityType, code: '1', display: 'Person' },
            role: { system: entityRole, code: '1', display: 'Patient' },
          },
        ]),
    ...what.map((reference) => ({
      what: { reference },
      // Beside a query, what it found is not the "System Object": that is the query itself.
      type:
        query === undefined
          ? { system: entityType, code: '2', display: 'System Object' }
          : { system: 'http://hl7.org/fhir/resource-types', code: reference.split('/')[0] ?? '' },
      role: { system: entityRole, code: '4', display: 'Domain Resource' },
      ...(labelsOf(reference).length === 0 ? {} : { securityLabel: labelsOf(reference) }),
    })),
    ...(masked
      ? [{ what: { extension: maskedValue }, role: { system: entityRole, code: '4', display: 'Domain Resource' } }]
      : []),
    ...(query === undefined
      ? []
      : [
          {
            type: { system: entityType, code: '2', display: 'System Object' },
            role: { system: entityRole, code: '24', display: 'Query' },
            query: Buffer.from(query).toString('base64'),
          },
        ]),
    {
      what: { identifier: { value: request } },
      type: { system: 'https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType', code: 'XrequestId' },
    },
  ];
};

/**
 * Shows an access as FHIR, in the shape of IHE's Basic Audit Log Patterns: who, acting for whom, why and by what right, did what with which records of
 * which patient, in which request. The patterns also ask for the addresses of machines; the log keeps none, so no event claims to follow a profile.
 * https://hl7.org/fhir/R4/auditevent.html, https://profiles.ihe.net/ITI/BALP/
 */
export const auditEvent = (access: AuditedAccess): Resource => {
  const { id, entry, refused, masked } = access;
  const security = [...(entry.labels ?? []).map(labelOf), ...(masked ? [maskedLabel] : [])];
  const { type, subtype, action } = patternOf(entry);
  const purposeOfEvent = purposeIn(entry);
  const recorded = new Date(entry.at).toISOString();
  return {
    resourceType: 'AuditEvent',
    id,
    meta: {
      versionId: '1',
      lastUpdated: recorded,
      ...(security.length === 0 ? {} : { security }),
    },
    type,
    subtype: [...subtype],
    action,
    recorded,
    ...outcomeOf(entry, refused),
    ...(purposeOfEvent.length === 0 ? {} : { purposeOfEvent }),
    ...recordedIn(entry).elements,
    agent: agentsOf(entry),
    source: {
      observer,
      type: [
        {
          system: 'http://terminology.hl7.org/CodeSystem/security-source-type',
          code: '4',
          display: 'Application Server',
        },
      ],
    },
    entity: entitiesOf(access),
  };
};
