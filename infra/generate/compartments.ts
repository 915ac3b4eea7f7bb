import { patientCompartmentDefinition } from './fhirpath/definitions.ts';

type Compartment = Record<string, readonly string[]>;

// https://hl7.org/fhir/R4/compartmentdefinition-encounter.html
const encounter: Compartment = {
  CarePlan: ['encounter'],
  CareTeam: ['encounter'],
  ChargeItem: ['context'],
  Claim: ['encounter'],
  ClinicalImpression: ['encounter'],
  Communication: ['encounter'],
  CommunicationRequest: ['encounter'],
  Composition: ['encounter'],
  Condition: ['encounter'],
  DeviceRequest: ['encounter'],
  DiagnosticReport: ['encounter'],
  DocumentManifest: ['related-ref'],
  DocumentReference: ['encounter'],
  ExplanationOfBenefit: ['encounter'],
  Media: ['encounter'],
  MedicationAdministration: ['context'],
  MedicationRequest: ['encounter'],
  NutritionOrder: ['encounter'],
  Observation: ['encounter'],
  Procedure: ['encounter'],
  QuestionnaireResponse: ['encounter'],
  RequestGroup: ['encounter'],
  ServiceRequest: ['encounter'],
  VisionPrescription: ['encounter'],
};

// https://hl7.org/fhir/R4/compartmentdefinition-practitioner.html
const practitioner: Compartment = {
  Account: ['subject'],
  AdverseEvent: ['recorder'],
  AllergyIntolerance: ['recorder', 'asserter'],
  Appointment: ['actor'],
  AppointmentResponse: ['actor'],
  AuditEvent: ['agent'],
  Basic: ['author'],
  CarePlan: ['performer'],
  CareTeam: ['participant'],
  ChargeItem: ['enterer', 'performer-actor'],
  Claim: ['enterer', 'provider', 'payee', 'care-team'],
  ClaimResponse: ['requestor'],
  ClinicalImpression: ['assessor'],
  Communication: ['sender', 'recipient'],
  CommunicationRequest: ['sender', 'recipient', 'requester'],
  Composition: ['subject', 'author', 'attester'],
  Condition: ['asserter'],
  CoverageEligibilityRequest: ['enterer', 'provider'],
  CoverageEligibilityResponse: ['requestor'],
  DetectedIssue: ['author'],
  DeviceRequest: ['requester', 'performer'],
  DiagnosticReport: ['performer'],
  DocumentManifest: ['subject', 'author', 'recipient'],
  DocumentReference: ['subject', 'author', 'authenticator'],
  Encounter: ['practitioner', 'participant'],
  EpisodeOfCare: ['care-manager'],
  ExplanationOfBenefit: ['enterer', 'provider', 'payee', 'care-team'],
  Flag: ['author'],
  Group: ['member'],
  Immunization: ['performer'],
  Invoice: ['participant'],
  Linkage: ['author'],
  List: ['source'],
  Media: ['subject', 'operator'],
  MedicationAdministration: ['performer'],
  MedicationDispense: ['performer', 'receiver'],
  MedicationRequest: ['requester'],
  MedicationStatement: ['source'],
  MessageHeader: ['receiver', 'author', 'responsible', 'enterer'],
  NutritionOrder: ['provider'],
  Observation: ['performer'],
  Patient: ['general-practitioner'],
  PaymentNotice: ['provider'],
  PaymentReconciliation: ['requestor'],
  Person: ['practitioner'],
  PractitionerRole: ['practitioner'],
  Procedure: ['performer'],
  Provenance: ['agent'],
  QuestionnaireResponse: ['author', 'source'],
  RequestGroup: ['participant', 'author'],
  ResearchStudy: ['principalinvestigator'],
  RiskAssessment: ['performer'],
  Schedule: ['actor'],
  ServiceRequest: ['performer', 'requester'],
  Specimen: ['collector'],
  SupplyDelivery: ['supplier', 'receiver'],
  SupplyRequest: ['requester'],
  VisionPrescription: ['prescriber'],
};

