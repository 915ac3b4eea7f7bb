import type { Resource } from '../fhir/resource.ts';
import type { AuditEntry, AuditedInteraction } from './audit-row.ts';
import { recordedIn } from './disclosure-event.ts';

/** How an interaction reads as AuditEvent.action. https://hl7.org/fhir/R4/valueset-audit-event-action.html */
const actions: Readonly<Record<AuditedInteraction, 'C' | 'R' | 'U' | 'D' | 'E'>> = {
  create: 'C',
  read: 'R',
  vread: 'R',
  update: 'U',
  patch: 'U',
  delete: 'D',
  'history-instance': 'R',
  'history-type': 'E',
  'history-system': 'E',
  'search-type': 'E',
  'search-system': 'E',
  operation: 'E',
};

const dicom = 'http://dicom.nema.org/resources/ontology/DCM';
const entityType = 'http://terminology.hl7.org/CodeSystem/audit-entity-type';
const entityRole = 'http://terminology.hl7.org/CodeSystem/object-role';

/** An access in the log, and whether it was refused in the end. */
export interface AuditedAccess {
  readonly id: string;
  readonly entry: AuditEntry;
  readonly refused: boolean;
  /** Reference to the patient whose chart it was, if it was a patient's. */
  readonly patient: string | undefined;
}

/**
 * Shows an access as FHIR, in the shape of IHE's Basic Audit Log Patterns: who, acting for whom, did what with which records of which
 * patient, in which request. https://hl7.org/fhir/R4/auditevent.html, https://profiles.ihe.net/ITI/BALP/
 */
export const auditEvent = ({ id, entry, refused, patient }: AuditedAccess): Resource => ({
  resourceType: 'AuditEvent',
  id,
  meta: { versionId: '1', lastUpdated: new Date(entry.at).toISOString() },
  type: {
    system: 'http://terminology.hl7.org/CodeSystem/audit-event-type',
    code: 'rest',
    display: 'Restful Operation',
  },
  subtype: [{ system: 'http://hl7.org/fhir/restful-interaction', code: entry.interaction, display: entry.interaction }],
  action: actions[entry.interaction],
  recorded: new Date(entry.at).toISOString(),
  outcome: refused ? '4' : '0',
  ...(refused ? { outcomeDesc: 'Refused: nothing was shown' } : {}),
  ...recordedIn(entry).elements,
  ...(entry.purpose === undefined
    ? {}
    : {
        purposeOfEvent: [
          { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: entry.purpose }] },
        ],
      }),
  agent: [
    {
      type: {
        coding: [
          {
            system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType',
            code: 'IRCP',
            display: 'information recipient',
          },
        ],
      },
      role: entry.roles.map((role) => ({ text: role })),
      who: { reference: entry.fhirUser, identifier: { value: entry.subject }, display: entry.name },
      altId: entry.subject,
      name: entry.name,
      requestor: true,
    },
    {
      type: { coding: [{ system: dicom, code: '110150', display: 'Application' }] },
      who: { identifier: { value: entry.client } },
      requestor: false,
    },
    ...(entry.organization === undefined
      ? []
      : [
          {
            type: {
              coding: [
                {
                  system: 'http://terminology.hl7.org/CodeSystem/v3-RoleClass',
                  code: 'PROV',
                  display: 'healthcare provider',
                },
              ],
            },
            who: { reference: `Organization/${entry.organization}` },
            requestor: false,
          },
        ]),
    ...recordedIn(entry).agents,
  ],
  source: {
    observer: { display: 'Concord' },
    type: [
      {
        system: 'http://terminology.hl7.org/CodeSystem/security-source-type',
        code: '4',
        display: 'Application Server',
      },
    ],
  },
  entity: [
    ...(patient === undefined
      ? []
      : [
          {
            what: { reference: patient },
            type: { system: entityType, code: '1', display: 'Person' },
            role: { system: entityRole, code: '1', display: 'Patient' },
          },
        ]),
    ...entry.what
      .filter((reference) => reference !== patient)
      .map((reference) => ({
        what: { reference },
        type: { system: entityType, code: '2', display: 'System Object' },
        role: { system: entityRole, code: '4', display: 'Domain Resource' },
      })),
    ...(entry.query === undefined
      ? []
      : [
          {
            type: { system: entityType, code: '2', display: 'System Object' },
            role: { system: entityRole, code: '24', display: 'Query' },
            query: Buffer.from(entry.query).toString('base64'),
          },
        ]),
    {
      what: { identifier: { value: entry.request } },
      type: { system: 'https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType', code: 'XrequestId' },
    },
  ],
});
