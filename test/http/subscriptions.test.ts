import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { appendToSequence } from '../../shared/store/feed/sequence.ts';
import { subscriptionOf } from '../../shared/store/subscriptions/read-subscriptions.ts';
import { settingsRow } from '../../shared/store/subscriptions/settings.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import { backportExtensions } from '../../shared/subscriptions/backport.ts';
import { batchOf, postEntry, putEntry, transactionOf, urn } from '../support/bundles.ts';
import type { TestCaller } from '../support/callers.ts';
import { changeOf } from '../support/delivery-world.ts';
import { base, type FhirServer, fhirServer, physician, type TestResponse } from '../support/fhir-server.ts';
import { admin, create, issuesOf, patientBody, type Stored, stored, system } from '../support/records.ts';
import {
  authorization,
  endpoint,
  filteredBy,
  signedWith,
  signingSecret,
  storedText,
  subscriptionBody,
  useSecretsKey,
  withContent,
} from '../support/subscriptions.ts';
import { newRecord } from '../support/test-store.ts';

let server: FhirServer;
// A whole stack in this process, of another file, would let webhooks go to loopback.
beforeEach(() => void vi.stubEnv('WEBHOOK_HOSTS', '[]'));
afterEach(() => void vi.unstubAllEnvs());

beforeAll(async () => {
  server = await fhirServer();
});

const subscribed = (...body: Parameters<typeof subscriptionBody>) => create(server, subscriptionBody(...body), system);
const post = (body: fhir4.Subscription, as: TestCaller = system) => server.post('Subscription', body, { as });
const put = (body: fhir4.Subscription, as: TestCaller = system) => server.put(`Subscription/${body.id}`, body, { as });
const patch = (id: string, operations: readonly object[], as: TestCaller = system) =>
  server.request('PATCH', `Subscription/${id}`, {
    as,
    body: operations,
    headers: { 'content-type': 'application/json-patch+json' },
  });
const read = async (path: string): Promise<Stored<fhir4.Subscription>> => {
  const { status, body } = await server.get(path, { as: system });
  expect(status).toBe(200);
  return stored<fhir4.Subscription>(body);
};
/** How a request was refused: where, and why. */
const refusalIn = ({ status, body }: TestResponse): unknown[] => {
  const [issue] = issuesOf(body);
  return [status, issue?.reason, issue?.expression];
};

let numbers = 0;
const newId = () => `subscription-${++numbers}`;

/** Every way to write one, by what it is answered with. */
const ways: Readonly<Record<string, (body: fhir4.Subscription) => Promise<TestResponse>>> = {
  create: (body) => post(body),
  'conditional create': (body) =>
    server.post('Subscription', body, {
      as: system,
      headers: { 'if-none-exist': `url=https://none.example/${newId()}` },
    }),
  'update as create': (body) => put({ ...body, id: newId() }),
  'conditional update': (body) => server.put(`Subscription?url=https://none.example/${newId()}`, body, { as: system }),
  update: async (body) => put({ ...body, id: (await subscribed()).id }),
  patch: async (body) =>
    patch(
      (await subscribed()).id,
      Object.entries(body).map(([name, value]) => ({ op: 'add', path: `/${name}`, value: value as unknown })),
    ),
};

/** Every way to write one in a bundle, by the entry's answer. */
const inBundle: Readonly<Record<string, (body: fhir4.Subscription) => Promise<TestResponse>>> = {
  batch: (body) => server.post('', batchOf(postEntry(body)), { as: system }),
  transaction: (body) => server.post('', transactionOf(postEntry(body), postEntry(patientBody())), { as: system }),
};

