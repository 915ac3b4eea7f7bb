import { describe, expect, it } from 'vitest';
import { bundleSchema } from '../../shared/fhir/generated/schemas/Bundle.ts';
import { validateStructure } from '../../shared/fhir/validate.ts';
import { notificationBundle, notificationId, type ToldStatus } from '../../shared/notifications/notification-bundle.ts';

const settings = {
  organization: 'northside',
  id: 'admission',
  baseUrl: 'https://example.org/fhir',
  topic: 'https://concord.example/fhir/SubscriptionTopic/Encounter',
  content: 'id-only',
} as const;
const at = Date.UTC(2026, 10, 27, 12);
const focus = 'https://example.org/fhir/Encounter/e1';
const bundleOf = (status: ToldStatus, over: Partial<Omit<typeof settings, 'content'>> & { content?: 'empty' } = {}) =>
  notificationBundle({ ...settings, ...over }, status, { name: '2', at });

// The guide's cases: https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/artifacts.html
describe('a notification', () => {
  it('begins with the status of its Subscription, as what $status would answer', () => {
    const uuid = notificationId(settings, '2');

    expect(bundleOf({ type: 'handshake', status: 'requested', events: 0 })).toEqual({
      resourceType: 'Bundle',
      id: uuid,
      meta: {
        profile: [
          'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-subscription-notification-r4',
        ],
      },
      type: 'history',
      timestamp: '2026-11-27T12:00:00.000Z',
      entry: [
        {
          fullUrl: `urn:uuid:${uuid}`,
          resource: {
            resourceType: 'Parameters',
            id: uuid,
            meta: {
              profile: [
                'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-subscription-status-r4',
              ],
            },
            parameter: [
              {
                name: 'subscription',
                valueReference: { reference: 'https://example.org/fhir/Subscription/admission' },
              },
              { name: 'topic', valueCanonical: settings.topic },
              { name: 'status', valueCode: 'requested' },
              { name: 'type', valueCode: 'handshake' },
              { name: 'events-since-subscription-start', valueString: '0' },
            ],
          },
          request: { method: 'GET', url: 'https://example.org/fhir/Subscription/admission/$status' },
          response: { status: '200' },
        },
      ],
    });
  });

  const told = [
    {
      number: 2,
      at,
      entry: {
        id: 'a',
        fullUrl: focus,
        request: { method: 'POST', url: 'Encounter' },
        response: { status: '201', etag: 'W/"1"' },
      },
    },
  ] as const;

  it('tells of each event its number, its time and what it is about, which is an entry of its own', () => {
    const { entry } = bundleOf({ type: 'event-notification', status: 'active', events: 2, told });

    expect((entry?.[0]?.resource as fhir4.Parameters | undefined)?.parameter?.slice(4)).toEqual([
      { name: 'events-since-subscription-start', valueString: '2' },
      {
        name: 'notification-event',
        part: [
          { name: 'event-number', valueString: '2' },
          { name: 'timestamp', valueInstant: '2026-11-27T12:00:00.000Z' },
          { name: 'focus', valueReference: { reference: focus } },
        ],
      },
    ]);
    expect(entry?.slice(1)).toEqual([told[0].entry]);
  });

  it('names neither record nor topic where it is to tell nothing', () => {
    const events = told.map((event) => ({ ...event, entry: undefined }));
    const bundle = bundleOf(
      { type: 'event-notification', status: 'active', events: 2, told: events },
      { content: 'empty' },
    );

    expect(bundle.entry).toHaveLength(1);
    expect(JSON.stringify(bundle)).not.toMatch(/Encounter|focus|topic"/);
    expect(JSON.stringify(bundle)).toContain('"event-number","valueString":"2"');
  });

  it('says what is wrong by a code of the guide', () => {
    const [status] = bundleOf({ type: 'query-status', status: 'error', events: 3, problem: 'no-response' }).entry ?? [];

    expect((status?.resource as fhir4.Parameters | undefined)?.parameter?.at(-1)).toEqual({
      name: 'error',
      valueCodeableConcept: {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/subscription-error', code: 'no-response' }],
      },
    });
  });

  it.each(['handshake', 'heartbeat', 'event-notification', 'query-event'] as const)(
    'of type %s is a valid Bundle',
    (type) => {
      const bundle = bundleOf({ type, status: 'active', events: 2, told: type.includes('event') ? told : [] });

      expect(validateStructure(bundleSchema, bundle)).toEqual([]);
    },
  );
});

describe('notificationId', () => {
  it('is a UUID that the Subscription and the name of a notification alone decide', () => {
    const id = notificationId(settings, '2');

    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(notificationId({ organization: 'northside', id: 'admission' }, '2')).toBe(id);
    const others = [notificationId(settings, '3'), notificationId({ ...settings, id: 'x' }, '2')];
    expect(new Set([id, ...others]).size).toBe(3);
  });
});
