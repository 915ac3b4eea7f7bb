import { describe, expect, it } from 'vitest';
import { RecordError } from '../../shared/errors.ts';
import { resourceTypes } from '../../shared/fhir/generated/resource-types.ts';
import type { Resource } from '../../shared/fhir/resource.ts';
import { searchTypes } from '../../shared/record-types/search-types.ts';
import { backportExtensions as extensions, signingSecretExtension } from '../../shared/subscriptions/backport.ts';
import { readFilters } from '../../shared/subscriptions/filters.ts';
import { requestedIn } from '../../shared/subscriptions/requested.ts';
import { topicOf, typeOfTopic, typesWithTopics } from '../../shared/subscriptions/topics.ts';

const observations = 'https://concord.example/fhir/SubscriptionTopic/Observation';

const subscription = (
  elements: Partial<fhir4.Subscription> = {},
  channel: Partial<fhir4.SubscriptionChannel> = {},
): fhir4.Subscription => ({
  resourceType: 'Subscription',
  status: 'requested',
  reason: 'Results for the research register',
  criteria: observations,
  channel: { type: 'rest-hook', endpoint: 'https://register.example/hook', ...channel },
  ...elements,
});

const filtered = (...values: (string | undefined)[]): Partial<fhir4.Subscription> => ({
  _criteria: {
    extension: values.map((valueString) => ({ url: extensions.filter, ...(valueString ? { valueString } : {}) })),
  },
});

const refusalOf = (act: () => unknown) => {
  try {
    act();
  } catch (error) {
    if (error instanceof RecordError) return [error.kind, error.reason, error.details[0]?.expression];
    throw error;
  }
  return undefined;
};
const refused = (...asked: Parameters<typeof subscription>) => refusalOf(() => requestedIn(subscription(...asked)));

