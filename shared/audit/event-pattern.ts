import { type AuditEntry, operationOf } from './audit-row.ts';

// How an access reads as AuditEvent, by the tables of IHE's Basic Audit Log Patterns. https://profiles.ihe.net/ITI/BALP/

/** Type, subtypes and action of an event, and what its user, application and server are in it. */
export interface EventPattern {
  readonly type: fhir4.Coding;
  readonly subtype: readonly fhir4.Coding[];
  readonly action: 'C' | 'R' | 'U' | 'D' | 'E';
  readonly user: fhir4.Coding;
  readonly client: fhir4.Coding;
  readonly server: fhir4.Coding;
}

export const dicom = 'http://dicom.nema.org/resources/ontology/DCM';
const participation = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType';

const inDicom = (code: string, display: string): fhir4.Coding => ({ system: dicom, code, display });
const restful = (code: string): fhir4.Coding => ({
  system: 'http://hl7.org/fhir/restful-interaction',
  code,
  display: code,
});

const rest: fhir4.Coding = {
  system: 'http://terminology.hl7.org/CodeSystem/audit-event-type',
  code: 'rest',
  display: 'Restful Operation',
};
const source = inDicom('110153', 'Source Role ID');
const destination = inDicom('110152', 'Destination Role ID');
const application = inDicom('110150', 'Application');
const custodian: fhir4.Coding = {
  system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type',
  code: 'custodian',
  display: 'Custodian',
};
const author: fhir4.Coding = { system: participation, code: 'AUT', display: 'author (originator)' };
const recipient: fhir4.Coding = { system: participation, code: 'IRCP', display: 'information recipient' };
const disclose: fhir4.Coding = {
  system: 'http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle',
  code: 'disclose',
  display: 'Disclose Record Lifecycle Event',
};

const writing = { type: rest, user: author, client: source, server: destination };
const reading = { type: rest, user: recipient, client: destination, server: source };
/** A query's words go from the application to the server, so the application is its source. */
const asking = { type: rest, user: recipient, client: source, server: destination, action: 'E' } as const;
const securityAlert = { ...asking, type: inDicom('110113', 'Security Alert'), client: application, server: custodian };

/** https://dicom.nema.org/medical/dicom/current/output/chtml/part15/sect_A.5.3.html */
const authentication = { ...securityAlert, type: inDicom('110114', 'User Authentication') };

/** Operations that give out a chart, or a part of it, as a whole. */
const exports: ReadonlySet<string> = new Set(['$everything', '$docref', '$document', '$summary', '$export']);

const ofOperation = (entry: AuditEntry): EventPattern => {
  const name = operationOf(entry);
  const subtype = [restful('operation'), ...(name === undefined ? [] : [{ code: name, display: name }])];
  if (entry.disclosure || (name !== undefined && exports.has(name)))
    return { ...reading, type: inDicom('110106', 'Export'), subtype: [disclose, ...subtype], action: 'R' };
  if (name === '$break-glass')
    return { ...securityAlert, subtype: [inDicom('110127', 'Emergency Override Started'), ...subtype] };
  return { ...asking, subtype };
};

/** The pattern of an access. */
export const patternOf = (entry: AuditEntry): EventPattern => {
  const { interaction } = entry;
  const subtype = [restful(interaction)];
  switch (interaction) {
    case 'create':
      return { ...writing, subtype, action: 'C' };
    case 'update':
    case 'patch':
      return { ...writing, subtype, action: 'U' };
    case 'delete':
      return { type: rest, subtype, action: 'D', user: author, client: application, server: custodian };
    case 'read':
    case 'vread':
    case 'history-instance':
      return { ...reading, subtype, action: 'R' };
    case 'operation':
      return ofOperation(entry);
    case 'sign-in':
      return { ...authentication, subtype: [inDicom('110122', 'Login')] };
    case 'sign-out':
      return { ...authentication, subtype: [inDicom('110123', 'Logout')] };
    case 'privilege':
      return { ...securityAlert, subtype: [inDicom('110136', 'Security Roles Changed')] };
    default:
      return { ...asking, subtype };
  }
};
