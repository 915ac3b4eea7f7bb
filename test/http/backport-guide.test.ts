import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newSigningSecret, verifySignature } from '../../shared/webhooks/signature.ts';
import { type Content, notificationFaults, statusFaults, statusIn } from '../support/backport-guide.ts';
import {
  definition,
  type GuideWorld,
  guideWorld,
  newFamily,
  patientOf,
  type Subscriber,
  subscriptionTo,
  topicOf,
  type Wanted,
} from '../support/guide-world.ts';

// The cases of the guide, from what a subscriber asks for to what comes to its endpoint. https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/

let world: GuideWorld;
beforeAll(async () => {
  world = await guideWorld();
});
afterAll(() => world.stop());

const subscribed = async (wanted: Wanted = {}): Promise<Subscriber> =>
  (await world.subscribed(wanted))[0] ?? expect.unreachable();
const now = ({ path }: Subscriber) => world.read<fhir4.Subscription>(path);
const numbersIn = (bundle: fhir4.Bundle) => statusIn(bundle.entry?.[0]?.resource).events.map(({ number }) => number);
const inError = expect.any(String) as string;

describe('the handshake', () => {
  afterEach(() => world.unsubscribe());

  it('comes behind a Subscription that is requested, and makes it active', async () => {
    const one = await world.subscriber({ elements: { status: 'active' } });
    await world.delivered();

    const [handshake, ...others] = one.judged('handshake');
    expect(others).toEqual([]);
    expect(handshake?.headers['content-type']).toBe('application/fhir+json');
    expect(handshake?.status).toMatchObject({
      subscription: `${world.url}/${one.path}`,
      status: 'requested',
      since: 0,
      topic: topicOf('Patient'),
    });
    expect(await world.read(`${one.path}/_history/1`)).toMatchObject({ status: 'requested' });
    expect(await now(one)).toMatchObject({ status: 'active' });
    expect(await world.statusOf(one)).toMatchObject({ status: 'active', type: 'query-status', since: 0 });
  });

  it('that is not taken makes it an error, from which its writer asks for another one', async () => {
    const one = await world.subscriber({}, () => 500);
    await world.delivered();
    const failed = await now(one);
    const failedStatus = await world.statusOf(one);

    one.receiver.answers = () => 200;
    const again = await world.ask('PUT', one.path, { ...failed, status: 'requested' });
    await world.delivered();

    expect(failed).toMatchObject({ status: 'error', error: expect.stringMatching(/handshake/) as string });
    expect(failedStatus).toMatchObject({ status: 'error', error: inError });
    expect(again).toMatchObject({ status: 200, body: { status: 'requested' } });
    expect(one.judged('handshake')).toHaveLength(2);
    expect(await now(one)).toMatchObject({ status: 'active' });
    expect((await world.statusOf(one)).error).toBeUndefined();
  });
});

describe('notifications of a record that is created, changed and deleted', () => {
  const secret = newSigningSecret();
  const family = newFamily();
  let told: Readonly<Record<Content, Subscriber>>;
  let id: string;
  beforeAll(async () => {
    const filters = [`Patient?family=${family}`];
    const channel = { header: ['Authorization: Bearer of-the-subscriber', 'X-Route: 7'] };
    const [ids, empty, full] = await world.subscribed(
      { filters, channel, secret },
      { filters, content: 'empty' },
      { filters, content: 'full-resource' },
    );
    if (!ids || !empty || !full) return expect.unreachable();
    told = { 'id-only': ids, empty, 'full-resource': full };
    const patient = await world.made(patientOf(family));
    id = patient.id;
    await world.ask('PUT', `Patient/${id}`, { ...patient, gender: 'female' });
    await world.ask('DELETE', `Patient/${id}`);
    await world.delivered();
  });
  afterAll(() => world.unsubscribe());
  const eventsOf = (content: Content) =>
    told[content].judged('event-notification').flatMap(({ status }) => status.events);

  it('by ids name it, and what it says is nowhere in them', () => {
    const { receiver } = told['id-only'];

    const focus = `${world.url}/Patient/${id}`;
    expect(eventsOf('id-only')).toEqual([1, 2, 3].map((number) => ({ number, focus })));
    for (const { text } of receiver.received) expect(text).not.toContain(family);
  });

  it('bear the headers that were asked for, and are signed', () => {
    const { receiver } = told['id-only'];

    for (const { headers, text } of receiver.received) {
      expect(headers).toMatchObject({ authorization: 'Bearer of-the-subscriber', 'x-route': '7' });
      expect(verifySignature(secret, headers, text, world.now())).toEqual({ id: headers['webhook-id'] });
    }
  });

  it('that are empty tell their numbers and nothing else', () => {
    const { receiver } = told.empty;

    expect(eventsOf('empty')).toEqual([1, 2, 3].map((number) => ({ number, focus: undefined })));
    for (const { text } of receiver.received) expect(text).not.toContain(id);
  });

  it('of whole resources hold each version, and say that it is gone', () => {
    const found = told['full-resource'].judged('event-notification');

    const entries = found.flatMap(({ bundle }) => bundle.entry?.slice(1) ?? []);
    expect(eventsOf('full-resource').map(({ number }) => number)).toEqual([1, 2, 3]);
    expect(entries.map(({ request, resource }) => [request?.method, resource])).toEqual([
      ['POST', expect.objectContaining({ id, meta: expect.objectContaining({ versionId: '1' }) as unknown })],
      ['PUT', expect.objectContaining({ id, gender: 'female', name: [{ family }] })],
      ['DELETE', undefined],
    ]);
  });
});