describe('topics', () => {
  it('are there for every type of records, and lead back to it', () => {
    expect(resourceTypes.filter((type) => !typesWithTopics.includes(type))).toEqual([
      'AuditEvent',
      'Bundle',
      'OperationOutcome',
      'Parameters',
    ]);
    for (const type of typesWithTopics) expect(typeOfTopic(topicOf(type))).toBe(type);
    expect(typeOfTopic(`${observations}|1.0`)).toBe('Observation');
    expect([`${observations}s`, 'http://example.org/admission', topicOf('AuditEvent')].map(typeOfTopic)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('what a Subscription asks for', () => {
  it('is read from a topic with its filters, as the guide writes them', () => {
    const channel = {
      extension: [
        { url: extensions.heartbeat, valueUnsignedInt: 86_400 },
        { url: extensions.timeout, valueUnsignedInt: 60 },
        { url: extensions.maxCount, valuePositiveInt: 20 },
      ],
      payload: 'application/fhir+json',
      _payload: { extension: [{ url: extensions.content, valueCode: 'full-resource' }] },
    };

    expect(requestedIn(subscription(filtered('Observation?code=8480-6', 'status=final&category=x'), channel))).toEqual({
      topic: observations,
      type: 'Observation',
      filters: [
        { expression: 'Subscription.criteria.extension[0]', text: 'Observation?code=8480-6' },
        { expression: 'Subscription.criteria.extension[1]', text: 'Observation?status=final&category=x' },
      ],
      content: 'full-resource',
      contentType: 'application/fhir+json',
      heartbeatSeconds: 86_400,
      timeoutSeconds: 60,
      maxCount: 20,
    });
  });

  it('is read from plain criteria, and is told by ids where nothing is said of it', () => {
    const criteria = 'Observation?code=http://loinc.org|8480-6';

    expect(requestedIn(subscription({ criteria }))).toEqual({
      topic: undefined,
      type: 'Observation',
      filters: [{ expression: 'Subscription.criteria', text: criteria }],
      content: 'id-only',
      contentType: 'application/fhir+json',
    });
    for (const all of ['Encounter', 'Encounter?'])
      expect(requestedIn(subscription({ criteria: all }))).toMatchObject({ type: 'Encounter', filters: [] });
  });

  it('has no heartbeat and no time-out of 0 seconds', () => {
    const extension = [extensions.heartbeat, extensions.timeout].map((url) => ({ url, valueUnsignedInt: 0 }));

    const read = requestedIn(subscription({}, { extension }));

    expect([read.heartbeatSeconds, read.timeoutSeconds]).toEqual([undefined, undefined]);
  });

  const criteria = ['business-rule', 'criteria-not-served', 'Subscription.criteria'];
  it.each([
    ['a topic of somebody else', { criteria: 'http://example.org/FHIR/R5/SubscriptionTopic/admission' }],
    ['the access log', { criteria: 'AuditEvent?' }],
    ['a type that there is not', { criteria: 'Observations?code=1' }],
    ['a path', { criteria: '/Observation?code=1' }],
    ['an address of a search', { criteria: 'https://concord.example/fhir/Observation?code=1' }],
  ])('is refused for %s', (_, elements) => {
    expect(refused(elements)).toEqual(criteria);
  });

  it('is refused for filters of another type, of none, without a topic, and for too many', () => {
    const at = (index: number) => [...criteria.slice(0, 2), `Subscription.criteria.extension[${index}]`];

    expect(refused(filtered('code=1', 'Patient?name=x'))).toEqual(at(1));
    expect(refused(filtered('Observation?'))).toEqual(at(0));
    expect(refused({ ...filtered('code=1'), criteria: 'Observation?' })?.[1]).toBe('criteria-not-served');
    expect(refused(filtered(...Array.from({ length: 11 }, (_, n) => `code=${n}`)))?.[1]).toBe('criteria-not-served');
  });

  it.each(['websocket', 'email', 'sms', 'message'] as const)('is refused for the channel %s', (type) => {
    expect(refused({}, { type })).toEqual(['business-rule', 'channel-not-served', 'Subscription.channel.type']);
  });

  it('is refused for a further type of channel', () => {
    const _type = { extension: [{ url: extensions.channelType, valueCoding: { code: 'zulip' } }] };

    expect(refused({}, { _type })?.[1]).toBe('channel-not-served');
  });

  it('is refused for another format and for a content that there is not', () => {
    const content = (valueCode: string) => ({ _payload: { extension: [{ url: extensions.content, valueCode }] } });

    expect(refused({}, { payload: 'application/fhir+xml' })).toEqual([
      'business-rule',
      'payload-not-served',
      'Subscription.channel.payload',
    ]);
    expect(refused({}, content('everything'))?.[1]).toBe('payload-not-served');
    expect(requestedIn(subscription({}, { payload: 'application/fhir+json; fhirVersion=4.0' })).contentType).toBe(
      'application/fhir+json',
    );
  });

  const other = (url: string) => ({ extension: [{ url, valueString: 'Observation?code=1' }] });
  const crossVersion = 'http://hl7.org/fhir/5.0/StructureDefinition/extension-Subscription.filterBy';
  it.each([
    ['Subscription.criteria', { _criteria: other('http://example.org/narrower') }, {}],
    ['Subscription', other(crossVersion), {}],
    [
      'Subscription.channel',
      {},
      other('http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-later'),
    ],
    ['Subscription.channel.payload', {}, { _payload: other(crossVersion) }],
  ])('is refused for what an extension of %s asks for and nobody here knows', (at, elements, channel) => {
    expect(refused(elements, channel)).toEqual(['invalid', 'subscription-extension', `${at}.extension[0]`]);
  });

  it('is refused for a filter that stands elsewhere than filters do, and would be left unread', () => {
    const extension = [{ url: extensions.filter, valueString: 'code=1' }];

    const places: readonly (readonly [string, ...Parameters<typeof subscription>])[] = [
      ['Subscription', { extension }],
      ['Subscription.channel', {}, { extension }],
      ['Subscription.channel.type', {}, { _type: { extension } }],
      ['Subscription.channel.endpoint', {}, { _endpoint: { extension } }],
      ['Subscription.channel.payload', {}, { _payload: { extension } }],
    ];
    for (const [at, ...asked] of places)
      expect(refused(...asked)).toEqual(['invalid', 'subscription-extension', `${at}.extension[0]`]);
  });

  it('is refused for a secret that stands elsewhere than it is taken out, and for what changes a meaning', () => {
    const secret = [{ url: signingSecretExtension, valueString: 'whsec_shown' }];
    const within = [{ url: extensions.heartbeat, valueUnsignedInt: 60, extension: secret }];

    const places: readonly (readonly [string, ...Parameters<typeof subscription>])[] = [
      ['Subscription.reason.extension[0]', { _reason: { extension: secret } }],
      ['Subscription.meta.extension[0]', { meta: { extension: secret } }],
      ['Subscription.contact[0].extension[0]', { contact: [{ system: 'email', extension: secret }] }],
      ['Subscription.channel.header[1].extension[0]', {}, { _header: [null, { extension: secret }] as never }],
      ['Subscription.channel.extension[0].extension[0]', {}, { extension: within }],
      ['Subscription.modifierExtension[0]', { modifierExtension: secret }],
      ['Subscription.channel.modifierExtension[0]', {}, { modifierExtension: [{ url: 'http://example.org/not' }] }],
    ];
    for (const [at, ...asked] of places) expect(refused(...asked)).toEqual(['invalid', 'subscription-extension', at]);
  });

  it('may have extensions that ask for nothing', () => {
    expect(refused(other('http://example.org/ours'), other('http://example.org/ours'))).toBeUndefined();
  });

  it('is refused for extensions that say nothing, say it twice, or what cannot be', () => {
    const invalid = ['invalid', 'subscription-extension'];
    const twice = [10, 20].map((valuePositiveInt) => ({ url: extensions.maxCount, valuePositiveInt }));
    const seconds = (valueUnsignedInt: number) => ({ extension: [{ url: extensions.heartbeat, valueUnsignedInt }] });

    expect(refused(filtered(undefined))?.slice(0, 2)).toEqual(invalid);
    expect(refused({}, { extension: twice })).toEqual([...invalid, 'Subscription.channel.extension[1]']);
    expect(refused({}, { extension: [{ url: extensions.timeout, valueString: '60' }] })?.slice(0, 2)).toEqual(invalid);
    expect(refused({}, seconds(59))?.slice(0, 2)).toEqual(invalid);
    expect(refused({}, seconds(2_678_401))?.slice(0, 2)).toEqual(invalid);
    expect(refused({}, seconds(60))).toBeUndefined();
  });
});

describe('filters', () => {
  const at = { baseUrl: 'https://concord.test/fhir', now: Date.UTC(2026, 10, 27) };
  const read = async (...texts: string[]) => {
    const type = (await searchTypes()).get('Observation');
    if (!type) throw new Error('There is no such type');
    const expression = 'Subscription.criteria';
    return readFilters(
      type,
      texts.map((text) => ({ expression, text: `Observation?${text}` })),
      at,
    );
  };
  const pressure: Resource = {
    resourceType: 'Observation',
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '8480-6' }] },
    subject: { reference: 'Patient/1' },
    effectiveDateTime: '2026-11-20',
    valueQuantity: { value: 120, system: 'http://unitsofmeasure.org', code: 'mm[Hg]' },
  } as unknown as Resource;
  const meets = async (...texts: string[]) =>
    (await read(...texts))(pressure, { id: '7', lastUpdated: Date.UTC(2026, 10, 26) });

  it('are met by a record that meets all of them', async () => {
    expect(await meets('code=http://loinc.org|8480-6&status=final', 'subject=Patient/1', '_id=7')).toBe(true);
    expect(await meets('code=8480-6', 'subject=Patient/2')).toBe(false);
    expect(await meets('_lastUpdated=ge2026-11-26', 'date=lt2026-11-21')).toBe(true);
    expect(await meets('patient=https://concord.test/fhir/Patient/1')).toBe(true);
    expect(await meets('value-quantity=gt10|http://unitsofmeasure.org|cm[Hg]')).toBe(true);
    expect(await meets('_filter=code eq 8480-6 and status ne final')).toBe(false);
  });

  it.each([
    ['a parameter that there is not', 'colour=red'],
    ['a modifier that there is not', 'code:exact=1'],
    ['a value that breaks a rule', 'date=yesterday'],
    ['what other records say', 'patient.name=x'],
    ['what refers to it', '_has:Provenance:target:agent=x'],
    ['lists', '_list=42'],
    ['value sets', 'code:in=http://example.org/vs'],
    ['hierarchies of codes', 'code:below=http://snomed.info/sct|1'],
    ['how results are shown', '_sort=date'],
    ['pages', '_count=5'],
    ['other records', '_include=Observation:subject'],
    ['nothing', '&'],
  ])('are refused for %s', async (_, text) => {
    await expect(read(text)).rejects.toMatchObject({
      kind: 'business-rule',
      reason: 'criteria-not-served',
      details: [{ expression: 'Subscription.criteria' }],
    });
  });

  it('name the parameter that cannot be used, and not its value', async () => {
    await expect(read('colour=red')).rejects.toMatchObject({
      message: 'colour: Observation has no such search parameter',
    });
  });
});
