import { createHash } from 'node:crypto';
import type { SubscriptionSettings, SubscriptionStatus } from '../store/subscriptions/settings.ts';
import { notificationProfile, statusProfile } from '../subscriptions/backport.ts';

/** https://hl7.org/fhir/R4B/valueset-subscription-notification-type.html */
export type NotificationType = 'handshake' | 'heartbeat' | 'event-notification' | 'query-status' | 'query-event';

/** Codes of http://terminology.hl7.org/CodeSystem/subscription-error */
export type SubscriptionProblem = 'dns-resolution-error' | 'no-response' | 'error-response';

const problemSystem = 'http://terminology.hl7.org/CodeSystem/subscription-error';

/** One event as a notification tells of it. */
export interface ToldEvent {
  /** Its number among all events of the Subscription. */
  readonly number: number;
  /** When the change was made, in milliseconds since 1970. */
  readonly at: number;
  /**
   * What it is about, as an entry of a history: with its address, its request and response, and its resource where all of it is to be told. Undefined where
   * a notification is to name nothing.
   */
  readonly entry: fhir4.BundleEntry | undefined;
}

/** What is told of a Subscription at a moment. */
export interface ToldStatus {
  readonly type: NotificationType;
  readonly status: SubscriptionStatus;
  /** Number of the last event so far, that of a notification's own last one for a notification of events. */
  readonly events: number;
  readonly told?: readonly ToldEvent[];
  readonly problem?: SubscriptionProblem | undefined;
}

/**
 * Status of a Subscription as the guide has it in R4: the first entry of each notification, and what `$status` answers.
 * https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/StructureDefinition-backport-subscription-status-r4.html
 */
export const statusParameters = (
  { id, baseUrl, topic, content }: Pick<SubscriptionSettings, 'id' | 'baseUrl' | 'topic' | 'content'>,
  { type, status, events, told = [], problem }: ToldStatus,
  parametersId: string,
): fhir4.Parameters => ({
  resourceType: 'Parameters',
  id: parametersId,
  meta: { profile: [statusProfile] },
  parameter: [
    { name: 'subscription', valueReference: { reference: `${baseUrl}/Subscription/${id}` } },
    // One that tells nothing is not to tell what it is about either.
    ...(topic === undefined || content === 'empty' ? [] : [{ name: 'topic', valueCanonical: topic }]),
    { name: 'status', valueCode: status },
    { name: 'type', valueCode: type },
    { name: 'events-since-subscription-start', valueString: String(events) },
    ...told.map(eventParameter),
    ...(problem
      ? [{ name: 'error', valueCodeableConcept: { coding: [{ system: problemSystem, code: problem }] } }]
      : []),
  ],
});

const eventParameter = ({ number, at, entry }: ToldEvent): fhir4.ParametersParameter => ({
  name: 'notification-event',
  part: [
    { name: 'event-number', valueString: String(number) },
    { name: 'timestamp', valueInstant: new Date(at).toISOString() },
    ...(entry?.fullUrl === undefined ? [] : [{ name: 'focus', valueReference: { reference: entry.fullUrl } }]),
  ],
});

/**
 * A notification: a history of which the first entry says how the Subscription stands, and the others what has changed.
 * https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/StructureDefinition-backport-subscription-notification-r4.html
 *
 * @param name - names it among all of the Subscription, such as by its first event, so that it has the same ids at each attempt.
 * @param at - when it was made, in milliseconds since 1970.
 */
export const notificationBundle = (
  settings: Pick<SubscriptionSettings, 'organization' | 'id' | 'baseUrl' | 'topic' | 'content'>,
  status: ToldStatus,
  { name, at }: { readonly name: string; readonly at: number },
): fhir4.Bundle => {
  const { baseUrl, id } = settings;
  const uuid = notificationId(settings, name);
  return {
    resourceType: 'Bundle',
    id: uuid,
    meta: { profile: [notificationProfile] },
    type: 'history',
    timestamp: new Date(at).toISOString(),
    entry: [
      {
        fullUrl: `urn:uuid:${uuid}`,
        resource: statusParameters(settings, status, uuid),
        request: { method: 'GET', url: `${baseUrl}/Subscription/${id}/$status` },
        response: { status: '200' },
      },
      ...(status.told ?? []).flatMap(({ entry }) => entry ?? []),
    ],
  };
};

/** A UUID that follows from a Subscription and what a notification is called, also its `webhook-id`. https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-8 */
export const notificationId = (
  { organization, id }: Pick<SubscriptionSettings, 'organization' | 'id'>,
  name: string,
): string => {
  const bytes = createHash('sha256').update([organization, id, name].join('\n')).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
};
