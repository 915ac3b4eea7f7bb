import type { Resource } from '../fhir/resource.ts';
import type { Interval } from '../search/date-range.ts';
import { timeOf } from '../search/match/date.ts';

/**
 * Elements that tell when care was given, by type. A second one tells when that ended: without it, what has begun goes on, as a diagnosis without an
 * abatement or a prescription without a last day does. What holds whenever it began, such as an allergy, a goal or what a patient takes, is not named: it always counts.
 * A test compares the table with the definitions.
 */
export const careElements: Readonly<Record<string, string>> = {
  AdverseEvent: 'date',
  Appointment: 'start end',
  CarePlan: 'period',
  CareTeam: 'period',
  ChargeItem: 'occurrence',
  Claim: 'billablePeriod',
  ClinicalImpression: 'effective',
  Communication: 'sent',
  Composition: 'date',
  Condition: 'onset abatement',
  Coverage: 'period',
  DeviceRequest: 'authoredOn occurrence',
  DeviceUseStatement: 'timing',
  DiagnosticReport: 'effective',
  DocumentReference: 'context.period',
  Encounter: 'period',
  EpisodeOfCare: 'period',
  ExplanationOfBenefit: 'billablePeriod',
  Flag: 'period',
  ImagingStudy: 'started',
  Immunization: 'occurrence',
  Media: 'created',
  MedicationAdministration: 'effective',
  MedicationDispense: 'whenHandedOver',
  MedicationRequest: 'authoredOn dispenseRequest.validityPeriod',
  Observation: 'effective',
  Procedure: 'performed',
  QuestionnaireResponse: 'authored',
  RiskAssessment: 'occurrence',
  ServiceRequest: 'authoredOn occurrence',
  Specimen: 'collection.collected',
  SupplyDelivery: 'occurrence',
  Task: 'executionPeriod',
};

/**
 * The time that the care of a record took; an open end is infinite.
 *
 * @returns undefined if the record tells of none.
 */
export const careTimeOf = (resource: Resource): Interval | undefined => {
  const [begin, end] = (careElements[resource.resourceType] ?? '').split(' ');
  const first = begin ? timeAt(resource, begin) : undefined;
  if (end === undefined) return first;
  const last = timeAt(resource, end);
  if (!first && !last) return undefined;
  return { start: first?.start ?? Number.NEGATIVE_INFINITY, end: last?.end ?? Number.POSITIVE_INFINITY };
};

const timeAt = (resource: object, path: string): Interval | undefined => {
  const dot = path.indexOf('.');
  const members = resource as Readonly<Record<string, unknown>>;
  if (dot >= 0) {
    const inner = members[path.slice(0, dot)];
    return typeof inner === 'object' && inner !== null ? timeAt(inner, path.slice(dot + 1)) : undefined;
  }
  for (const suffix of ['', 'DateTime', 'Period', 'Instant', 'Timing', 'Date']) {
    const value = members[path + suffix];
    if (typeof value === 'string') return timeOf({ type: 'dateTime', value });
    if (value !== undefined) return timeOf({ type: suffix === 'Timing' ? 'Timing' : 'Period', value });
  }
  return undefined;
};
