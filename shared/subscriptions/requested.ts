import { RecordError } from '../errors.ts';
import { backportExtensions, signingSecretExtension } from './backport.ts';
import { refusedSubscription } from './refusal.ts';
import { typeOfTopic, typesWithTopics } from './topics.ts';

/** How much a notification holds. https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/payloads.html */
export const contentLevels = ['empty', 'id-only', 'full-resource'] as const;
export type ContentLevel = (typeof contentLevels)[number];

/** A search such as `code=8480-6` that records of the type have to meet. */
export interface RequestedFilter {
  /** FHIRPath expression of where it stands. */
  readonly expression: string;
  /** With the type: `Observation?code=8480-6`. */
  readonly text: string;
}

/** What a Subscription asks for. */
export interface Requested {
  /** Canonical address of its topic; undefined where it has plain R4 criteria. */
  readonly topic: string | undefined;
  /** The type of the records that it is about. */
  readonly type: string;
  /** A record meets all of them. */
  readonly filters: readonly RequestedFilter[];
  readonly content: ContentLevel;
  /** Media type of what is posted. */
  readonly contentType: string;
  readonly heartbeatSeconds?: number;
  readonly timeoutSeconds?: number;
  /** Events a notification at most. */
  readonly maxCount?: number;
}

const criteriaAt = 'Subscription.criteria';
const channelAt = 'Subscription.channel';

/**
 * Reads what a Subscription asks for, in either form: a topic with filters (https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/), or a search
 * (https://hl7.org/fhir/R4/subscription.html). What its filters mean is not looked at here (filters.ts).
 *
 * @throws RecordError `business-rule`, naming the element; `invalid` for an extension that says nothing, or says it twice.
 */
export const requestedIn = (subscription: fhir4.Subscription): Requested => {
  const { channel, criteria, _criteria } = subscription;
  requireRestHook(channel);
  requireKnownExtensions(subscription);
  const payload = payloadOf(channel);
  const filterTexts = valuesOf(_criteria, backportExtensions.filter, `${criteriaAt}.extension`, 'valueString');
  const timing = timingOf(channel);
  if (!/^[a-z][a-z0-9+.-]*:/i.test(criteria)) {
    if (filterTexts.length > 0)
      throw refusedSubscription(
        'criteria-not-served',
        `${criteriaAt}.extension`,
        'Filters are for topics; write a search into the criteria',
      );
    return { topic: undefined, ...searchIn(criteria), ...payload, ...timing };
  }
  const type = typeOfTopic(criteria);
  if (type === undefined)
    throw refusedSubscription(
      'criteria-not-served',
      criteriaAt,
      'There is no such topic; the capability statement lists them',
    );
  if (filterTexts.length > mostFilters)
    throw refusedSubscription(
      'criteria-not-served',
      `${criteriaAt}.extension`,
      `A Subscription has ${mostFilters} filters at most`,
    );
  const filters = filterTexts.map(({ value, expression }) => filterIn(type, value, expression));
  return { topic: criteria, type, filters, ...payload, ...timing };
};

/** Addresses of what other versions of FHIR, and of the guide, say of Subscriptions. */
const ofSubscriptions = /^http:\/\/hl7\.org\/fhir\/(?:\d+\.\d+|uv\/subscriptions-backport)\//;

/** Extensions that are read, by the element that they stand at. */
const knownAt: Readonly<Record<string, readonly string[]>> = {
  [criteriaAt]: [backportExtensions.filter],
  [channelAt]: [
    backportExtensions.heartbeat,
    backportExtensions.timeout,
    backportExtensions.maxCount,
    signingSecretExtension,
  ],
  [`${channelAt}.type`]: [backportExtensions.channelType],
  [`${channelAt}.payload`]: [backportExtensions.content],
};

/**
 * Requires that nothing is asked for by an extension that Concord would leave unread, wherever it stands: whoever writes a filter in the way of another version would be
 * told of all, and a secret in a wrong place would be stored and shown as it is. Nor is anything served of which a modifier changes the meaning.
 * https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/components.html
 */
const requireKnownExtensions = (element: object, at = 'Subscription'): void => {
  const { extension = [], modifierExtension, ...children } = element as fhir4.BackboneElement;
  const [modifier] = modifierExtension ?? [];
  if (modifier) throw wrongExtension(`${at}.modifierExtension[0]`, 'Concord does not know what this changes');
  const known = knownAt[at] ?? [];
  const index = extension.findIndex(({ url }) => !known.includes(url) && (at === criteriaAt || isOfSubscriptions(url)));
  if (index >= 0) throw wrongExtension(`${at}.extension[${index}]`, 'Concord does not know this extension here');
  for (const [name, child] of Object.entries({ extension, ...children })) {
    const inside = `${at}.${name.replace(/^_/, '')}`;
    if (Array.isArray(child)) {
      for (const [place, each] of (child as unknown[]).entries())
        if (isElement(each)) requireKnownExtensions(each, `${inside}[${place}]`);
    } else if (isElement(child)) requireKnownExtensions(child, inside);
  }
};

const isElement = (value: unknown): value is object => typeof value === 'object' && value !== null;

