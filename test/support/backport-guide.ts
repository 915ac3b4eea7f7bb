// What the guide demands of notifications in R4, read off its pages and profiles; it shares no code with what builds them.
// https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/

type Json = Readonly<Record<string, unknown>>;

/** How much a Subscription wants to be told. */
export type Content = 'empty' | 'id-only' | 'full-resource';

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;
const statuses = ['requested', 'active', 'error', 'off'];
/** https://terminology.hl7.org/CodeSystem-subscription-error.html */
const errorSystem = 'http://terminology.hl7.org/CodeSystem/subscription-error';
const errors = ['dns-resolution-error', 'no-response', 'error-response'];
const types = ['handshake', 'heartbeat', 'event-notification', 'query-status', 'query-event'];

const listIn = (value: unknown): readonly Json[] => (Array.isArray(value) ? (value as Json[]) : []);
const objectIn = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
const textIn = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Parameters of a name. */
const named = (parameters: readonly Json[], name: string) => parameters.filter((each) => each['name'] === name);

/** Faults of a slice of Parameters that has one value of one type. */
const sliceFaults = (
  parameters: readonly Json[],
  name: string,
  [least, most]: readonly [number, number],
  element: string,
  isSound: (value: unknown) => boolean,
): string[] => {
  const found = named(parameters, name);
  const count = found.length < least || found.length > most ? [`${name} is there ${found.length} times`] : [];
  const values = found.flatMap((each) => {
    const others = Object.keys(each).filter((key) => !['name', element].includes(key));
    if (others.length > 0) return [`${name} has ${others.join(', ')}`];
    return isSound(each[element]) ? [] : [`${name} has no sound ${element}`];
  });
  return [...count, ...values];
};

const isReference = (pattern: RegExp) => (value: unknown) => pattern.test(textIn(objectIn(value)['reference']));
const isOneOf = (codes: readonly string[]) => (value: unknown) => codes.includes(textIn(value));
const isNumber = (value: unknown) => /^\d+$/.test(textIn(value));

/**
 * Faults of the status of a Subscription, as notifications begin with it and as `$status` gives it.
 *
 * @see https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/StructureDefinition-backport-subscription-status-r4.html
 */
export const statusFaults = (resource: unknown): string[] => {
  const { resourceType, parameter } = objectIn(resource);
  if (resourceType !== 'Parameters') return ['the status is not Parameters'];
  const all = listIn(parameter);
  return [
    ...sliceFaults(all, 'subscription', [1, 1], 'valueReference', isReference(/(?:^|\/)Subscription\/[^/]+$/)),
    ...sliceFaults(all, 'topic', [0, 1], 'valueCanonical', (value) => URL.canParse(textIn(value))),
    ...sliceFaults(all, 'status', [1, 1], 'valueCode', isOneOf(statuses)),
    ...sliceFaults(all, 'type', [1, 1], 'valueCode', isOneOf(types)),
    ...sliceFaults(all, 'events-since-subscription-start', [0, 1], 'valueString', isNumber),
    ...sliceFaults(all, 'error', [0, 99], 'valueCodeableConcept', (value) =>
      listIn(objectIn(value)['coding']).some(({ system, code }) => system === errorSystem && isOneOf(errors)(code)),
    ),
    ...named(all, 'notification-event').flatMap(({ part }) => {
      const parts = listIn(part);
      return [
        ...sliceFaults(parts, 'event-number', [1, 1], 'valueString', isNumber),
        ...sliceFaults(parts, 'timestamp', [0, 1], 'valueInstant', (value) => instant.test(textIn(value))),
        ...sliceFaults(parts, 'focus', [0, 1], 'valueReference', isReference(/./)),
        ...sliceFaults(parts, 'additional-context', [0, 99], 'valueReference', isReference(/./)),
      ];
    }),
  ];
};

/** What a status says, for a test to compare. */
export const statusIn = (resource: unknown) => {
  const all = listIn(objectIn(resource)['parameter']);
  const code = (name: string) => textIn(named(all, name)[0]?.['valueCode']);
  const [since] = named(all, 'events-since-subscription-start');
  const [error] = named(all, 'error');
  return {
    subscription: textIn(objectIn(named(all, 'subscription')[0]?.['valueReference'])['reference']),
    topic: named(all, 'topic')[0]?.['valueCanonical'],
    status: code('status'),
    type: code('type'),
    since: since && Number(since['valueString']),
    error: error && listIn(objectIn(error['valueCodeableConcept'])['coding'])[0]?.['code'],
    events: named(all, 'notification-event').map(({ part }) => ({
      number: Number(named(listIn(part), 'event-number')[0]?.['valueString']),
      focus: objectIn(named(listIn(part), 'focus')[0]?.['valueReference'])['reference'] as string | undefined,
    })),
  };
};