describe('what a Subscription is told', () => {
  afterEach(() => world.unsubscribe());

  it('is narrowed by all filters of its topic, or is what plain R4 criteria find', async () => {
    const family = newFamily();
    const { id: chart } = await world.made(patientOf(newFamily()));
    const criteria = `Observation?patient=${chart}&code=http://loinc.org|4548-4`;
    const [topical, plain] = await world.subscribed(
      { filters: [`Patient?family=${family}`, 'gender=female'] },
      { criteria },
    );
    if (!topical || !plain) return expect.unreachable();
    const observation = (code: string): fhir4.Observation => ({
      resourceType: 'Observation',
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code }] },
      subject: { reference: `Patient/${chart}` },
      effectiveDateTime: '2026-11-01T10:00:00Z',
    });

    await world.made(patientOf(family, { gender: 'male' }));
    await world.made(patientOf(newFamily(), { gender: 'female' }));
    const patient = await world.made(patientOf(family, { gender: 'female' }));
    await world.made(observation('8480-6'));
    const result = await world.made(observation('4548-4'));
    await world.delivered();

    const told = (one: Subscriber) => one.judged('event-notification').map(({ status }) => status);
    expect(told(topical)).toMatchObject([{ events: [{ number: 1, focus: `${world.url}/Patient/${patient.id}` }] }]);
    expect(told(plain)).toMatchObject([
      { topic: undefined, events: [{ number: 1, focus: `${world.url}/Observation/${result.id}` }] },
    ]);
    expect((await now(plain)).criteria).toBe(criteria);
  });

  const channelType = { system: 'http://example.org/channel', code: 'zulip' };
  const ofAnotherVersion =
    'http://hl7.org/fhir/5.0/subscriptions-backport/StructureDefinition/backport-filter-criteria';
  it.each<[string, Wanted]>([
    ['a topic that is not there', { criteria: 'http://hl7.org/SubscriptionTopic/admission' }],
    ['a filter that is not there', { filters: ['Patient?shoe-size=43'] }],
    ['a filter of another type', { filters: ['Encounter?patient=1'] }],
    [
      'a filter by an extension of another version',
      { elements: { _criteria: { extension: [{ url: ofAnotherVersion, valueString: 'Encounter?patient=1' }] } } },
    ],
    ['a channel that is not there', { channel: { type: 'websocket' } }],
    [
      'a channel by an extension',
      { channel: { _type: { extension: [{ url: definition('backport-channel-type'), valueCoding: channelType }] } } },
    ],
    ['an endpoint inside', { channel: { endpoint: 'https://169.254.169.254/latest' } }],
    ['an endpoint that is none of the web', { channel: { endpoint: 'mailto:somebody@example.org' } }],
    ['a format that is not there', { channel: { payload: 'text/plain' } }],
    ['a content that is not there', { content: 'everything' as Content }],
    ['a header that is ours', { channel: { header: ['Host: inside'] } }],
  ])('is not promised for %s', async (_, wanted) => {
    const { status, body } = await world.ask(
      'POST',
      'Subscription',
      subscriptionTo('https://hooks.example.org/', wanted),
    );

    expect([400, 422]).toContain(status);
    expect(body).toMatchObject({
      resourceType: 'OperationOutcome',
      issue: [{ severity: 'error', expression: [expect.stringMatching(/^Subscription\./) as string] }],
    });
  });

  it('is listed by the capability statement', async () => {
    const { rest } = await world.read<fhir4.CapabilityStatement>('metadata');

    const found = rest?.[0]?.resource?.find(({ type }) => type === 'Subscription');
    const topics = found?.extension?.filter(
      ({ url }) => url === definition('capabilitystatement-subscriptiontopic-canonical'),
    );
    const operations = found?.operation?.map(({ name, definition: address }) => `${name} ${address}`);
    const guide = 'http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition';
    expect(found?.supportedProfile).toContain(definition('backport-subscription'));
    expect(topics?.map(({ valueCanonical }) => valueCanonical)).toEqual(
      expect.arrayContaining([topicOf('Patient'), topicOf('Observation')]),
    );
    expect(operations).toEqual(
      expect.arrayContaining(['status', 'events'].map((name) => `${name} ${guide}/backport-subscription-${name}`)),
    );
  });
});

