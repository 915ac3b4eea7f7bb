import type { DynamoDBRecord } from 'aws-lambda';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Grant, Referral, Visit } from '../../shared/access/door.ts';
import { usualPolicy } from '../../shared/access/policy.ts';
import { appointmentChangedV1 } from '../../shared/changes/appointment-changed.ts';
import { breakGlassOpenedV1 } from '../../shared/changes/break-glass-opened.ts';
import { breakGlassesIn } from '../../shared/changes/break-glasses-in.ts';
import { type ConsentChanged, consentChangedV1 } from '../../shared/changes/consent-changed.ts';
import { consentChangesIn } from '../../shared/changes/consent-changes-in.ts';
import { publishChanges } from '../../shared/changes/publish.ts';
import { type ChangeToTell, recipientsOf, type Telling } from '../../shared/changes/recipients.ts';
import { rowChange } from '../../shared/changes/row-change.ts';
import { ToldSights } from '../../shared/changes/told-sights.ts';
import { type DoorRow, doorRow } from '../../shared/store/door-rows.ts';
import { changeIn, type RecordChange } from '../../shared/store/feed/change.ts';
import { grantKey, referralKey, visitKey } from '../../shared/store/keys.ts';
import type { RecordRow } from '../../shared/store/rows.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import { concept, consentBody, denial, hl7, organizationsThere, recipient } from '../support/consents.ts';
import { type FollowedServer, followedServer, passedTo } from '../support/feed.ts';
import { base } from '../support/fhir-server.ts';
import { publisherOn } from '../support/publisher.ts';
import { recordingBus } from '../support/recording-bus.ts';
import {
  create,
  elsewhere,
  encounterBody,
  observationBody,
  organizationBody,
  pathOf,
  patientBody,
  referenceTo,
  type Stored,
} from '../support/records.ts';
import { subscriptionBody } from '../support/subscriptions.ts';
import { intercepted } from '../support/test-store.ts';

// Who is told of what is written through the API. Whom Consents and relationships open a chart to is compared with a model in test/store/recipients.test.ts.

const ofType = (code: string): fhir4.Coding => ({ system: 'http://hl7.org/fhir/resource-types', code });

let server: FollowedServer;
beforeAll(async () => {
  server = await followedServer({ sharing: 'treatment' });
  await organizationsThere(server, ['northside', 'lakeside', 'hillside']);
  await server.streamed();
});

const treatment = { ...usualPolicy, sharing: 'treatment' };
const telling = (over: Partial<Telling> = {}): Telling => ({
  store: server.store,
  policy: usualPolicy,
  programmes: new Set(),
  baseUrl: base,
  now: Date.now(),
  ...over,
});

/** The changes that the stream tells of since the last call. */
const changesSince = async (): Promise<ChangeToTell[]> => changesIn(await server.streamed());
const changesIn = (records: readonly DynamoDBRecord[]): ChangeToTell[] =>
  records.flatMap((record) => {
    const { before, after } = rowChange<RecordRow>(record);
    const change = changeIn({ before, after });
    return change ? [{ change, row: after }] : [];
  });
const nameOf = ({ type, version, change }: RecordChange) => `${type} ${version} ${change}`;
const toldOf = async (changes: readonly ChangeToTell[], over: Partial<Telling> = {}) => {
  const recipients = await recipientsOf(telling(over), changes);
  return Object.fromEntries(
    changes.map(({ change }, index) => [nameOf(change), [...(recipients[index] ?? [])].sort()]),
  );
};
const told = async (over: Partial<Telling> = {}) => toldOf(await changesSince(), over);

interface Chart {
  readonly patient: Stored<fhir4.Patient>;
  readonly subject: string;
}
const chart = async (): Promise<Chart> => {
  const patient = await create(server, patientBody());
  return { patient, subject: referenceTo(patient) };
};

