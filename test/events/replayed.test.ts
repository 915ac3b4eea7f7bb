import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { SQSEvent } from 'aws-lambda';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import replayedChange from '../../events/queues/replayed-change.json' with { type: 'json' };
import { type EventPattern, matchesPattern } from '../../infra/local/event-pattern.ts';
import { patternFor, replayedPattern } from '../../infra/partners.ts';
import { usualPolicy } from '../../shared/access/policy.ts';
import { breakGlassOpenedType } from '../../shared/changes/break-glass-opened.ts';
import { consentChangedType } from '../../shared/changes/consent-changed.ts';
import { eventIdOf } from '../../shared/changes/event-id.ts';
import { recordChangedType } from '../../shared/changes/record-changed.ts';
import { reminderDueType } from '../../shared/changes/reminder-due.ts';
import { replayChanges } from '../../shared/changes/replay.ts';
import { log } from '../../shared/log.ts';
import { commit } from '../../shared/store/commit.ts';
import { keepingRow } from '../../shared/store/keeping.ts';
import { consentBody, organizationsThere } from '../support/consents.ts';
import { base, type FhirServer, fhirServer } from '../support/fhir-server.ts';
import { type RecordingBus, recordingBus } from '../support/recording-bus.ts';
import { create, observationBody, organizationBody, pathOf, patientBody, referenceTo } from '../support/records.ts';
import { commitOf, nextOf } from '../support/test-store.ts';

let server: FhirServer;
beforeAll(async () => {
  server = await fhirServer();
  await organizationsThere(server, ['northside', 'lakeside', 'hillside']);
});

let bus: RecordingBus;
let counted: string[];
let now: number;
beforeEach(() => {
  bus = recordingBus();
  counted = [];
  now = Date.now();
  vi.spyOn(log, 'count').mockImplementation((metric) => void counted.push(metric));
  return () => vi.restoreAllMocks();
});

/** A message of a queue. */
interface Message {
  readonly messageId: string;
  readonly body: string;
}

const message = (type: string, detail: object, over: object = {}): Message => ({
  messageId: randomUUID(),
  body: JSON.stringify({
    ...(JSON.parse(replayedChange.Records[0]?.body ?? '') as object),
    'detail-type': type,
    detail,
    ...over,
  }),
});

const replayed = async (messages: readonly Message[], on = bus) => {
  const { batchItemFailures } = await replayChanges(
    {
      bus: on.client,
      busName: 'concord',
      store: server.store,
      policy: usualPolicy,
      programmes: new Set(),
      baseUrl: base,
      now,
    },
    { Records: messages } as unknown as SQSEvent,
  );
  return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
};
const onBus = () =>
  bus.accepted.map(({ Detail }) => JSON.parse(Detail ?? '') as { eventId: string; recipient: string });

/** The event of a version for a recipient, as it was published. */
const changed = (
  { resourceType: recordType, id: recordId = '' }: { readonly resourceType: string; readonly id?: string },
  recipient: string,
  { version = 1, change = 'created', custodian = 'northside' } = {},
) => {
  const of = { recordType, recordId, version };
  const occurredAt = '2026-11-24T08:32:00.007Z';
  return { eventId: eventIdOf(of, recipient), ...of, change, occurredAt, custodian, recipient };
};

const observed = async () => {
  const patient = await create(server, patientBody());
  const observation = await create(server, observationBody(referenceTo(patient)));
  return { patient, subject: referenceTo(patient), observation };
};

