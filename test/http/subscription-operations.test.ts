import { beforeAll, describe, expect, it } from 'vitest';
import { usualPolicy } from '../../shared/access/policy.ts';
import { chartLog } from '../../shared/audit/audit-log.ts';
import { logNameOf } from '../../shared/audit/log-name.ts';
import { readableNow } from '../../shared/changes/readable-now.ts';
import { gather, readingOf } from '../../shared/delivery/gather.ts';
import type { RecordChange } from '../../shared/store/feed/change.ts';
import { cursorText, endOfSequence } from '../../shared/store/feed/sequence.ts';
import { tell } from '../../shared/store/feed/tell.ts';
import { type Notification, notificationRow } from '../../shared/store/subscriptions/notifications.ts';
import { subscriptionOf } from '../../shared/store/subscriptions/read-subscriptions.ts';
import type { PayloadContent } from '../../shared/store/subscriptions/settings.ts';
import { newState, type SubscriptionState, stateRow } from '../../shared/store/subscriptions/state.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import { statusProfile } from '../../shared/subscriptions/backport.ts';
import type { TestCaller } from '../support/callers.ts';
import { consentBody, organizationsThere, recipient } from '../support/consents.ts';
import { base, type FhirServer, fhirServer, physician, type TestResponse } from '../support/fhir-server.ts';
import {
  admin,
  create,
  encounterBody,
  entriesOf,
  issuesOf,
  linkOf,
  observationBody,
  patientBody,
  referenceTo,
  type Stored,
  system,
} from '../support/records.ts';
import { filteredBy, subscriptionBody, withContent } from '../support/subscriptions.ts';

// What delivery has noted is written here as delivery notes it.

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let results: readonly Stored<fhir4.Observation>[];
beforeAll(async () => {
  server = await fhirServer();
  patient = await create(server, patientBody());
  results = await Promise.all(Array.from({ length: 4 }, () => create(server, observationBody(referenceTo(patient)))));
});

const lakeside: TestCaller = { role: 'system', organization: 'lakeside' };
const get = (path: string, as: TestCaller = system) => server.get(`Subscription${path}`, { as });
/** What the log of a chart tells of an operation on a Subscription. */
const tracesOf = async (chart: string, query: string) =>
  (await chartLog(server.store, logNameOf(server.store, chart), undefined)).accesses.flatMap(({ entry }) =>
    entry.query === query ? [entry.what] : [],
  );
const refusalIn = ({ status, body }: TestResponse) => [status, issuesOf(body)[0]?.reason];

const changeOf = ({ id, meta }: Stored<fhir4.Resource>, type = 'Observation'): RecordChange => {
  const address = server.store.ids.decode(id);
  if (!address) throw new Error('It has an id of another kind');
  const updated = Date.parse(String(meta.lastUpdated));
  return { type, ...address, version: 1, updated, custodian: 'northside', change: 'created' };
};

/** A Subscription with what delivery has noted of it. */
const delivered = async (
  body: fhir4.Subscription,
  notifications: readonly (readonly RecordChange[])[],
  over: Partial<SubscriptionState> = {},
  said: Partial<Notification> = {},
  as: TestCaller = system,
) => {
  const { id } = await create(server, body, as);
  const name = { organization: as.organization ?? 'northside', id };
  let events = 0;
  const rows = notifications.map((changes) => {
    const notification: Notification = {
      ...name,
      first: events + 1,
      made: 0,
      changes,
      status: 'delivered',
      attempts: 1,
      ...said,
    };
    events += changes.length;
    return notificationRow(notification);
  });
  await writeRows(server.store, [...rows, stateRow({ ...newState(name), events, ...over })]);
  return id;
};

const valuesIn = (parameters: fhir4.Parameters | undefined) =>
  Object.fromEntries(
    (parameters?.parameter ?? []).map(({ name, part, ...value }) => [name, part ?? Object.values(value)[0]]),
  ) as Record<string, unknown>;