/** Northside sends the patient to Lakeside, which keeps records in the chart from then on. */
const seenByLakeside = async (subject: string) => {
  const referral = await create<fhir4.ServiceRequest>(server, {
    resourceType: 'ServiceRequest',
    status: 'active',
    intent: 'order',
    subject: { reference: subject },
    performer: [{ reference: 'Organization/lakeside' }],
  });
  await create(
    server,
    { ...encounterBody(subject), status: 'in-progress', basedOn: [{ reference: referenceTo(referral) }] },
    elsewhere,
  );
};

describe('recipientsOf', () => {
  it('tells who keeps a record, and nobody else of what nobody has opened', async () => {
    const { subject } = await chart();
    await create(server, observationBody(subject));

    expect(await told()).toEqual({ 'Patient 1 created': ['northside'], 'Observation 1 created': ['northside'] });
  });

  it('tells the network of the directory, and nobody by name', async () => {
    await create(server, organizationBody(), { role: 'admin' });

    expect(await told()).toEqual({ 'Organization 1 created': ['*'] });
  });

  it('tells those whom a Consent names of what it shares, of the Consent itself its custodian alone', async () => {
    const { subject } = await chart();
    await create(server, consentBody(subject, { class: [ofType('Observation')] }));
    await create(server, observationBody(subject));
    await create(server, encounterBody(subject));

    expect(await told()).toEqual({
      'Patient 1 created': ['northside'],
      'Consent 1 created': ['northside'],
      'Observation 1 created': ['lakeside', 'northside'],
      'Encounter 1 created': ['northside'],
    });
  });

  it('tells nobody else once the Consent is withdrawn, of what changed before, too', async () => {
    const { subject } = await chart();
    const consent = await create(server, consentBody(subject));
    await create(server, observationBody(subject));
    const changes = await changesSince();

    expect(await toldOf(changes)).toMatchObject({ 'Observation 1 created': ['lakeside', 'northside'] });
    await server.put(pathOf(consent), { ...consent, status: 'inactive' });
    expect(await toldOf(changes)).toMatchObject({ 'Observation 1 created': ['northside'] });
  });

  it('asks of a Consent that names nobody those who listen, and partners', async () => {
    const { subject } = await chart();
    await create(server, consentBody(subject, {}, { provision: { class: [ofType('Observation')] } }));
    await create(server, observationBody(subject));
    const changes = await changesSince();

    expect(await toldOf(changes)).toMatchObject({ 'Observation 1 created': ['northside'] });
    await create(server, subscriptionBody(), { role: 'admin', organization: 'hillside' });
    expect(await toldOf(changes, { partners: ['lakeside'] })).toMatchObject({
      'Observation 1 created': ['hillside', 'lakeside', 'northside'],
    });
  });

  it('tells none of those who listen whom a chart denies that a merge has made one with it', async () => {
    const [kept, other] = [await chart(), await chart()];
    await create(server, consentBody(kept.subject, {}, { provision: { class: [ofType('Observation')] } }));
    await create(server, denial(other.subject, { actor: [recipient('Organization/lakeside')] }));
    const merged = await server.post(`${pathOf(kept.patient)}/$merge`, {
      resourceType: 'Parameters',
      parameter: [{ name: 'source', valueReference: { reference: other.subject } }],
    });
    expect(merged.status).toBe(200);
    await server.streamed();
    await create(server, observationBody(kept.subject));
    const changes = await changesSince();

    for (const partners of [
      ['seaside', 'lakeside'],
      ['lakeside', 'seaside'],
    ]) {
      const { 'Observation 1 created': recipients } = await toldOf(changes, { partners });
      expect([recipients?.includes('seaside'), recipients?.includes('lakeside')]).toEqual([true, false]);
    }
  });

  it('tells of an earlier version as little as of what the record says now', async () => {
    const { subject } = await chart();
    await create(server, consentBody(subject));
    const observation = await create(server, observationBody(subject));
    const restricted = { system: `${hl7}v3-Confidentiality`, code: 'R' };
    await server.put(pathOf(observation), { ...observation, meta: { security: [restricted] } });

    expect(await told()).toMatchObject({
      'Observation 1 created': ['northside'],
      'Observation 2 updated': ['northside'],
    });
  });

  it('tells of a deletion whoever could read what the record said last', async () => {
    const { subject } = await chart();
    const code = concept('loinc', '1');
    await create(server, consentBody(subject, { code: [code] }));
    const shared = await create(server, observationBody(subject, { code }));
    const other = await create(server, observationBody(subject, { code: concept('loinc', '2') }));
    await server.streamed();
    await server.delete(pathOf(shared));
    expect(await told()).toMatchObject({ 'Observation 2 deleted': ['lakeside', 'northside'] });
    await server.delete(pathOf(other));
    expect(await told()).toMatchObject({ 'Observation 2 deleted': ['northside'] });
  });

  it('tells both sides of a care relationship where the network shares for treatment', async () => {
    const { subject } = await chart();
    await seenByLakeside(subject);
    await create(server, observationBody(subject));
    const changes = await changesSince();

    expect(await toldOf(changes)).toMatchObject({
      'Observation 1 created': ['northside'],
      'Encounter 1 created': ['lakeside'],
    });
    expect(await toldOf(changes, { policy: treatment })).toMatchObject({
      'Observation 1 created': ['lakeside', 'northside'],
      'Encounter 1 created': ['lakeside', 'northside'],
    });
  });

  it('reads what is missing where it is not given what the stream tells', async () => {
    const { subject } = await chart();
    await create(server, consentBody(subject));
    await create(server, denial(subject, { actor: [recipient('Organization/hillside')] }));
    await create(server, observationBody(subject));
    const changes = await changesSince();

    expect(await toldOf(changes.map(({ change }) => ({ change })))).toEqual(await toldOf(changes));
  });
});