describe('what an archive plays again', () => {
  it('has a file for each event that comes by a queue, and takes it', async () => {
    const folder = path.resolve(import.meta.dirname, '../../events/queues');
    const files = readdirSync(folder);
    const event = JSON.parse(readFileSync(path.join(folder, files[0] ?? ''), 'utf8')) as SQSEvent;

    expect(files).toEqual(['replayed-change.json']);
    expect(matchesPattern(replayedPattern as unknown as EventPattern, JSON.parse(event.Records[0]?.body ?? ''))).toBe(
      true,
    );
    // Its record is of another deployment, so there is nothing that anybody might know of.
    expect(await replayed(event.Records as unknown as Message[])).toEqual([]);
    expect([onBus(), counted]).toEqual([[], ['ReplaysWithheld']]);
  });

  it('is known whatever kind of event it is, and of a chart that is not there told to nobody', async () => {
    const folder = path.resolve(import.meta.dirname, '../../events/event-bridge');
    const messages = readdirSync(folder)
      .filter((file) => !file.endsWith('.schema.json'))
      .map((file) => {
        const { 'detail-type': type, detail } = JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as {
          'detail-type': string;
          detail: object;
        };
        return message(type, detail);
      });

    expect(await replayed(messages)).toEqual([]);
    expect(onBus()).toEqual([]);
    expect(counted).toEqual(messages.map(() => 'ReplaysWithheld'));
  });

  it('comes to the bus anew as it was, with its old id, for whoever may still read it', async () => {
    const { subject, observation } = await observed();
    await create(server, consentBody(subject));
    const detail = changed(observation, 'lakeside');

    expect(await replayed([message(recordChangedType, detail)])).toEqual([]);

    expect(bus.accepted).toEqual([
      {
        EventBusName: 'concord',
        Source: 'concord.records',
        DetailType: 'RecordChanged.v1',
        Time: new Date(detail.occurredAt),
        Detail: JSON.stringify(detail),
      },
    ]);
    expect(counted).toEqual(['EventsReplayed']);
  });

  it('reaches the partner whom it is for by its rule, once it was decided upon, and is not decided upon again', async () => {
    const { subject, observation } = await observed();
    await create(server, consentBody(subject));
    const archived = message(recordChangedType, changed(observation, 'lakeside'));
    await replayed([archived]);
    const [{ Source, DetailType, Detail = '' } = {}] = bus.accepted;
    const anew = { source: Source, 'detail-type': DetailType, detail: JSON.parse(Detail) as object };
    const ruleOf = (organization: string) => patternFor({ organization }) as unknown as EventPattern;

    expect(matchesPattern(ruleOf('lakeside'), JSON.parse(archived.body))).toBe(false);
    expect(matchesPattern(ruleOf('lakeside'), anew)).toBe(true);
    expect(matchesPattern(ruleOf('hillside'), anew)).toBe(false);
    expect(matchesPattern(replayedPattern as unknown as EventPattern, anew)).toBe(false);
  });

  it('is dropped and counted once the Consent has ended, and comes again once there is another', async () => {
    const { subject, observation } = await observed();
    const consent = await create(server, consentBody(subject));
    const events = [
      changed(observation, 'lakeside'),
      changed(observation, 'northside'),
      changed(observation, 'hillside'),
    ];
    const messages = events.map((detail) => message(recordChangedType, detail));
    await server.put(pathOf(consent), { ...consent, status: 'inactive' });

    expect(await replayed(messages)).toEqual([]);
    expect(onBus().map(({ recipient }) => recipient)).toEqual(['northside']);
    expect(counted.toSorted()).toEqual(['EventsReplayed', 'ReplaysWithheld', 'ReplaysWithheld']);

    await create(server, consentBody(subject));
    bus.accepted.length = 0;
    await replayed(messages);
    expect(onBus()).toEqual(events.slice(0, 2).toSorted((a, b) => a.recipient.localeCompare(b.recipient)));
  });

  it('tells of a deletion whoever could read what was deleted', async () => {
    const { subject, observation } = await observed();
    await create(server, consentBody(subject));
    await server.delete(pathOf(observation));
    const deleted = { version: 2, change: 'deleted' };

    await replayed(['lakeside', 'hillside'].map((to) => message(recordChangedType, changed(observation, to, deleted))));

    expect(onBus().map(({ recipient }) => recipient)).toEqual(['lakeside']);
  });

  it('tells of a purge who kept the chart, and of nothing else in it anybody', async () => {
    const { observation } = await observed();
    const { chart = '', place = '' } = server.store.ids.decode(observation.id) ?? {};
    const previous = await server.store.read({ type: 'Observation', chart, place });
    if (!previous) throw new Error('The Observation is missing');
    const next = nextOf(previous, { resource: undefined, purged: true });
    const keeping = keepingRow(chart, { state: 'purged', custodian: 'northside', at: 0 });
    await commit(server.store, commitOf({ writes: [{ next, previous }], claims: [keeping] }));
    const purge = { version: 2, change: 'deleted' };
    const event = changed(observation, 'northside', purge);

    const failed = await replayed(
      [event, changed(observation, 'northside'), changed(observation, 'lakeside', purge)].map((each) =>
        message(recordChangedType, each),
      ),
    );

    expect([failed, onBus()]).toEqual([[], [event]]);
    expect(counted.toSorted()).toEqual(['EventsReplayed', 'ReplaysWithheld', 'ReplaysWithheld']);
  });

  it('is everybody’s if it tells of the directory, and nothing else is', async () => {
    const organization = await create(server, organizationBody(), { role: 'admin' });
    const { observation } = await observed();

    await replayed([organization, observation].map((record) => message(recordChangedType, changed(record, '*'))));

    expect(onBus()).toEqual([changed(organization, '*')]);
  });

  it('is dropped where it tells of a version that is not there, and the others are decided upon', async () => {
    const { observation } = await observed();
    const lost = changed(observation, 'northside', { version: 7, change: 'updated' });
    const unknown = changed({ resourceType: 'Observation', id: 'nobody-knows' }, 'northside');

    const failures = await replayed(
      [lost, changed(observation, 'northside'), unknown].map((detail) => message(recordChangedType, detail)),
    );

    expect([failures, onBus()]).toEqual([[], [changed(observation, 'northside')]]);
    expect(counted.filter((metric) => metric === 'ReplaysWithheld')).toHaveLength(2);
  });

  it('reminds nobody of what has begun', async () => {
    const start = '2031-05-01T09:00:00Z';
    const patient = await create(server, patientBody());
    const appointment = await create(server, {
      resourceType: 'Appointment' as const,
      status: 'booked' as const,
      start,
      end: '2031-05-01T09:30:00Z',
      participant: [{ actor: { reference: referenceTo(patient) }, status: 'accepted' as const }],
    });
    const { recordType: _type, recordId: appointmentId, change: _change, ...rest } = changed(appointment, 'northside');
    const due = message(reminderDueType, { ...rest, appointmentId });

    now = Date.parse(start) - 1;
    await replayed([due]);
    now = Date.parse(start);
    await replayed([due]);

    expect(onBus()).toEqual([{ ...rest, appointmentId }]);
  });

  it('tells what a Consent opened or closed only while it is so', async () => {
    const { patient, subject } = await observed();
    const told = (change: string) =>
      message(consentChangedType, {
        eventId: eventIdOf({ recordType: 'Consent', recordId: change, version: 1 }, 'lakeside'),
        patientId: patient.id,
        change,
        occurredAt: '2026-11-24T08:32:00.000Z',
        recipient: 'lakeside',
      });
    const changes = async () => {
      bus.accepted.length = 0;
      await replayed(['gained', 'changed', 'lost'].map(told));
      return onBus().map((detail) => (detail as unknown as { change: string }).change);
    };

    expect(await changes()).toEqual(['lost']);
    await create(server, consentBody(subject));
    expect(await changes()).toEqual(['gained', 'changed']);
  });

  it('tells that somebody broke the glass of those alone whose business it is', async () => {
    const { patient } = await observed();
    const told = (recipient: string) =>
      message(breakGlassOpenedType, {
        eventId: eventIdOf({ recordType: 'Grant', recordId: '1', version: 1 }, recipient),
        patientId: patient.id,
        organization: 'hillside',
        occurredAt: '2026-11-24T08:32:00.000Z',
        until: '2026-11-24T09:32:00.000Z',
        custodian: 'northside',
        recipient,
      });

    await replayed(['northside', 'hillside', 'lakeside'].map(told));

    expect(onBus().map(({ recipient }) => recipient)).toEqual(['northside', 'hillside']);
  });

  it.each([
    ['is no event', { messageId: 'x', body: 'hello' }],
    ['is of a kind that nobody knows', message('RecordRead.v1', {})],
    [
      'no archive has played',
      message(recordChangedType, changed({ resourceType: 'Patient', id: 'a' }, 'b'), { 'replay-name': undefined }),
    ],
    [
      'comes from elsewhere',
      message(recordChangedType, changed({ resourceType: 'Patient', id: 'a' }, 'b'), { source: 'aws.events' }),
    ],
    [
      'says more than its contract',
      message(recordChangedType, { ...changed({ resourceType: 'Patient', id: 'a' }, 'b'), name: 'Rivera' }),
    ],
  ])('stays in the queue if it %s, and the others do not', async (_, bad) => {
    const { observation } = await observed();

    expect(await replayed([bad, message(recordChangedType, changed(observation, 'northside'))])).toEqual([
      bad.messageId,
    ]);
    expect(onBus()).toHaveLength(1);
  });

  it('comes again where the bus refuses it, and the others do not', async () => {
    const { observation } = await observed();
    const messages = Array.from({ length: 12 }, () => message(recordChangedType, changed(observation, 'northside')));
    let sent = 0;
    const busy = recordingBus(() => ++sent === 11);

    expect(await replayed(messages, busy)).toEqual([messages[10]?.messageId]);
    expect([busy.calls, busy.accepted.length]).toEqual([[10, 2], 11]);
  });

  it('comes again where the table cannot be read', async () => {
    const { observation } = await observed();
    const away = vi.spyOn(server.store, 'getMany').mockRejectedValue(new Error('away'));
    const one = message(recordChangedType, changed(observation, 'northside'));

    expect(await replayed([one])).toEqual([one.messageId]);
    away.mockRestore();
    expect(await replayed([one])).toEqual([]);
    expect(counted).toEqual(['EventsReplayed']);
  });
});
