import { describe, expect, it } from 'vitest';
import { notificationFaults } from '../support/backport-guide.ts';

// The judge of notifications, on the guide's own examples and on what is wrong with others.

const status = (type: string, since: string, ...events: object[]) => ({
  resourceType: 'Parameters',
  id: '292d3c72-edc1-4d8a-afaa-d85e19c7f563',
  parameter: [
    { name: 'subscription', valueReference: { reference: 'https://example.org/fhir/Subscription/admission' } },
    { name: 'topic', valueCanonical: 'http://hl7.org/SubscriptionTopic/admission' },
    { name: 'status', valueCode: 'active' },
    { name: 'type', valueCode: type },
    { name: 'events-since-subscription-start', valueString: since },
    ...events,
  ],
});
const encounter = 'https://example.org/fhir/Encounter/86009987-eabe-42bf-8c02-b112b18cb616';
const event = (number: string, focus?: string) => ({
  name: 'notification-event',
  part: [
    { name: 'event-number', valueString: number },
    { name: 'timestamp', valueInstant: '2020-05-29T11:44:13.1882432-05:00' },
    ...(focus === undefined ? [] : [{ name: 'focus', valueReference: { reference: focus } }]),
  ],
});
const bundle = (resource: object, ...others: object[]) => ({
  resourceType: 'Bundle',
  type: 'history',
  timestamp: '2020-05-29T11:44:13.1882432-05:00',
  entry: [
    {
      fullUrl: 'urn:uuid:292d3c72-edc1-4d8a-afaa-d85e19c7f563',
      resource,
      request: { method: 'GET', url: 'https://example.org/fhir/Subscription/admission/$status' },
      response: { status: '200' },
    },
    ...others,
  ],
});
const full = {
  fullUrl: encounter,
  resource: { resourceType: 'Encounter', id: '86009987-eabe-42bf-8c02-b112b18cb616' },
  request: { method: 'POST', url: 'Encounter' },
  response: { status: '201' },
};
const { resource: _, ...idOnly } = full;

describe('the judge of notifications', () => {
  it('finds nothing wrong with the examples of the guide', () => {
    expect(notificationFaults(bundle(status('handshake', '0')), 'id-only')).toEqual([]);
    expect(notificationFaults(bundle(status('heartbeat', '2')), 'id-only')).toEqual([]);
    expect(notificationFaults(bundle(status('event-notification', '2', event('2', encounter))), 'id-only')).toEqual([]);
    expect(
      notificationFaults(bundle(status('event-notification', '2', event('2', encounter)), idOnly), 'id-only'),
    ).toEqual([]);
    expect(
      notificationFaults(bundle(status('event-notification', '2', event('2', encounter)), full), 'full-resource'),
    ).toEqual([]);
  });

  it.each([
    [
      'a payload that should be empty',
      bundle(status('event-notification', '2', event('2', encounter)), idOnly),
      'empty',
      [
        'an empty payload has further entries',
        'an empty payload names what it is about',
        'an empty payload names its topic',
      ],
    ],
    [
      'ids with a resource',
      bundle(status('event-notification', '2', event('2', encounter)), full),
      'id-only',
      ['ids come with a resource'],
    ],
    [
      'a focus without its entry',
      bundle(status('event-notification', '2', event('2', encounter))),
      'full-resource',
      ['a focus has no entry'],
    ],
    ['no focus', bundle(status('event-notification', '2', event('2'))), 'id-only', ['an event has no focus']],
    ['no event', bundle(status('event-notification', '2')), 'id-only', ['there are 0 events in a event-notification']],
    [
      'events of a handshake',
      bundle(status('handshake', '0', event('1', encounter))),
      'id-only',
      ['there are 1 events in a handshake', 'an event is beyond those counted'],
    ],
    [
      'a number that is none',
      bundle(status('heartbeat', 'two')),
      'id-only',
      ['an event is beyond those counted', 'events-since-subscription-start has no sound valueString'],
    ],
    [
      'numbers out of order',
      bundle(status('event-notification', '2', event('2', encounter), event('1', encounter))),
      'id-only',
      ['events are not in their order'],
    ],
    [
      'no request',
      bundle(status('event-notification', '2', event('2', encounter)), { fullUrl: encounter }),
      'id-only',
      ['entry 1 has no request.url', 'entry 1 has undefined answered by ""'],
    ],
    [
      'another kind of bundle',
      { ...bundle(status('heartbeat', '2')), type: 'collection' },
      'id-only',
      ['it is no history'],
    ],
    [
      'nothing',
      {},
      'id-only',
      expect.arrayContaining(['it is no history', 'the status is not Parameters']) as string[],
    ],
  ] as const)('names what is wrong: %s', (_name, notification, content, faults) => {
    expect(notificationFaults(notification, content)).toEqual(faults);
  });
});