describe('events', () => {
  afterEach(() => world.unsubscribe());

  it('are numbered without a gap, and those that a subscriber lost are fetched by their numbers', async () => {
    const family = newFamily();
    const one = await subscribed({ filters: [`family=${family}`], maxCount: 1, content: 'full-resource' });
    const ids: string[] = [];
    for (let n = 1; n <= 4; n++) ids.push((await world.made(patientOf(family))).id);
    await world.delivered();

    const fetched = (query: string) => world.read<fhir4.Bundle>(`${one.path}/$events?${query}`);
    const events = await fetched('eventsSinceNumber=2&eventsUntilNumber=3&content=id-only');
    const whole = await fetched('eventsSinceNumber=3&eventsUntilNumber=3');
    const empty = await fetched('eventsSinceNumber=4&content=empty');

    expect(one.judged('event-notification').map(({ status }) => status.events.length)).toEqual([1, 1, 1, 1]);
    expect(one.receiver.taken()).toEqual([1, 2, 3, 4]);
    expect(notificationFaults(events, 'id-only')).toEqual([]);
    expect(statusIn(events.entry?.[0]?.resource)).toMatchObject({
      type: 'query-event',
      subscription: `${world.url}/${one.path}`,
      since: 4,
      events: [2, 3].map((number) => ({ number, focus: `${world.url}/Patient/${ids[number - 1]}` })),
    });
    expect(notificationFaults(whole, 'full-resource')).toEqual([]);
    expect(whole.entry?.[1]?.resource).toMatchObject({ id: ids[2], name: [{ family }] });
    expect(notificationFaults(empty, 'empty')).toEqual([]);
    expect(numbersIn(empty)).toEqual([4]);
    expect(await world.statusOf(one)).toMatchObject({ since: 4 });
  });

  it('that are not taken are tried again as they were, nothing overtakes them, and no more come at once than are wanted', async () => {
    const family = newFamily();
    const one = await subscribed({ filters: [`family=${family}`], maxCount: 2 });
    one.receiver.answers = () => 503;
    await world.made(patientOf(family));
    await world.delivered();
    for (let n = 2; n <= 5; n++) await world.made(patientOf(family));
    await world.delivered();

    one.receiver.answers = () => 200;
    await world.pass(60);

    const told = one.judged('event-notification').map(({ headers, status }) => ({
      id: headers['webhook-id'],
      numbers: status.events.map(({ number }) => number),
    }));
    const attempts = told.filter(({ numbers }) => numbers[0] === 1);
    expect(attempts.length).toBeGreaterThan(1);
    expect(told.slice(0, attempts.length)).toEqual(attempts.map(() => ({ id: attempts[0]?.id, numbers: [1] })));
    expect(new Set(told.map(({ id }) => id)).size).toBe(told.length - attempts.length + 1);
    expect(Math.max(...told.map(({ numbers }) => numbers.length))).toBe(2);
    expect(one.receiver.taken()).toEqual([1, 2, 3, 4, 5]);
  });

  it('of a receiver that fails for three days make its Subscription an error; what it missed keeps its numbers', async () => {
    const family = newFamily();
    const one = await subscribed({ filters: [`family=${family}`] });
    one.receiver.answers = () => 500;
    await world.made(patientOf(family));
    await world.delivered();
    await world.pass(3 * 86_400 + 60);
    const failed = await now(one);
    const failedStatus = await world.statusOf(one);
    await world.made(patientOf(family));
    await world.delivered();
    const missed = await world.statusOf(one);

    one.receiver.answers = () => 200;
    await world.ask('PUT', one.path, { ...failed, status: 'requested' });
    await world.delivered();
    await world.made(patientOf(family));
    await world.delivered();

    expect(failed).toMatchObject({ status: 'error', error: inError });
    expect(failedStatus).toMatchObject({ status: 'error', since: 1, error: inError });
    expect(missed).toMatchObject({ status: 'error', since: 2 });
    expect(await now(one)).toMatchObject({ status: 'active' });
    expect(one.judged('handshake')).toHaveLength(2);
    expect(one.receiver.taken()).toEqual([3]);
    const events = await world.read<fhir4.Bundle>(`${one.path}/$events?eventsSinceNumber=1&eventsUntilNumber=2`);
    expect(numbersIn(events)).toEqual([1, 2]);
  });
});