describe('a Subscription', () => {
  it.each(Object.keys(ways))('begins with a handshake, whatever its writer says of its status: %s', async (way) => {
    const answer = await ways[way]?.(subscriptionBody({ status: 'active', error: 'none' }));

    expect(answer?.body).toMatchObject({ resourceType: 'Subscription', status: 'requested' });
    expect(answer?.body['error']).toBeUndefined();
  });

  const elsewhere = { type: 'websocket' } as const;
  const refused = [422, 'channel-not-served', 'Subscription.channel.type'];

  it.each(Object.keys(ways))('is refused for what is not served: %s', async (way) => {
    const answer = await ways[way]?.(subscriptionBody({}, elsewhere));

    expect(answer && refusalIn(answer)).toEqual(refused);
  });

  it('is refused in bundles, too, and with it the whole transaction', async () => {
    const { body: batch } = (await inBundle['batch']?.(subscriptionBody({}, elsewhere))) ?? {};
    const transaction = await inBundle['transaction']?.(subscriptionBody({}, elsewhere));

    const response = batch?.['entry']?.[0]?.['response'];
    expect([response?.['status'], issuesOf(response?.['outcome'] as never)[0]?.reason]).toEqual([
      expect.stringMatching(/^422/),
      'channel-not-served',
    ]);
    expect([transaction?.status, issuesOf(transaction?.body as never)[0]?.reason]).toEqual([422, 'channel-not-served']);
  });

  const at = (element: string) => `Subscription.${element}`;
  it.each([
    ['another topic', { criteria: 'http://example.org/topic' }, {}, 'criteria-not-served', at('criteria')],
    ['criteria nobody knows', { criteria: 'Observation?colour=red' }, {}, 'criteria-not-served', at('criteria')],
    ['a filter nobody knows', filteredBy('colour=red'), {}, 'criteria-not-served', at('criteria.extension[0]')],
    ['another format', {}, { payload: 'application/fhir+xml' }, 'payload-not-served', at('channel.payload')],
    ['no endpoint', {}, { endpoint: undefined }, 'endpoint-not-served', at('channel.endpoint')],
    ['http', {}, { endpoint: 'http://example.org/a' }, 'endpoint-not-served', at('channel.endpoint')],
    ['this server', {}, { endpoint: `${base}/Binary` }, 'endpoint-not-served', at('channel.endpoint')],
    ['a private address', {}, { endpoint: 'https://10.0.0.1/a' }, 'endpoint-not-served', at('channel.endpoint')],
    [
      'a password in the URL',
      {},
      { endpoint: 'https://a:b@example.org/' },
      'endpoint-not-served',
      at('channel.endpoint'),
    ],
    [
      'a token in the URL',
      {},
      { endpoint: `${endpoint}?accessToken=1` },
      'endpoint-not-served',
      at('channel.endpoint'),
    ],
    ['a header of ours', {}, { header: ['Webhook-Id: 1'] }, 'header-not-served', at('channel.header')],
    ['what is no header', {}, { header: ['Bearer'] }, 'header-not-served', at('channel.header')],
    ['a short signing secret', {}, signedWith('whsec_YQ=='), 'secret-not-served', at('channel.extension')],
    ['a hidden header that nobody knows', {}, { header: ['A: ***'] }, 'secret-needed', at('channel.header')],
    ['a hidden secret that nobody knows', {}, signedWith('***'), 'secret-needed', at('channel.extension')],
    ['an end that has passed', { end: '2020-01-01T00:00:00Z' }, {}, 'subscription-ended', at('end')],
  ] as const)('is refused for %s', async (_, elements, channel, reason, expression) => {
    const body = subscriptionBody(elements, channel as Partial<fhir4.SubscriptionChannel>);

    expect(refusalIn(await post(body))).toEqual([422, reason, expression]);
  });

  it('holds no credential in its endpoint while it is off, either: it is shown as it is', async () => {
    const off = { status: 'off' } as const;
    const anywhere = await post(subscriptionBody(off, { endpoint: 'http://10.0.0.1/hook' }));
    const answers = await Promise.all(
      ['http://a:b@10.0.0.1/hook', `${endpoint}?api_key=1`].map((each) =>
        post(subscriptionBody(off, { endpoint: each })),
      ),
    );

    expect(anywhere.status).toBe(201);
    expect(answers.map((answer) => refusalIn(answer).slice(0, 2))).toEqual([
      [422, 'endpoint-not-served'],
      [422, 'endpoint-not-served'],
    ]);
  });

  it('may go to further hosts, as far as a stage names them', async () => {
    const local = subscriptionBody({}, { endpoint: 'http://localhost:8080/hook' });
    const before = await post(local);

    vi.stubEnv('WEBHOOK_HOSTS', '["http://localhost:*"]');
    const after = await post(local);

    expect([before.status, after.status]).toEqual([422, 201]);
  });

  it('is refused for an extension of the guide that says it twice', async () => {
    const extension = [1, 2].map((valuePositiveInt) => ({ url: backportExtensions.maxCount, valuePositiveInt }));

    expect(refusalIn(await post(subscriptionBody({}, { extension })))).toEqual([
      400,
      'subscription-extension',
      'Subscription.channel.extension[1]',
    ]);
  });

  it('is refused where its organisation has too many, unless one of these is turned off', async () => {
    const hoarder: TestCaller = { role: 'system', organization: 'hoarder' };
    const { id } = await create(server, subscriptionBody(), hoarder);
    const { settings } = await subscriptionOf(server.store, { organization: 'hoarder', id });
    if (!settings) throw new Error('It has no settings');
    const others = Array.from({ length: 499 }, (_, number) => settingsRow({ ...settings, id: `other-${number}` }));
    await writeRows(server.store, others);

    expect(refusalIn(await post(subscriptionBody(), hoarder))).toEqual([
      422,
      'too-many-subscriptions',
      'Subscription.status',
    ]);
    expect((await put(subscriptionBody({ id, reason: 'Another' }), hoarder)).status).toBe(200);
    expect((await put(subscriptionBody({ id, status: 'off' }), hoarder)).status).toBe(200);
    expect((await post(subscriptionBody(), hoarder)).status).toBe(201);
    expect(refusalIn(await put(subscriptionBody({ id }), hoarder))[1]).toBe('too-many-subscriptions');
    expect((await post(subscriptionBody())).status).toBe(201);
  });

  it('is of one organisation, and of its administrators and applications alone', async () => {
    const { id } = await subscribed();
    const foreign: TestCaller = { role: 'system', organization: 'lakeside' };

    const statuses = async (as: TestCaller) => [
      (await server.get(`Subscription/${id}`, { as })).status,
      (await put(subscriptionBody({ id }), as)).status,
      (await server.delete(`Subscription/${id}`, { as })).status,
    ];

    expect(await statuses(foreign)).toEqual([404, 404, 404]);
    expect(await statuses(physician)).toEqual([403, 403, 403]);
    expect(await statuses(admin)).toEqual([200, 200, 204]);
  });
});