/** Who is told that a Consent has changed, by what the stream tells since the last call, as one batch. */
const consentsTold = async (over: Partial<Telling> = {}) => consentsIn(await server.streamed(), over);
const consentsIn = async (records: readonly DynamoDBRecord[], over: Partial<Telling> = {}) => {
  const events: ConsentChanged[] = [];
  const sights = new ToldSights(server.store);
  for (const record of records) {
    const at = (record.dynamodb?.ApproximateCreationDateTime ?? 0) * 1_000;
    events.push(...(await consentChangesIn(telling(over), { ...rowChange<AccessRow>(record), at }, sights)));
  }
  await sights.keep();
  return events;
};
const inWords = (events: readonly ConsentChanged[]) =>
  events.map(({ recipient, change }) => `${recipient} ${change}`).sort();
const consentEventsOn = ({ accepted }: ReturnType<typeof recordingBus>): ConsentChanged[] =>
  accepted.flatMap(({ DetailType, Detail = '' }) =>
    DetailType === 'ConsentChanged.v1' ? [consentChangedV1.parse(JSON.parse(Detail))] : [],
  );
type AccessRow = NonNullable<Parameters<typeof consentChangesIn>[1]['after']>;

describe('ConsentChanged.v1', () => {
  const toHillside = { actor: [recipient('Organization/hillside')] };

  it('tells whom a Consent names what it opened, changed and closed, and says no more than whose chart it is', async () => {
    const { patient, subject } = await chart();
    const consent = await create(server, consentBody(subject));
    const gained = await consentsTold();

    expect(gained).toEqual([
      {
        eventId: expect.any(String),
        patientId: patient.id,
        change: 'gained',
        occurredAt: expect.any(String),
        recipient: 'lakeside',
      },
    ]);
    expect(gained.map((each) => consentChangedV1.parse(each))).toEqual(gained);
    const observations = { ...consent.provision, class: [ofType('Observation')] };
    await server.put(pathOf(consent), { ...consent, provision: observations });
    expect(inWords(await consentsTold())).toEqual(['lakeside changed']);
    await server.put(pathOf(consent), { ...consent, provision: observations, status: 'inactive' });
    expect(inWords(await consentsTold())).toEqual(['lakeside lost']);
  });

  it('tells nothing of a version that says the same to who receives it, or is about somebody else', async () => {
    const { subject } = await chart();
    const consent = await create(server, consentBody(subject));
    expect(inWords(await consentsTold())).toEqual(['lakeside gained']);
    await server.put(pathOf(consent), { ...consent, dateTime: '2026-01-01' });
    expect(await consentsTold()).toEqual([]);
    await create(server, consentBody(subject, toHillside));
    expect(inWords(await consentsTold())).toEqual(['hillside gained']);
  });

  it('never tells an organisation that it is denied what it never had', async () => {
    const { subject } = await chart();
    await create(server, consentBody(subject, toHillside));
    expect(inWords(await consentsTold())).toEqual(['hillside gained']);
    await create(server, denial(subject, { actor: [recipient('Organization/lakeside')] }));
    await create(server, denial(subject, toHillside));
    expect(inWords(await consentsTold({ partners: ['lakeside'] }))).toEqual(['hillside lost']);
  });

  it('tells nobody of what was opened and closed again before anybody was told that it is open', async () => {
    const { subject } = await chart();
    const consent = await create(server, consentBody(subject));
    await server.put(pathOf(consent), { ...consent, status: 'inactive' });
    expect(await consentsTold()).toEqual([]);
  });

  it('tells a loss once where two Consents that each take all away are told of together', async () => {
    const { subject } = await chart();
    const consent = await create(server, consentBody(subject));
    expect(inWords(await consentsTold())).toEqual(['lakeside gained']);
    await create(server, denial(subject, { actor: [recipient('Organization/lakeside')] }));
    await server.put(pathOf(consent), { ...consent, status: 'inactive' });
    expect(inWords(await consentsTold())).toEqual(['lakeside lost']);
    expect(await consentsTold()).toEqual([]);
  });

  it('tells nobody that it lost what another Consent closed all the time, and both are ended together', async () => {
    const { subject } = await chart();
    const closed = await create(server, denial(subject, { actor: [recipient('Organization/lakeside')] }));
    const shared = await create(server, consentBody(subject));
    expect(await consentsTold()).toEqual([]);
    for (const consent of [closed, shared]) await server.put(pathOf(consent), { ...consent, status: 'inactive' });
    expect(await consentsTold()).toEqual([]);
  });

  it('knows for each change of a batch what those before it told', async () => {
    const { subject } = await chart();
    await create(server, consentBody(subject));
    await create(server, consentBody(subject, { class: [ofType('Observation')] }));
    expect((await consentsTold()).map(({ change }) => change)).toEqual(['gained', 'changed']);
  });

  it('tells of each chart by itself that a merge has made one with it, to whoever saw something of that one', async () => {
    const [kept, other] = [await chart(), await chart()];
    await create(server, consentBody(other.subject));
    expect(inWords(await consentsTold())).toEqual(['lakeside gained']);
    const merged = await server.post(`${pathOf(kept.patient)}/$merge`, {
      resourceType: 'Parameters',
      parameter: [{ name: 'source', valueReference: { reference: other.subject } }],
    });
    expect(merged.status).toBe(200);
    await server.streamed();
    await create(server, denial(kept.subject, { actor: [recipient('Organization/lakeside')] }));

    expect(await consentsTold()).toMatchObject([
      { recipient: 'lakeside', change: 'lost', patientId: other.patient.id },
    ]);
  });

  it('tells nobody but whom it denies of a Consent of a chart that a merge has made one with it', async () => {
    const [kept, other] = [await chart(), await chart()];
    await create(server, consentBody(kept.subject, {}, { provision: { class: [ofType('Observation')] } }));
    for (const organization of ['lakeside', 'hillside'])
      await create(server, subscriptionBody(), { role: 'admin', organization });
    const { status } = await server.post(`${pathOf(kept.patient)}/$merge`, {
      resourceType: 'Parameters',
      parameter: [{ name: 'source', valueReference: { reference: other.subject } }],
    });
    expect(status).toBe(200);
    expect(inWords(await consentsTold())).toEqual(expect.arrayContaining(['hillside gained', 'lakeside gained']));
    for (const organization of ['hillside', 'lakeside']) {
      await create(server, denial(other.subject, { actor: [recipient(`Organization/${organization}`)] }));

      expect(inWords(await consentsTold())).toEqual([`${organization} lost`]);
    }
  });

  it("tells nobody of a guest's Consent who sees nothing of what the guest keeps", async () => {
    const { subject } = await chart();
    await seenByLakeside(subject);
    await create(server, consentBody(subject, toHillside));
    expect(inWords(await consentsTold())).toEqual(['hillside gained']);
    await create(server, denial(subject, toHillside), elsewhere);
    expect(await consentsTold()).toEqual([]);
  });

  it('tells of a denial who saw something by a care relationship', async () => {
    const { subject } = await chart();
    await seenByLakeside(subject);
    await server.streamed();
    await create(server, denial(subject, { actor: [recipient('Organization/lakeside')] }));
    const records = await server.streamed();
    expect(inWords(await consentsIn(records))).toEqual([]);
    expect(inWords(await consentsIn(records, { policy: treatment }))).toEqual(['lakeside lost']);
  });

  it('tells an organisation that the patient accepts what it sees by that, if it has seen the patient', async () => {
    const { patient } = await chart();
    const at = { chart: patient.id, place: server.store.ids.newPlace(0), type: 'Consent' };
    const accepted: Referral = {
      kind: 'referral',
      custodian: 'northside',
      byPatient: true,
      to: ['Organization/lakeside'],
    };
    const after = doorRow(referralKey(at), 1, accepted);
    const seen: Visit = { kind: 'visit', custodian: 'lakeside', seen: Date.now() };
    await writeRows(server.store, [after]);
    const told = async () =>
      inWords(
        await consentChangesIn(
          telling({ policy: treatment }),
          { before: undefined, after, at: 0 },
          new ToldSights(server.store),
        ),
      );

    expect(await told()).toEqual([]);
    await writeRows(server.store, [doorRow(visitKey({ ...at, type: 'Encounter' }), 1, seen)]);
    expect(await told()).toEqual(['lakeside gained']);
  });

  it('tells nobody of what its own system may not see', async () => {
    const { subject } = await chart();
    await create(server, consentBody(subject, { purpose: [{ system: `${hl7}v3-ActReason`, code: 'TREAT' }] }));
    const practitioner = await create(server, { resourceType: 'Practitioner' as const }, { role: 'admin' });
    await create(server, consentBody(subject, { actor: [recipient(referenceTo(practitioner))] }));
    await create(server, consentBody(subject, { class: [ofType('Consent')] }));
    expect(await consentsTold({ partners: ['lakeside'] })).toEqual([]);
  });

  it('gives a repeated delivery the same event ids', async () => {
    const { subject } = await chart();
    await create(server, consentBody(subject));
    const records = await server.streamed();
    const again = async () => {
      const bus = recordingBus();
      const Records = passedTo('publish-changes', records);
      await publishChanges(publisherOn(server.store, { bus }), { Records });
      return consentEventsOn(bus);
    };
    const first = await again();

    expect(inWords(first)).toEqual(['lakeside gained']);
    expect((await again()).map(({ eventId }) => eventId)).toEqual(first.map(({ eventId }) => eventId));
  });

  it('is told again, with the same ids, by who was ended before that could be kept', async () => {
    const { subject } = await chart();
    const consent = await create(server, consentBody(subject));
    const bus = recordingBus();
    const given = passedTo('publish-changes', await server.streamed());
    const killed = intercepted(server.store, ({ name, input, send }) =>
      name === 'Update' && JSON.stringify(input).includes('ADD told') ? Promise.reject(new Error('killed')) : send(),
    );
    await publishChanges(publisherOn(killed, { bus }), { Records: given });
    const once = consentEventsOn(bus);
    expect(inWords(once)).not.toEqual([]);
    expect(new Set(inWords(once))).toEqual(new Set(['lakeside gained']));
    expect(new Set(once.map(({ eventId }) => eventId)).size).toBe(1);

    await server.put(pathOf(consent), { ...consent, status: 'inactive' });
    const after = recordingBus();
    const ended = passedTo('publish-changes', await server.streamed());
    await publishChanges(publisherOn(server.store, { bus: after }), { Records: [...given, ...ended] });
    const lost = consentEventsOn(after);
    expect(inWords(lost)).toEqual(['lakeside lost']);
    expect(lost[0]?.eventId).not.toBe(once[0]?.eventId);
  });

  it('keeps nothing as told that the bus has refused', async () => {
    const { subject } = await chart();
    await create(server, consentBody(subject));
    const Records = passedTo('publish-changes', await server.streamed());
    const refusing = recordingBus(({ DetailType }) => DetailType === 'ConsentChanged.v1');
    const { batchItemFailures } = await publishChanges(publisherOn(server.store, { bus: refusing }), { Records });
    expect(batchItemFailures).toHaveLength(1);

    const bus = recordingBus();
    await publishChanges(publisherOn(server.store, { bus }), { Records });
    expect(inWords(consentEventsOn(bus))).toEqual(['lakeside gained']);
  });
});