const statusIn = ({ body }: TestResponse) => valuesIn(entriesOf(body)[0]?.['resource'] as unknown as fhir4.Parameters);

/** Events of an answer: number and focus of each, and the entries beside. */
const eventsIn = ({ body }: TestResponse) => {
  const [first, ...entries] = entriesOf(body);
  const { parameter = [] } = (first?.['resource'] ?? {}) as unknown as fhir4.Parameters;
  return {
    told: parameter
      .filter(({ name }) => name === 'notification-event')
      .map(({ part = [] }) => {
        const of = (called: string) => part.find(({ name }) => name === called);
        return [of('event-number')?.valueString, of('focus')?.valueReference?.reference?.replace(`${base}/`, '')];
      }),
    entries,
  };
};

describe('$status of a Subscription', () => {
  it('tells how it stands as the guide has it, by GET and by POST', async () => {
    const id = await delivered(subscriptionBody(), [results.slice(0, 3).map((each) => changeOf(each))]);

    const asked = await get(`/${id}/$status`);
    const posted = await server.post(`Subscription/${id}/$status`, { resourceType: 'Parameters' }, { as: system });

    expect(asked.body).toMatchObject({ resourceType: 'Bundle', type: 'searchset', total: 1 });
    expect(asked.body['entry']?.[0]).toMatchObject({
      search: { mode: 'match' },
      resource: { resourceType: 'Parameters', meta: { profile: [statusProfile] } },
    });
    for (const answer of [asked, posted])
      expect(statusIn(answer)).toEqual({
        subscription: { reference: `${base}/Subscription/${id}` },
        topic: 'https://concord.example/fhir/SubscriptionTopic/Observation',
        status: 'requested',
        type: 'query-status',
        'events-since-subscription-start': '3',
      });
  });

  it('tells of one that delivery has not seen, and what goes wrong with one that it has', async () => {
    const { id } = await create(server, subscriptionBody({ criteria: 'Encounter?' }), system);
    const failing = await delivered(subscriptionBody(), [], { problem: 'no-response', failures: 3 });

    expect(statusIn(await get(`/${id}/$status`))).toEqual({
      subscription: { reference: `${base}/Subscription/${id}` },
      status: 'requested',
      type: 'query-status',
      'events-since-subscription-start': '0',
    });
    expect(statusIn(await get(`/${failing}/$status`))['error']).toEqual({
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/subscription-error', code: 'no-response' }],
    });
  });

  it('tells of all, of some by id and of those in a status, of the own organisation alone', async () => {
    const own = await fhirServer();
    const ids: string[] = [];
    for (const status of ['requested', 'off', 'requested'] as const)
      ids.push((await create(own, subscriptionBody({ status }), system)).id);
    const foreign = await create(own, subscriptionBody(), lakeside);
    const [first, off, third] = ids;
    const told = async (query: string) => {
      const { status, body } = await own.get(`Subscription/$status${query}`, { as: admin });
      expect([status, body['type']]).toEqual([200, 'searchset']);
      return entriesOf(body)
        .map(({ resource }) => valuesIn(resource as unknown as fhir4.Parameters)['subscription'] as fhir4.Reference)
        .map(({ reference }) => reference?.replace(`${base}/Subscription/`, ''))
        .sort();
    };

    expect(await told('')).toEqual([...ids].sort());
    expect(await told(`?id=${first}&id=${off}&id=${foreign.id}`)).toEqual([first, off].sort());
    expect(await told('?status=off')).toEqual([off]);
    expect(await told(`?status=requested&status=error&id=${third}`)).toEqual([third]);
    expect(await told('?status=active')).toEqual([]);
  });

  it('leaves a trace, and is refused as reading it is', async () => {
    const { id } = await create(server, subscriptionBody(), system);
    const gone = await create(server, subscriptionBody(), system);
    await server.delete(`Subscription/${gone.id}`, { as: system });
    await get(`/${id}/$status`);

    expect(await tracesOf(id, `Subscription/${id}/$status`)).toEqual([[`Subscription/${id}`]]);
    for (const operation of ['$status', '$events'])
      expect([
        (await get(`/${id}/${operation}`, lakeside)).status,
        (await get(`/${id}/${operation}`, physician)).status,
        (await get(`/nobody/${operation}`)).status,
        (await get(`/${gone.id}/${operation}`)).status,
      ]).toEqual([404, 403, 404, 410]);
    expect((await get('/$status', physician)).status).toBe(403);
    expect(refusalIn(await get('/$status?colour=red'))).toEqual([400, 'not-supported']);
  });
});

