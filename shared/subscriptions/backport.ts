/** Addresses that the guide gives to what it defines. https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/ */
export const backport = 'http://hl7.org/fhir/uv/subscriptions-backport';

const definitions = `${backport}/StructureDefinition`;

/** Profiles of the guide. */
export const subscriptionProfile = `${definitions}/backport-subscription`;
export const notificationProfile = `${definitions}/backport-subscription-notification-r4`;
export const statusProfile = `${definitions}/backport-subscription-status-r4`;

/** Extensions of a Subscription, and where each stands. */
export const backportExtensions = {
  /** `Subscription.criteria`, valueString, repeats. */
  filter: `${definitions}/backport-filter-criteria`,
  /** `Subscription.channel`, valueUnsignedInt, seconds. */
  heartbeat: `${definitions}/backport-heartbeat-period`,
  /** `Subscription.channel`, valueUnsignedInt, seconds. */
  timeout: `${definitions}/backport-timeout`,
  /** `Subscription.channel`, valuePositiveInt. */
  maxCount: `${definitions}/backport-max-count`,
  /** `Subscription.channel.type`, valueCoding. */
  channelType: `${definitions}/backport-channel-type`,
  /** `Subscription.channel.payload`, valueCode. */
  content: `${definitions}/backport-payload-content`,
} as const;

/** Of `CapabilityStatement.rest.resource`, valueCanonical, one for each topic. */
export const topicExtension = `${definitions}/capabilitystatement-subscriptiontopic-canonical`;

/** Of `Subscription.channel`, valueString: what Concord signs notifications with. It is never shown. */
export const signingSecretExtension = 'https://concord.example/fhir/StructureDefinition/webhook-signing-secret';
