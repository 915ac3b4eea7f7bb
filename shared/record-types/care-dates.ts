import type { Resource } from '../fhir/resource.ts';
import type { Interval } from '../search/date-range.ts';
import { timeOf } from '../search/match/date.ts';

/**
 * Elements that tell when care was given, by type; of several with a comma between them, each may. Behind a space stands what tells when that ended:
 * without it, what has begun goes on, as a diagnosis without an abatement or a prescription without a last day does. What holds whenever it began, such as an allergy, a goal or what a patient takes, is not named: it always counts.
 * A test compares the table with the definitions.
 */
export const careElements: Readonly<Record<string, string>> = {
  AdverseEvent: 'date',
  Appointment: 'start end',
  CarePlan: 'period',
  CareTeam: 'period',
  ChargeItem: 'occurrence',
  Claim: 'billablePeriod,item.serviced',
  ClinicalImpression: 'effective',
  Communication: 'sent',
  Composition: 'date,event.period',
  Condition: 'onset abatement',
  Coverage: 'period',
  DeviceRequest: 'authoredOn occurrence',
  DeviceUseStatement: 'timing',
  DiagnosticReport: 'effective',
  DocumentReference: 'context.period',
  Encounter: 'period',
  EpisodeOfCare: 'period',
  ExplanationOfBenefit: 'billablePeriod,item.serviced',
  Flag: 'period',
  ImagingStudy: 'started',
  Immunization: 'occurrence',
  Media: 'created',
  MedicationAdministration: 'effective',
  MedicationDispense: 'whenPrepared,whenHandedOver whenHandedOver',
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
 * The time that the care of a record took: from the first to the last of all that it tells, in whatever order, for much is written down afterwards. An open
 * end is infinite; one that a schedule does not tell is beyond every date.
 *
 * @returns undefined if the record tells of none.
 */
export const careTimeOf = (resource: Resource): Interval | undefined => {
  const [begins = '', ends] = (careElements[resource.resourceType] ?? '').split(' ');
  const begun = timesAt(resource, begins);
  const ended = ends === undefined ? begun : timesAt(resource, ends);
  const all = [...begun, ...ended];
  if (all.length === 0) return undefined;
  // Once it is told when it ended, a beginning without an end of its own adds nothing.
  const last = [...begun.filter(({ end }) => ended === begun || end !== Number.POSITIVE_INFINITY), ...ended];
  return {
    start: begun.length === 0 ? Number.NEGATIVE_INFINITY : Math.min(...all.map(({ start }) => start)),
    end: ended.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...last.map(({ end }) => end)),
  };
};

const timesAt = (resource: object, paths: string): Interval[] =>
  paths.split(',').flatMap((path) => timesWithin(resource, path.split('.')));

const timesWithin = (element: unknown, [name, ...rest]: readonly string[]): Interval[] => {
  if (Array.isArray(element)) return element.flatMap((each) => timesWithin(each, [name ?? '', ...rest]));
  if (typeof element !== 'object' || element === null || name === undefined) return [];
  const members = element as Readonly<Record<string, unknown>>;
  if (rest.length > 0) return timesWithin(members[name], rest);
  const suffix = suffixes.find((each) => members[name + each] !== undefined);
  const time = suffix === undefined ? undefined : timeOfMember(members[name + suffix], suffix);
  return time ? [time] : [];
};

const suffixes = ['', 'DateTime', 'Period', 'Instant', 'Timing', 'Date'];

const timeOfMember = (value: unknown, suffix: string): Interval | undefined => {
  if (typeof value === 'string') return timeOf({ type: 'dateTime', value });
  if (suffix !== 'Timing') return timeOf({ type: 'Period', value });
  const time = timeOf({ type: 'Timing', value });
  return time && isOpen(value as fhir4.Timing) ? { ...time, end: someTime } : time;
};

/** An end that is not known, later than any that is; what has one does not go on, so it is not infinite. */
const someTime = Number.MAX_VALUE;

/** Whether a schedule goes on behind its events and limits: repeated without a limit or for so long, or with events that take their time. */
const isOpen = ({ repeat }: fhir4.Timing): boolean =>
  repeat !== undefined &&
  (repeat.boundsPeriod === undefined || repeat.duration !== undefined || repeat.durationMax !== undefined);