describe('$events of a Subscription', () => {
  const twoNotifications = () => [
    results.slice(0, 2).map((each) => changeOf(each)),
    results.slice(2, 4).map((each) => changeOf(each)),
  ];
  const numbered = (...numbers: number[]) =>
    numbers.map((number) => [String(number), referenceTo(results[number - 1] as Stored<fhir4.Observation>)]);

  it('are told as notifications tell them, by their numbers, both included', async () => {
    const id = await delivered(subscriptionBody(), twoNotifications());

    const all = await get(`/${id}/$events`);
    const some = await get(`/${id}/$events?eventsSinceNumber=2&eventsUntilNumber=3`);

    expect(all.body).toMatchObject({ resourceType: 'Bundle', type: 'history' });
    expect(statusIn(all)).toMatchObject({ type: 'query-event', 'events-since-subscription-start': '4' });
    expect(eventsIn(all).told).toEqual(numbered(1, 2, 3, 4));
    expect(eventsIn(some).told).toEqual(numbered(2, 3));
    expect(eventsIn(some).entries).toMatchObject([
      { request: { method: 'POST', url: 'Observation' }, response: { status: '201' } },
      { fullUrl: `${base}/${referenceTo(results[2] as Stored<fhir4.Observation>)}` },
    ]);
    expect(eventsIn(some).entries.some(({ resource }) => resource !== undefined)).toBe(false);
    expect(eventsIn(await get(`/${id}/$events?eventsSinceNumber=5`)).told).toEqual([]);
  });

  it('hold as much as is asked for, and no more than the Subscription or who asks may have', async () => {
    const whole = await delivered(subscriptionBody({}, withContent('full-resource')), twoNotifications());
    const ids = await delivered(subscriptionBody(), twoNotifications());
    const resources = async (path: string, as?: TestCaller) =>
      eventsIn(await get(path, as)).entries.filter(({ resource }) => resource?.['valueQuantity']).length;

    expect(await resources(`/${whole}/$events`)).toBe(4);
    expect(await resources(`/${whole}/$events?content=id-only`)).toBe(0);
    expect(await resources(`/${ids}/$events?content=full-resource`)).toBe(0);
    // An administrator has no clinical content.
    const byAdmin = await get(`/${whole}/$events`, admin);
    expect([eventsIn(byAdmin).told.length, await resources(`/${whole}/$events`, admin)]).toEqual([4, 0]);
    const empty = await get(`/${ids}/$events?content=empty`);
    expect(eventsIn(empty).told).toEqual([1, 2, 3, 4].map((number) => [String(number), undefined]));
    expect([eventsIn(empty).entries, statusIn(empty)['topic']]).toEqual([[], undefined]);
  });

  it('leave out what may not be known any more, and what a narrower scope does not read', async () => {
    const theirs = await create(server, patientBody(), lakeside);
    const hidden = await create(server, observationBody(referenceTo(theirs)), lakeside);
    const changes = [changeOf(results[0] as Stored<fhir4.Observation>), { ...changeOf(hidden), custodian: 'lakeside' }];
    const id = await delivered(subscriptionBody(), [changes]);
    const narrowed: TestCaller = { role: 'system', scope: 'system/Subscription.rs system/Observation.rs?category=x' };

    expect(eventsIn(await get(`/${id}/$events`)).told).toEqual(numbered(1));
    expect(eventsIn(await get(`/${id}/$events`, narrowed)).told).toEqual([]);
  });

  it('are told of what filters found to those alone who may read what that says', async () => {
    const filtered = { filtered: true } as const;
    const id = await delivered(subscriptionBody(filteredBy('status=final')), twoNotifications(), {}, filtered);

    expect(eventsIn(await get(`/${id}/$events`)).told).toEqual(numbered(1, 2, 3, 4));
    const answers = [await get(`/${id}/$events`, admin), await get(`/${id}/$events?content=empty`, admin)];
    // Who takes the filter away has not become somebody who may know what it found.
    await server.put(`Subscription/${id}`, { ...subscriptionBody(), id }, { as: admin });
    answers.push(await get(`/${id}/$events`, admin));
    expect(answers.map(({ status, body }) => [status, eventsIn({ body } as TestResponse)])).toEqual(
      answers.map(() => [200, { told: [], entries: [] }]),
    );
  });

  it('are not told whole to somebody whom a Consent denies by name what it opens to their organisation', async () => {
    const { id: shared } = await create(server, patientBody());
    const result = await create(server, observationBody(`Patient/${shared}`));
    const { organization = '' } = lakeside;
    const denied = { type: 'deny' as const, actor: [recipient(`Practitioner/${organization}-system`)] };
    const practitioner: fhir4.Practitioner = { resourceType: 'Practitioner', id: `${organization}-system` };
    await organizationsThere(server, [organization]);
    await server.put(`Practitioner/${practitioner.id}`, practitioner, { as: lakeside });
    await create(server, consentBody(`Patient/${shared}`, { provision: [denied] }), system);
    const whole = withContent('full-resource');
    const id = await delivered(subscriptionBody({}, whole), [[changeOf(result)]], {}, {}, lakeside);
    const name = { organization, id };
    const { settings } = await subscriptionOf(server.store, name);
    const attempted = async (content: PayloadContent) => {
      if (!settings) throw new Error('It has no settings');
      const world = { store: server.store, policy: usualPolicy, programmes: async () => new Set<string>() };
      const { reading } = await readingOf(world, { ...settings, content }, Date.now());
      return (await readableNow(reading, [changeOf(result)])).readable.length;
    };

    expect((await server.get(referenceTo(result), { as: lakeside })).status).toBe(404);
    expect(eventsIn(await get(`/${id}/$events`, lakeside)).told).toEqual([]);
    expect(eventsIn(await get(`/${id}/$events?content=id-only`, lakeside)).told).toEqual([['1', referenceTo(result)]]);
    expect([await attempted('full-resource'), await attempted('id-only')]).toEqual([0, 1]);
  });

  it('are found by nothing that is masked to who subscribes, as searches find nothing by it', async () => {
    const { id: shared } = await create(server, patientBody());
    const subject = `Patient/${shared}`;
    const encounter = await create(server, encounterBody(subject));
    const result = await create(server, {
      ...observationBody(subject),
      encounter: { reference: referenceTo(encounter) },
    });
    const resourceType = { system: 'http://hl7.org/fhir/resource-types', code: 'Encounter' };
    await organizationsThere(server, ['lakeside']);
    const denied = { type: 'deny' as const, class: [resourceType] };
    await create(server, consentBody(subject, { provision: [denied] }), system);
    const begin = cursorText(await endOfSequence(server.store, 'lakeside'));
    await tell(server.store, [{ change: changeOf(result), recipients: ['lakeside'] }]);
    const found = async (filter: string) => {
      const { id } = await create(server, subscriptionBody(filteredBy(filter)), lakeside);
      const { settings } = await subscriptionOf(server.store, { organization: 'lakeside', id });
      if (!settings) throw new Error('It has no settings');
      const world = { store: server.store, policy: usualPolicy, programmes: async () => new Set<string>() };
      const { changes } = await gather({ ...world, now: Date.now }, settings, begin, async () => new Set());
      const { body } = await server.get(`Observation?${filter}&patient=${shared}`, { as: lakeside });
      return [changes.length, entriesOf(body).length];
    };

    expect(await found(`subject=${subject}`)).toEqual([1, 1]);
    expect(await found(`encounter=${referenceTo(encounter)}`)).toEqual([0, 0]);
  });

  it('leave a trace in each chart of which they tell', async () => {
    const id = await delivered(subscriptionBody(), twoNotifications());
    await get(`/${id}/$events?eventsUntilNumber=1`);

    expect(await tracesOf(patient.id, `Subscription/${id}/$events`)).toEqual([
      [`${referenceTo(results[0] as Stored<fhir4.Observation>)}/_history/1`],
    ]);
  });

  it('come a hundred at a time, and the link goes on to the last', async () => {
    const [result] = results;
    const many = Array.from({ length: 3 }, () =>
      Array.from({ length: 50 }, () => changeOf(result as Stored<fhir4.Observation>)),
    );
    const id = await delivered(subscriptionBody(), many);

    const first = await get(`/${id}/$events?eventsSinceNumber=11&eventsUntilNumber=149`);
    const next = String(linkOf(first.body, 'next'));
    const second = await server.get(next, { as: system });

    const numbers = (answer: TestResponse) => eventsIn(answer).told.map(([number]) => Number(number));
    expect(next).toBe(`${base}/Subscription/${id}/$events?eventsSinceNumber=111&eventsUntilNumber=149`);
    expect([numbers(first)[0], numbers(first).at(-1), numbers(first).length]).toEqual([11, 110, 100]);
    expect([numbers(second)[0], numbers(second).at(-1)]).toEqual([111, 149]);
    expect(linkOf(second.body, 'next')).toBeUndefined();
  });

  it.each(['eventsSinceNumber=-1', 'eventsUntilNumber=last', 'content=all', 'since=1'])(
    'are refused for %s',
    async (query) => {
      const { id } = await create(server, subscriptionBody(), system);

      expect((await get(`/${id}/$events?${query}`)).status).toBe(400);
    },
  );
});

