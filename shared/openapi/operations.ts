import { decideAmendmentInput, requestAmendmentInput } from '../interactions/amendments/input.ts';
import {
  bookInput,
  cancelInput,
  checkInInput,
  declineInput,
  findInput,
  holdInput,
  noShowInput,
  offerInput,
  rescheduleInput,
} from '../interactions/booking/input.ts';
import { verifyCallerInput } from '../interactions/calls/input.ts';
import { recordDisclosureInput, suspendDisclosuresInput } from '../interactions/disclosures/record.ts';
import { docrefInput } from '../interactions/docref.ts';
import { documentInput } from '../interactions/document.ts';
import { breakGlassInput, emergencyMatchInput } from '../interactions/emergency/input.ts';
import { everythingInput } from '../interactions/everything/everything.ts';
import { everythingOfPatientInput } from '../interactions/everything/of-patient.ts';
import { timelineInput } from '../interactions/everything/timeline.ts';
import { explainConsentInput } from '../interactions/explain-consent/input.ts';
import { fileInput, resolveInput } from '../interactions/laboratory/input.ts';
import { matchInput } from '../interactions/match/match.ts';
import { mergeInput } from '../interactions/merging/input.ts';
import { messagesInput, triageInput } from '../interactions/messages/input.ts';
import { changeLabelsInput } from '../interactions/meta.ts';
import type { InputDefinition } from '../interactions/operation-input.ts';
import { denyOrderInput, renewOrderInput, signOrderInput, takeOrderInput } from '../interactions/prescribing/input.ts';
import { progressInput } from '../interactions/progress/input.ts';
import { emancipateInput, endProxyInput, grantProxyInput } from '../interactions/proxies/input.ts';
import { reconcileInput } from '../interactions/reconciling/input.ts';
import { registerInput } from '../interactions/registering/input.ts';
import { acknowledgeInput } from '../interactions/results/input.ts';
import { retentionInput } from '../interactions/retention/input.ts';
import { retractInput, signInput } from '../interactions/signing/input.ts';
import { eventsInput, redriveInput, statusInput } from '../interactions/subscriptions/input.ts';
import { summaryInput } from '../interactions/summary/input.ts';
import { servedInput } from '../interactions/terms/asked.ts';
import { expandInput } from '../interactions/terms/expand.ts';
import { lookupInput } from '../interactions/terms/lookup.ts';
import { subsumesInput } from '../interactions/terms/subsumes.ts';
import { inCodeSystemInput, inValueSetInput } from '../interactions/terms/validate-code.ts';
import { lastnInput, seriesInput } from '../interactions/trends/input.ts';
import { completeInput, uploadInput } from '../interactions/uploading/input.ts';
import { validateInput } from '../interactions/validate.ts';
import { withholdInput } from '../interactions/withholding-input.ts';
import { inboxInput, overdueInput } from '../interactions/work/input.ts';

/** What the description of the API says of an operation beside its routes. */
export interface OperationDescription {
  /** What it does, in a line. */
  readonly summary: string;
  /** Its input, as the operation itself reads it; undefined if that is not told here. */
  readonly input: Readonly<Record<string, InputDefinition>> | undefined;
  /** Whether it also takes the parameters of a search. */
  readonly searches?: true;
  /** Type of the resource that it answers with. */
  readonly answer: string;
}

/** `date` and such are read, to be refused by name. */
const served = (input: Readonly<Record<string, InputDefinition>>): Readonly<Record<string, InputDefinition>> => {
  const names = new Set(servedInput(input));
  return Object.fromEntries(Object.entries(input).filter(([name]) => names.has(name)));
};