describe('AppointmentChanged.v1', () => {
  it('tells what became of a booking to each who may read the Appointment, under an id of its own', async () => {
    const { subject } = await chart();
    await create(server, consentBody(subject));
    const booking = { start: '2030-12-02T09:00:00Z', end: '2030-12-02T09:30:00Z' };
    await create<fhir4.Appointment>(
      server,
      {
        resourceType: 'Appointment',
        status: 'booked',
        ...booking,
        participant: [{ actor: { reference: subject }, status: 'accepted' }],
      },
      { role: 'system' },
    );
    const bus = recordingBus();
    const Records = passedTo('publish-changes', await server.streamed());
    expect(await publishChanges(publisherOn(server.store, { bus }), { Records })).toEqual({ batchItemFailures: [] });
    const events = bus.accepted
      .filter(({ DetailType }) => DetailType === 'AppointmentChanged.v1')
      .map(({ Detail }) => appointmentChangedV1.parse(JSON.parse(Detail ?? '')));

    expect(events.map(({ recipient: each, change }) => `${each} ${change}`).sort()).toEqual([
      'lakeside booked',
      'northside booked',
    ]);
    expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(2);
  });
});

describe('BreakGlassOpened.v1', () => {
  it('tells who keeps records in the chart, and the organisation of whoever did it, once', async () => {
    const { patient, subject } = await chart();
    await seenByLakeside(subject);
    await server.streamed();
    const opened = await server.post(
      `${pathOf(patient)}/$break-glass`,
      {
        resourceType: 'Parameters',
        parameter: [
          { name: 'purpose', valueCode: 'BTG' },
          { name: 'reason', valueString: 'Unconscious after a fall' },
        ],
      },
      { as: { role: 'physician', organization: 'hillside' } },
    );
    expect(opened.status).toBe(200);
    const records = await server.streamed();
    const events = (
      await Promise.all(records.map((record) => breakGlassesIn(telling(), rowChange<DoorRow>(record))))
    ).flat();

    expect(events.map(({ recipient: each }) => each).sort()).toEqual(['hillside', 'lakeside', 'northside']);
    for (const event of events) {
      expect(breakGlassOpenedV1.parse(event)).toEqual(event);
      expect(event).toMatchObject({ patientId: patient.id, organization: 'hillside', custodian: 'northside' });
    }
    expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(3);
    expect(JSON.stringify(events)).not.toMatch(/Unconscious|physician/);
  });

  it('tells of a grant that was staged once it is there', async () => {
    const { patient } = await chart();
    const grant: Grant = {
      kind: 'grant',
      subject: 's',
      organization: 'hillside',
      keeper: 'northside',
      from: 0,
      until: 1,
    };
    const row = doorRow(grantKey(patient.id, server.store.ids.newPlace(0)), 1, grant);
    const told = async (before: DoorRow | undefined, after: DoorRow | undefined) =>
      (await breakGlassesIn(telling(), { before, after })).length;

    expect(await told(undefined, { ...row, tx: 't' } as DoorRow)).toBe(0);
    expect(await told({ ...row, tx: 't' } as DoorRow, row)).toBe(2);
    expect(await told(row, row)).toBe(0);
    expect(await told(row, undefined)).toBe(0);
  });
});