describe('$redrive of a Subscription', () => {
  const redrive = (id: string, valueString?: string, as: TestCaller = system) =>
    server.post(
      `Subscription/${id}/$redrive`,
      {
        resourceType: 'Parameters',
        ...(valueString ? { parameter: [{ name: 'eventsSinceNumber', valueString }] } : {}),
      },
      { as },
    );
  const asked = async (id: string) =>
    (await subscriptionOf(server.store, { organization: 'northside', id })).state?.redrive;

  it('asks delivery to send again from an event on, or from the first', async () => {
    const id = await delivered(subscriptionBody(), []);

    const answers = [await redrive(id)];
    const fromFirst = await asked(id);
    answers.push(await redrive(id, '7', admin));

    expect(answers.map(({ status, body }) => [status, body['resourceType']])).toEqual([
      [200, 'OperationOutcome'],
      [200, 'OperationOutcome'],
    ]);
    expect([fromFirst, await asked(id)]).toEqual([1, 7]);
  });

  it('is refused for one that sends nothing, and to whoever may not write it', async () => {
    const off = await delivered(subscriptionBody({ status: 'off' }), []);
    const on = await delivered(subscriptionBody(), []);
    const reader: TestCaller = { role: 'system', scope: 'system/*.rs' };

    expect(refusalIn(await redrive(off))).toEqual([422, 'subscription-not-active']);
    expect(refusalIn(await redrive(on, 'one'))).toEqual([400, 'invalid']);
    expect(
      [await redrive(on, '1', lakeside), await redrive(on, '1', physician), await redrive(on, '1', reader)].map(
        ({ status }) => status,
      ),
    ).toEqual([404, 403, 403]);
    expect([await asked(off), await asked(on)]).toEqual([undefined, undefined]);
  });
});