describe('time', () => {
  afterEach(() => world.unsubscribe());

  it('brings a heartbeat where one is asked for, and the end where one is said, behind which nothing is sent', async () => {
    const family = newFamily();
    const filters = [`family=${family}`];
    const end = new Date(world.now() + 3_600_000).toISOString();
    const [beating, silent, ending] = await world.subscribed(
      { filters, heartbeatSeconds: 60 },
      { filters },
      { filters, elements: { end } },
    );
    if (!beating || !silent || !ending) return expect.unreachable();

    await world.pass(61);
    await world.pass(3_600);
    await world.made(patientOf(family));
    await world.delivered();

    const heartbeats = beating.judged('heartbeat').map(({ status }) => [status.status, status.since]);
    expect(heartbeats.slice(0, 2)).toEqual([
      ['active', 0],
      ['active', 0],
    ]);
    expect(silent.receiver.of('heartbeat')).toEqual([]);
    expect([beating, silent, ending].map(({ receiver }) => receiver.taken())).toEqual([[1], [1], []]);
    expect(await now(ending)).toMatchObject({ status: 'off' });
  });

  it('brings nothing to a Subscription that is off or deleted', async () => {
    const family = newFamily();
    const wanted = { filters: [`family=${family}`], heartbeatSeconds: 60 };
    const [off, deleted] = await world.subscribed(wanted, wanted);
    if (!off || !deleted) return expect.unreachable();

    const turned = await world.ask('PUT', off.path, { ...(await now(off)), status: 'off' });
    await world.ask('DELETE', deleted.path);
    await world.delivered();
    const before = [off, deleted].map(({ receiver }) => receiver.received.length);
    await world.made(patientOf(family));
    await world.delivered();
    await world.pass(61);

    expect(turned).toMatchObject({ status: 200, body: { status: 'off' } });
    expect([off, deleted].map(({ receiver }) => receiver.received.length)).toEqual(before);
  });
});

describe('$status', () => {
  afterEach(() => world.unsubscribe());

  it('tells of all Subscriptions of the organisation, of those that are named, and of those in a state', async () => {
    const [one, other] = await world.subscribed({ filters: ['gender=female'] }, { filters: ['gender=male'] });
    if (!one || !other) return expect.unreachable();
    await world.ask('PUT', other.path, { ...(await now(other)), status: 'off' });
    await world.delivered();
    const told = async (query: string) => {
      const { type, entry = [] } = await world.read<fhir4.Bundle>(`Subscription/$status?${query}`);
      expect([type, entry.flatMap(({ resource }) => statusFaults(resource))]).toEqual(['searchset', []]);
      return entry.map(({ resource }) => statusIn(resource).subscription.split('/').at(-1)).sort();
    };
    const both = [one.id, other.id].sort();

    expect(await told('')).toEqual(expect.arrayContaining(both));
    expect(await told(`id=${one.id}`)).toEqual([one.id]);
    expect(await told(`id=${one.id}&id=${other.id}`)).toEqual(both);
    expect(await told(`id=${one.id}&id=${other.id}&status=off`)).toEqual([other.id]);
    expect(await told('status=active')).not.toContain(other.id);
  });

  it('and all else of another organisation is nothing', async () => {
    const one = await subscribed();
    const body = await now(one);
    const asLakeside = (method: string, path: string, sent?: object) =>
      world.ask(method, path, sent, 'system@lakeside.example');

    const answers = await Promise.all([
      asLakeside('GET', one.path),
      asLakeside('GET', `${one.path}/$status`),
      asLakeside('GET', `${one.path}/$events`),
      asLakeside('POST', `${one.path}/$redrive`),
      asLakeside('PUT', one.path, { ...body, status: 'off' }),
      asLakeside('DELETE', one.path),
    ]);
    const all = await asLakeside('GET', `Subscription/$status?id=${one.id}`);

    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404, 404]);
    expect((all.body as fhir4.Bundle).entry ?? []).toEqual([]);
    expect(await world.statusOf(one)).toMatchObject({ status: 'active' });
  });
});