/** bdl-3, bdl-4, and the entries of a history. https://hl7.org/fhir/R4/bundle.html#history */
const entryFaults = ({ fullUrl, request, response }: Json, index: number): string[] => {
  const { method, url } = objectIn(request);
  const status = textIn(objectIn(response)['status']);
  const fits: Readonly<Record<string, RegExp>> = { GET: /^200/, POST: /^201/, PUT: /^20[01]/, DELETE: /^20[04]/ };
  const faults: [boolean, string][] = [
    [/^(?:urn:uuid:|https?:\/\/)/.test(textIn(fullUrl)), 'has no absolute fullUrl'],
    [!textIn(fullUrl).includes('/_history/'), 'has the fullUrl of a version'], // bdl-8
    [textIn(url) !== '', 'has no request.url'],
    [fits[textIn(method)]?.test(status) ?? false, `has ${String(method)} answered by "${status}"`],
  ];
  return faults.flatMap(([isSound, words]) => (isSound ? [] : [`entry ${index} ${words}`]));
};

/** https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/payloads.html */
const contentFaults = (content: Content, status: ReturnType<typeof statusIn>, entries: readonly Json[]): string[] => {
  const foci = status.events.map(({ focus }) => focus);
  if (content === 'empty') {
    return [
      ...(entries.length > 0 ? ['an empty payload has further entries'] : []),
      ...(foci.some((focus) => focus !== undefined) ? ['an empty payload names what it is about'] : []),
      ...(status.topic === undefined ? [] : ['an empty payload names its topic']),
    ];
  }
  const faults = foci.some((focus) => focus === undefined) ? ['an event has no focus'] : [];
  if (content === 'id-only')
    return [...faults, ...(entries.some(({ resource }) => resource) ? ['ids come with a resource'] : [])];
  for (const focus of foci) {
    const its = entries.filter(({ fullUrl }) => fullUrl === focus);
    if (its.length === 0) faults.push('a focus has no entry');
    for (const { resource, request } of its) {
      const { resourceType, id } = objectIn(resource);
      const isGone = objectIn(request)['method'] === 'DELETE';
      if (isGone === Boolean(resource)) faults.push('an entry has no resource, or one that is deleted');
      else if (!isGone && !focus?.endsWith(`/${textIn(resourceType)}/${textIn(id)}`))
        faults.push('an entry holds another resource');
    }
  }
  return faults;
};

/**
 * Faults of a notification, or of what `$events` gives; none if it is as the guide has it.
 *
 * @see https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/StructureDefinition-backport-subscription-notification-r4.html
 */
export const notificationFaults = (bundle: unknown, content: Content): string[] => {
  const { resourceType, type, entry, total } = objectIn(bundle);
  const entries = listIn(entry);
  const [first = {}, ...others] = entries;
  const status = statusIn(first['resource']);
  const { method, url } = objectIn(first['request']);
  const numbers = status.events.map(({ number }) => number);
  const faults: [boolean, string][] = [
    [resourceType === 'Bundle' && type === 'history', 'it is no history'],
    [total === undefined, 'a history has a total only where it is searched'], // bdl-1
    [others.every(({ resource }) => objectIn(resource)['resourceType'] !== 'Parameters'), 'there are two statuses'],
    [
      method === 'GET' && /(?:^|\/)Subscription\/[^/]+\/\$status$/.test(textIn(url)),
      'the first entry is not a request of $status',
    ],
    [textIn(url).replace(/\/\$status$/, '') === status.subscription, 'the request is of another Subscription'],
    [numbers.length > 0 === /event/.test(status.type), `there are ${numbers.length} events in a ${status.type}`],
    [
      numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? 0)),
      'events are not in their order',
    ],
    [Math.max(0, ...numbers) <= (status.since ?? Number.POSITIVE_INFINITY), 'an event is beyond those counted'],
  ];
  return [
    ...faults.flatMap(([isSound, words]) => (isSound ? [] : [words])),
    ...statusFaults(first['resource']),
    ...entries.flatMap(entryFaults),
    ...contentFaults(content, status, others),
  ];
};