// https://hl7.org/fhir/R4/compartmentdefinition-relatedperson.html
const relatedPerson: Compartment = {
  AdverseEvent: ['recorder'],
  AllergyIntolerance: ['asserter'],
  Appointment: ['actor'],
  AppointmentResponse: ['actor'],
  Basic: ['author'],
  CarePlan: ['performer'],
  CareTeam: ['participant'],
  ChargeItem: ['enterer', 'performer-actor'],
  Claim: ['payee'],
  Communication: ['sender', 'recipient'],
  CommunicationRequest: ['sender', 'recipient', 'requester'],
  Composition: ['author'],
  Condition: ['asserter'],
  Coverage: ['policy-holder', 'subscriber', 'payor'],
  DocumentManifest: ['author', 'recipient'],
  DocumentReference: ['author'],
  Encounter: ['participant'],
  ExplanationOfBenefit: ['payee'],
  Invoice: ['recipient'],
  MedicationAdministration: ['performer'],
  MedicationStatement: ['source'],
  Observation: ['performer'],
  Patient: ['link'],
  Person: ['link'],
  Procedure: ['performer'],
  Provenance: ['agent'],
  QuestionnaireResponse: ['author', 'source'],
  RequestGroup: ['participant'],
  Schedule: ['actor'],
  ServiceRequest: ['performer'],
  SupplyRequest: ['requester'],
};

// https://hl7.org/fhir/R4/compartmentdefinition-device.html
const device: Compartment = {
  Account: ['subject'],
  Appointment: ['actor'],
  AppointmentResponse: ['actor'],
  AuditEvent: ['agent'],
  ChargeItem: ['enterer', 'performer-actor'],
  Claim: ['procedure-udi', 'item-udi', 'detail-udi', 'subdetail-udi'],
  Communication: ['sender', 'recipient'],
  CommunicationRequest: ['sender', 'recipient'],
  Composition: ['author'],
  DetectedIssue: ['author'],
  DeviceRequest: ['device', 'subject', 'requester', 'performer'],
  DeviceUseStatement: ['device'],
  DiagnosticReport: ['subject'],
  DocumentManifest: ['subject', 'author'],
  DocumentReference: ['subject', 'author'],
  ExplanationOfBenefit: ['procedure-udi', 'item-udi', 'detail-udi', 'subdetail-udi'],
  Flag: ['author'],
  Group: ['member'],
  Invoice: ['participant'],
  List: ['subject', 'source'],
  Media: ['subject'],
  MedicationAdministration: ['device'],
  MessageHeader: ['target'],
  Observation: ['subject', 'device'],
  Provenance: ['agent'],
  QuestionnaireResponse: ['author'],
  RequestGroup: ['author'],
  RiskAssessment: ['performer'],
  Schedule: ['actor'],
  ServiceRequest: ['performer', 'requester'],
  Specimen: ['subject'],
  SupplyRequest: ['requester'],
};

/** The record that names the compartment is in it, whatever else puts its type there. */
const withItself = (type: string, compartment: Compartment): Compartment => ({
  ...compartment,
  [type]: ['_id', ...(compartment[type] ?? [])],
});

/**
 * The R4 compartments: by owner and resource type, the search parameters that put a record into one.
 * The package of definitions holds the one of Patient; the others are kept here.
 * https://hl7.org/fhir/R4/compartmentdefinition.html
 */
export const compartments = (): Readonly<Record<string, Compartment>> => {
  const patient: Compartment = {};
  for (const { code, param } of patientCompartmentDefinition().resource) {
    if (param !== undefined && param.length > 0) patient[code] = param;
  }
  // where the package departs from R4: https://hl7.org/fhir/R4/compartmentdefinition-patient.html
  patient['Encounter'] = ['patient'];
  delete patient['Task'];
  return {
    Patient: withItself('Patient', patient),
    Encounter: withItself('Encounter', encounter),
    Practitioner: withItself('Practitioner', practitioner),
    RelatedPerson: withItself('RelatedPerson', relatedPerson),
    Device: withItself('Device', device),
  };
};