describe('what a Subscription may have sent', () => {
  const withScope = (scope: string): TestCaller => ({ role: 'system', scope: `system/Subscription.cruds ${scope}` });

  it('is whole records only of who may read them', async () => {
    const whole = subscriptionBody({}, withContent('full-resource'));

    expect((await post(whole)).status).toBe(201);
    expect(refusalIn(await post(whole, admin))).toEqual([
      422,
      'full-resource-not-permitted',
      'Subscription.channel.payload.extension',
    ]);
    const directory = { criteria: 'Practitioner?active=true' };
    expect((await post(subscriptionBody(directory, withContent('full-resource')), admin)).status).toBe(201);
  });

  it('is chosen by what records say only of who may read that', async () => {
    expect((await post(subscriptionBody(), admin)).status).toBe(201);
    expect(refusalIn(await post(subscriptionBody({ criteria: 'Condition?code=1' }), admin))).toEqual([
      422,
      'filter-not-permitted',
      'Subscription.criteria',
    ]);
    expect(refusalIn(await post(subscriptionBody(filteredBy('code=1')), admin))).toEqual([
      422,
      'filter-not-permitted',
      'Subscription.criteria.extension[0]',
    ]);
  });

  it('is of types alone that a scope reads', async () => {
    expect(refusalIn(await post(subscriptionBody(), withScope('system/Patient.rs')))).toEqual([
      422,
      'topic-not-permitted',
      'Subscription.criteria',
    ]);
    expect((await post(subscriptionBody(), withScope('system/Observation.r'))).status).toBe(201);
  });

  it('can be turned off by anybody who may write it, whatever it asks for, also once it has ended', async () => {
    const now = Date.now();
    server.setTime(now);
    const end = new Date(now + 60_000).toISOString();
    const { id } = await subscribed({ end }, withContent('full-resource'));
    server.setTime(now + 120_000);

    const again = await patch(id, [{ op: 'replace', path: '/reason', value: 'Still' }]);
    const off = await patch(id, [{ op: 'replace', path: '/status', value: 'off' }], admin);
    server.setTime(undefined);

    expect(refusalIn(again)).toEqual([422, 'subscription-ended', 'Subscription.end']);
    expect([off.status, off.body['status']]).toEqual([200, 'off']);
  });
});