/** By type and name; those of every type by their name alone. */
const described: Readonly<Record<string, OperationDescription>> = {
  $meta: { summary: 'The profiles, tags and security labels of a record', input: {}, answer: 'Parameters' },
  '$meta-add': { summary: 'Add profiles, tags or security labels', input: changeLabelsInput, answer: 'Parameters' },
  '$meta-delete': {
    summary: 'Take away profiles, tags or security labels',
    input: changeLabelsInput,
    answer: 'Parameters',
  },
  $withhold: {
    summary: 'Withhold a record from its patient, as a licensed professional has determined',
    input: withholdInput,
    answer: 'Parameters',
  },
  $release: { summary: 'Show its patient a record again that was withheld', input: {}, answer: 'Parameters' },
  $validate: {
    summary: 'All that stands against a resource, or against a write of it',
    input: validateInput,
    answer: 'OperationOutcome',
  },
  'Appointment/$find': {
    summary: 'Times at which several actors are all there and free, the earliest first',
    input: findInput,
    answer: 'Bundle',
  },
  'Appointment/$hold': { summary: 'Keep a time for a while', input: holdInput, answer: 'Appointment' },
  'Appointment/$reschedule': {
    summary: 'Move an appointment, for all who take part',
    input: rescheduleInput,
    answer: 'Appointment',
  },
  'Appointment/$cancel': { summary: 'Give the time of an appointment back', input: cancelInput, answer: 'Appointment' },
  'Appointment/$decline': {
    summary: 'Pass a time on that was offered to somebody who waits',
    input: declineInput,
    answer: 'Appointment',
  },
  'Appointment/$offer': {
    summary: 'Offer free time to the next who waits for it',
    input: offerInput,
    answer: 'Appointment',
  },
  'Appointment/$check-in': { summary: 'Say that a patient has come', input: checkInInput, answer: 'Appointment' },
  'Appointment/$no-show': { summary: 'Say that nobody came', input: noShowInput, answer: 'Appointment' },
  'Appointment/$book': { summary: 'Book a time for all who take part', input: bookInput, answer: 'Appointment' },
  'Binary/$upload': {
    summary: 'Announce content that is too large for a request, and learn where to put it',
    input: uploadInput,
    answer: 'Parameters',
  },
  'Binary/$complete': { summary: 'Make a Binary of what was uploaded', input: completeInput, answer: 'Binary' },
  'Binary/$download': { summary: 'Where content can be had', input: {}, answer: 'Parameters' },
  'CodeSystem/$lookup': { summary: 'What is known of a code', input: served(lookupInput), answer: 'Parameters' },
  'CodeSystem/$subsumes': { summary: 'How two codes are related', input: served(subsumesInput), answer: 'Parameters' },
  'CodeSystem/$validate-code': {
    summary: 'Whether a code system has a code',
    input: served(inCodeSystemInput),
    answer: 'Parameters',
  },
  'Communication/$read': { summary: 'Say that a message was read', input: {}, answer: 'Communication' },
  'Communication/$triage': {
    summary: 'Give a message to another pool, or say that it is administrative',
    input: triageInput,
    answer: 'Communication',
  },
  'Communication/$unread': {
    summary: 'Messages that the patient has not read, the oldest first',
    input: messagesInput,
    answer: 'Bundle',
  },
  'Communication/$thread': {
    summary: 'The messages of the thread to which this one belongs, the oldest first',
    input: messagesInput,
    answer: 'Bundle',
  },
  'Composition/$document': { summary: 'The document that it makes', input: documentInput, answer: 'Bundle' },
  'Consent/$explain': {
    summary: 'What is shared of a chart with an organisation now',
    input: explainConsentInput,
    answer: 'Parameters',
  },
  'DiagnosticReport/$file': {
    summary: "File a laboratory's report with its results, on its patient's match",
    input: fileInput,
    answer: 'Parameters',
  },
  'DiagnosticReport/$resolve': {
    summary: 'Say whose a report is that waits, and file it',
    input: resolveInput,
    answer: 'Parameters',
  },
  'DocumentReference/$docref': { summary: "A patient's current documents", input: docrefInput, answer: 'Bundle' },
  'Encounter/$everything': { summary: 'All that belongs to the visit', input: everythingInput, answer: 'Bundle' },
  'Observation/$lastn': {
    summary: 'The newest observations of each code',
    input: lastnInput,
    searches: true,
    answer: 'Bundle',
  },
  'DiagnosticReport/$review': { summary: 'Say that a report was reviewed', input: {}, answer: 'Task' },
  'Observation/$review': { summary: 'Say that a result was reviewed', input: {}, answer: 'Task' },
  'Subscription/$status': {
    summary: 'How Subscriptions stand, and how many events they have had',
    input: statusInput,
    answer: 'Bundle',
  },
  'Subscription/$events': {
    summary: 'Events of a Subscription by their numbers, as a notification',
    input: eventsInput,
    answer: 'Bundle',
  },
  'Subscription/$redrive': {
    summary: 'Send again what was given up',
    input: redriveInput,
    answer: 'OperationOutcome',
  },
  'Task/$acknowledge': {
    summary: 'Acknowledge a critical result, with what was read back',
    input: acknowledgeInput,
    answer: 'Task',
  },
  'Observation/$series': {
    summary: 'All values of a code, the oldest first, in one unit',
    input: seriesInput,
    answer: 'Parameters',
  },
  'Patient/$contact': { summary: 'How the patient wants to be reached', input: {}, answer: 'Parameters' },
  'Patient/$disclosures': {
    summary: 'To whom what was disclosed in six years, as AuditEvents',
    input: { _count: { type: 'integer' } },
    answer: 'Bundle',
  },
  'Patient/$record-disclosure': {
    summary: 'Record what was disclosed on paper or otherwise outside',
    input: recordDisclosureInput,
    answer: 'AuditEvent',
  },
  'Patient/$suspend-disclosures': {
    summary: 'Keep disclosures to an agency or official from the patient for a time',
    input: suspendDisclosuresInput,
    answer: 'AuditEvent',
  },
  'Patient/$break-glass': {
    summary: 'In an emergency, see for a time what other organisations keep of this patient',
    input: breakGlassInput,
    answer: 'Parameters',
  },
  'Patient/$emergency-match': {
    summary: 'The one patient of the network who is described, in an emergency',
    input: emergencyMatchInput,
    answer: 'Bundle',
  },
  'Patient/$verify-caller': {
    summary: 'Whether somebody who calls support staff has told two facts of a patient, all of them right',
    input: verifyCallerInput,
    answer: 'Parameters',
  },
  'Patient/$timeline': { summary: 'The chart by clinical date, newest first', input: timelineInput, answer: 'Bundle' },
  'Patient/$everything': { summary: 'The whole chart', input: everythingOfPatientInput, answer: 'Bundle' },
  'Patient/$summary': {
    summary: 'A summary of the chart as a document (IPS), as far as its reader may see it',
    input: summaryInput,
    answer: 'Bundle',
  },
  'Patient/$emancipate': {
    summary: 'Record that a minor decides alone',
    input: emancipateInput,
    answer: 'Parameters',
  },
  'Patient/$end-proxy': {
    summary: 'Let somebody act for the patient no more',
    input: endProxyInput,
    answer: 'Parameters',
  },
  'Patient/$grant-proxy': {
    summary: 'Record that somebody may act for the patient, by which right and on what evidence',
    input: grantProxyInput,
    answer: 'Parameters',
  },
  'Patient/$register': {
    summary: 'Register a patient, unless it may be one who is there already',
    input: registerInput,
    answer: 'Patient',
  },
  'Patient/$merge': {
    summary: 'Let this patient stand for another record of the person',
    input: mergeInput,
    answer: 'Patient',
  },
  'Patient/$unmerge': { summary: 'Undo a merge', input: mergeInput, answer: 'Patient' },
  'Patient/$proxies': { summary: 'Who may act for the patient', input: {}, answer: 'Parameters' },
  'Patient/$match': { summary: 'Patients who may be the one described', input: matchInput, answer: 'Bundle' },
  'Practitioner/$revoke-access': {
    summary: 'Let nothing that was issued so far to this person open anything any more',
    input: {},
    answer: 'OperationOutcome',
  },
  'Patient/$legal-hold': { summary: 'Keep the chart from being purged', input: retentionInput, answer: 'Parameters' },
  'Patient/$release-hold': { summary: 'Lift a legal hold', input: retentionInput, answer: 'Parameters' },
  'Patient/$purge': { summary: 'End a chart whose time is over', input: retentionInput, answer: 'Parameters' },
  'Patient/$purge-due': { summary: 'Charts whose time is over', input: {}, answer: 'Parameters' },
  'Patient/$request-amendment': {
    summary: 'Ask that a record is amended',
    input: requestAmendmentInput,
    answer: 'Task',
  },
  'Goal/$progress': {
    summary: 'Each target with the newest result about it, whether that meets it, and which way it has gone',
    input: {},
    answer: 'Parameters',
  },
  'CarePlan/$progress': {
    summary: 'How far the goals of the plan are reached, and the state of its activities',
    input: {},
    answer: 'Parameters',
  },
  'Task/$inbox': {
    summary: 'What there is to do for the caller and the pools of the caller, the most urgent first',
    input: inboxInput,
    answer: 'Bundle',
  },
  'Task/$overdue': {
    summary: 'Tasks of the organisation that are overdue, the longest first; of orders alone, if asked for',
    input: overdueInput,
    answer: 'Bundle',
  },
  'Task/$claim': { summary: 'Take a task of a pool on', input: {}, answer: 'Task' },
  'Task/$unclaim': { summary: 'Give a task back to its pool', input: {}, answer: 'Task' },
  'Task/$progress': {
    summary: 'Take a task of your own on, or add a note, as support staff',
    input: progressInput,
    answer: 'Task',
  },
  'Task/$decide-amendment': {
    summary: 'Accept or deny a request for an amendment, or take more time',
    input: decideAmendmentInput,
    answer: 'Task',
  },
  ...Object.fromEntries(
    ['Composition', 'DiagnosticReport', 'DocumentReference'].flatMap((type) => [
      [
        `${type}/$sign`,
        { summary: 'Answer for what it says; from then on it stays as it is', input: signInput, answer: type },
      ],
      [`${type}/$retract`, { summary: 'Say that what was signed was in error', input: retractInput, answer: type }],
    ]),
  ),
  'Patient/$reconcile-medications': {
    summary: 'The medicines to be reconciled; what is decided on each, in one transaction with what that makes of them',
    input: reconcileInput,
    answer: 'List',
  },
  'MedicationRequest/$dispenses': {
    summary: 'What of an order was supplied, what is left of it, and the earliest date of the next supply',
    input: {},
    answer: 'Parameters',
  },
  'MedicationRequest/$sign': {
    summary: 'Answer for an order; it is in force from then on',
    input: signOrderInput,
    answer: 'MedicationRequest',
  },
  'MedicationRequest/$take-order': {
    summary: 'Take down an order that a prescriber gives by voice or protocol; it is in force at once',
    input: takeOrderInput,
    answer: 'MedicationRequest',
  },
  'MedicationRequest/$renew': {
    summary: 'Order once more what an order says, or something else in its place',
    input: renewOrderInput,
    answer: 'MedicationRequest',
  },
  'MedicationRequest/$deny': {
    summary: 'Say that an order which was taken down was not given so',
    input: denyOrderInput,
    answer: 'MedicationRequest',
  },
  'ValueSet/$expand': { summary: 'The codes in a value set', input: served(expandInput), answer: 'ValueSet' },
  'ValueSet/$validate-code': {
    summary: 'Whether a code is in a value set',
    input: served(inValueSetInput),
    answer: 'Parameters',
  },
};

/** What is told of an operation; of one that has no row above, what holds for any. */
export const describeOperation = (type: string, name: string): OperationDescription =>
  described[`${type}/${name}`] ??
  described[name] ?? { summary: `The operation ${name}`, input: undefined, answer: 'Resource' };