const isOfSubscriptions = (url: string): boolean => ofSubscriptions.test(url) || url === signingSecretExtension;

const mostFilters = 10;

/** Resource type and search, such as `Observation?code=8480-6`. */
const searchIn = (criteria: string): Pick<Requested, 'type' | 'filters'> => {
  const [, type = '', query = ''] = /^([A-Z][A-Za-z]+)(?:\?(.*))?$/s.exec(criteria) ?? [];
  if (!typesWithTopics.includes(type))
    throw refusedSubscription(
      'criteria-not-served',
      criteriaAt,
      'Criteria are a type of records and a search, such as Observation?code=8480-6, or the address of a topic',
    );
  return { type, filters: query === '' ? [] : [{ expression: criteriaAt, text: `${type}?${query}` }] };
};

/** Of a topic's filter the type may be left out. */
const filterIn = (type: string, text: string, expression: string): RequestedFilter => {
  const [, named = type, query = ''] = /^(?:([^?=&]*)\?)?(.*)$/s.exec(text) ?? [];
  if (named !== type || query === '')
    throw refusedSubscription(
      'criteria-not-served',
      expression,
      `A filter of this topic is a search of ${type}, such as ${type}?_id=1`,
    );
  return { expression, text: `${type}?${query}` };
};

const requireRestHook = ({ type, _type }: fhir4.SubscriptionChannel): void => {
  const further = _type?.extension?.some(({ url }) => url === backportExtensions.channelType);
  if (type === 'rest-hook' && !further) return;
  throw refusedSubscription(
    'channel-not-served',
    `${channelAt}.type`,
    'Notifications go to an endpoint of a subscriber: the channel is rest-hook',
  );
};

const served = 'application/fhir+json';

const payloadOf = ({ payload, _payload }: fhir4.SubscriptionChannel): Pick<Requested, 'content' | 'contentType'> => {
  const at = `${channelAt}.payload`;
  const [mediaType = ''] = (payload ?? served).toLowerCase().split(';');
  if (![served, 'application/json'].includes(mediaType.trim()))
    throw refusedSubscription('payload-not-served', at, `Notifications are ${served}`);
  const { value = 'id-only' } =
    onlyOne(valuesOf(_payload, backportExtensions.content, `${at}.extension`, 'valueCode')) ?? {};
  const content = contentLevels.find((level) => level === value);
  if (!content)
    throw refusedSubscription(
      'payload-not-served',
      `${at}.extension`,
      `The content of a notification is one of ${contentLevels.join(', ')}`,
    );
  return { content, contentType: mediaType.trim() };
};

/** Notifications are looked after by the minute. */
const leastHeartbeat = 60;
const mostSeconds = 31 * 24 * 3_600;

type Timing = Pick<Requested, 'heartbeatSeconds' | 'timeoutSeconds' | 'maxCount'>;

const timingOf = (channel: fhir4.SubscriptionChannel): Timing => {
  const numberOf = (url: string, element: 'valueUnsignedInt' | 'valuePositiveInt') =>
    onlyOne(valuesOf(channel, url, `${channelAt}.extension`, element))?.value;
  const heartbeatSeconds = numberOf(backportExtensions.heartbeat, 'valueUnsignedInt');
  const timeoutSeconds = numberOf(backportExtensions.timeout, 'valueUnsignedInt');
  const maxCount = numberOf(backportExtensions.maxCount, 'valuePositiveInt');
  if (heartbeatSeconds && (heartbeatSeconds < leastHeartbeat || heartbeatSeconds > mostSeconds))
    throw wrongExtension(
      `${channelAt}.extension`,
      `A heartbeat comes every ${leastHeartbeat} seconds at most, and once in 31 days at least`,
    );
  return {
    // 0 is none of each
    ...(heartbeatSeconds ? { heartbeatSeconds } : {}),
    ...(timeoutSeconds ? { timeoutSeconds } : {}),
    ...(maxCount ? { maxCount } : {}),
  };
};

type ValueElement = 'valueString' | 'valueCode' | 'valueUnsignedInt' | 'valuePositiveInt';

interface ExtensionValue<Element extends ValueElement> {
  readonly value: NonNullable<fhir4.Extension[Element]>;
  readonly expression: string;
}

/**
 * The values of an extension, in their order.
 *
 * @throws RecordError `invalid` where one has none of this type.
 */
const valuesOf = <Element extends ValueElement>(
  { extension = [] }: fhir4.Element = {},
  url: string,
  at: string,
  element: Element,
): ExtensionValue<Element>[] =>
  extension.flatMap((each, index) => {
    if (each.url !== url) return [];
    const { [element]: value } = each;
    const expression = `${at}[${index}]`;
    if (value === undefined) throw wrongExtension(expression, `This extension has ${element}`);
    return [{ value, expression }];
  });

const onlyOne = <Value extends { readonly expression: string }>([first, second]: readonly Value[]):
  | Value
  | undefined => {
  if (second) throw wrongExtension(second.expression, 'This extension is given once');
  return first;
};

const wrongExtension = (expression: string, message: string): RecordError =>
  new RecordError('invalid', message, { reason: 'subscription-extension', expression });