describe('settings of a Subscription', () => {
  it('are written with it, and say what delivery has to know', async () => {
    const { settingsOf } = await useSecretsKey();
    const end = '2040-01-01T00:00:00.000Z';
    const extension = [
      { url: backportExtensions.heartbeat, valueUnsignedInt: 300 },
      { url: backportExtensions.timeout, valueUnsignedInt: 5 },
      { url: backportExtensions.maxCount, valuePositiveInt: 20 },
    ];
    const scope = 'system/*.cruds system/Observation.rs?category=laboratory';
    const body = subscriptionBody(
      { end, ...filteredBy('Observation?code=8480-6') },
      { extension, ...withContent('empty') },
    );
    const { id } = await create(server, body, { role: 'system', scope });

    expect(await settingsOf(server.store, id)).toEqual({
      organization: 'northside',
      id,
      version: 1,
      status: 'requested',
      baseUrl: base,
      endpoint,
      topic: body.criteria,
      types: ['Observation'],
      filters: ['Observation?code=8480-6'],
      content: 'empty',
      contentType: 'application/fhir+json',
      heartbeatSeconds: 300,
      timeoutSeconds: 5,
      maxCount: 20,
      end: Date.parse(end),
      secrets: { headers: [], signingSecret: undefined },
      writer: {
        subject: 'sub-system-northside',
        name: 'system@northside.example',
        client: 'concordtestclient',
        fhirUser: 'Practitioner/northside-system',
        roles: ['system'],
        scope,
      },
      start: expect.any(String) as string,
      startedBy: 1,
    });
  });

  it('keep where it begins while it is on, and begin anew where it is switched on', async () => {
    const { settingsOf } = await useSecretsKey();
    const { id } = await subscribed();
    const first = await settingsOf(server.store, id);
    const change = changeOf(newRecord(server.store, server.store.ids.newChart(), { custodian: 'northside' }));
    await appendToSequence(server.store, 'northside', { changes: [change] });

    await put(subscriptionBody({ id, reason: 'another' }));
    const second = await settingsOf(server.store, id);
    await put(subscriptionBody({ id, status: 'off' }));
    await put(subscriptionBody({ id }));
    const last = await settingsOf(server.store, id);

    expect(second).toMatchObject({ version: 2, start: first?.start, startedBy: 1 });
    expect(last).toMatchObject({ version: 4, startedBy: 4 });
    expect(last?.start).not.toBe(first?.start);
  });

  it('follow each version, and go with the record', async () => {
    const { settingsOf } = await useSecretsKey();
    const { id } = await subscribed();

    await put(subscriptionBody({ id, criteria: 'Encounter?' }), admin);
    const second = await settingsOf(server.store, id);
    await patch(id, [{ op: 'replace', path: '/status', value: 'off' }]);
    const third = await settingsOf(server.store, id);
    await server.delete(`Subscription/${id}`, { as: system });

    expect(second).toMatchObject({ version: 2, status: 'requested', types: ['Encounter'], filters: [] });
    expect(second).toMatchObject({ writer: { roles: ['admin'] } });
    expect(second).not.toHaveProperty('topic');
    expect(third).toMatchObject({ version: 3, status: 'off' });
    expect(await settingsOf(server.store, id)).toBeUndefined();
  });
});

describe('labels of a Subscription', () => {
  it('leave its settings as they are, under the new version', async () => {
    const { settingsOf } = await useSecretsKey();
    const { id } = await subscribed({}, { header: ['X-Key: kept'] });
    const before = await settingsOf(server.store, id);
    const valueMeta = { tag: [{ system: 'http://concord.test/tags', code: 'register' }] };

    const added = await server.post(
      `Subscription/${id}/$meta-add`,
      { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta }] },
      { as: system },
    );

    expect(added.status).toBe(200);
    expect(before?.secrets.headers).toEqual([{ name: 'x-key', value: 'kept' }]);
    expect(await settingsOf(server.store, id)).toEqual({ ...before, version: 2 });
  });
});

describe('secrets of a Subscription', () => {
  const secrets = { header: [`Authorization: ${authorization}`, 'X-Key: another'], ...signedWith(signingSecret) };
  const shown = ['Authorization: ***', 'X-Key: ***'];
  const opened = {
    headers: [
      { name: 'authorization', value: authorization },
      { name: 'x-key', value: 'another' },
    ],
    signingSecret,
  };

  it('are stored in no row, whichever way they come, and are for delivery to open', async () => {
    const own = await fhirServer();
    const { settingsOf } = await useSecretsKey();
    const body = subscriptionBody({}, secrets);
    const many = Array.from({ length: 100 }, (_, n) =>
      postEntry(patientBody({ birthDate: `19${10 + (n % 80)}-01-01` })),
    );
    const once = { 'idempotency-key': 'a-key-of-this-test', prefer: 'return=representation' };

    const created = await own.post('Subscription', body, { as: system, headers: once });
    const again = await own.post('Subscription', body, { as: system, headers: once });
    const id = String(created.body['id']);
    await own.put(`Subscription/${id}`, { ...body, id, reason: 'Another' }, { as: system });
    const batch = await own.post('', batchOf(postEntry(body)), {
      as: system,
      headers: { 'idempotency-key': 'another-key-of-this-test' },
    });
    await own.put('Subscription?url=https://none.example/a', body, { as: system });
    const staged = transactionOf(postEntry(body, urn()), putEntry({ ...body, id: 'chosen' }), ...many);
    const { status } = await own.post('', staged, { as: system });

    expect([created.status, again.status, again.body['id'], batch.status, status]).toEqual([201, 201, id, 200, 200]);
    const text = await storedText(own.store);
    expect(text).toContain('Authorization: ***');
    for (const secret of ['verysecret', 'another', signingSecret.slice(6)]) expect(text).not.toContain(secret);
    for (const each of [id, 'chosen']) expect((await settingsOf(own.store, each))?.secrets).toEqual(opened);
  });

  it('are shown to nobody: not in the answer, nor on reading, in a history, a search or a patch', async () => {
    await useSecretsKey();
    const created = await post(subscriptionBody({}, secrets));
    const id = String(created.body['id']);

    const answers = [
      created,
      ...(await Promise.all(
        [
          `Subscription/${id}`,
          `Subscription/${id}/_history`,
          `Subscription/${id}/_history/1`,
          `Subscription?_id=${id}`,
        ].map((path) => server.get(path, { as: system })),
      )),
      await patch(id, [{ op: 'test', path: '/channel/header/0', value: shown[0] }]),
    ];

    for (const { status, text } of answers) {
      expect([200, 201]).toContain(status);
      expect(text).toContain('Authorization: ***');
      expect(text).not.toMatch(/verysecret|another|BwcH/);
    }
    const guessed = [{ op: 'test', path: '/channel/header/0', value: `Authorization: ${authorization}` }];
    expect((await patch(id, guessed)).status).not.toBe(200);
  });

  it('are kept where *** comes back, and only there', async () => {
    const { settingsOf } = await useSecretsKey();
    const { id } = await subscribed({}, secrets);

    const back = await read(`Subscription/${id}`);
    await put({ ...back, reason: 'Another' });
    const kept = await settingsOf(server.store, id);
    const { extension: _, ...channel } = back.channel;
    const { status } = await put({ ...back, channel: { ...channel, header: ['Authorization: new', 'x-key: ***'] } });
    const changed = await settingsOf(server.store, id);

    expect(status).toBe(200);
    expect(kept?.secrets).toEqual(opened);
    expect(changed?.secrets).toEqual({
      headers: [
        { name: 'authorization', value: 'new' },
        { name: 'x-key', value: 'another' },
      ],
      signingSecret: undefined,
    });
  });

  it('go to no other endpoint: whoever may write a Subscription would have them sent to himself', async () => {
    const { settingsOf } = await useSecretsKey();
    const { id } = await subscribed({}, secrets);
    const back = await read(`Subscription/${id}`);
    const away = { ...back, channel: { ...back.channel, endpoint: `${endpoint}/mine` } };

    expect(refusalIn(await put(away, admin))).toEqual([422, 'secret-needed', 'Subscription.channel.header']);
    // Turned off there, it has no secrets any more when it is turned on again.
    expect((await put({ ...away, status: 'off' }, admin)).status).toBe(200);
    expect((await settingsOf(server.store, id))?.secrets).toEqual({ headers: [], signingSecret: undefined });
    expect(refusalIn(await put({ ...away, status: 'requested' }, admin))[1]).toBe('secret-needed');
  });

  it('are not kept over a deletion', async () => {
    await useSecretsKey();
    const { id } = await subscribed({}, secrets);
    const back = await read(`Subscription/${id}`);
    await server.delete(`Subscription/${id}`, { as: system });

    expect(refusalIn(await put(back))[1]).toBe('secret-needed');
  });

  it('are refused while they cannot be encrypted, and nothing is stored', async () => {
    await useSecretsKey();
    vi.stubEnv('SECRETS_KEY_ID', 'alias/none');
    const reason = 'Nowhere to be found';

    const refused = await post(subscriptionBody({ reason }, secrets));

    expect(refusalIn(refused).slice(0, 2)).toEqual([503, 'unavailable']);
    expect(refused.headers['retry-after']).toBe('5');
    expect(await storedText(server.store)).not.toContain(reason);
  });
});
