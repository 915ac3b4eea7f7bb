import { beforeAll, describe, expect, it } from 'vitest';
import { usualPolicy } from '../../shared/access/policy.ts';
import { type ChangeToTell, recipientsOf, type Telling } from '../../shared/changes/recipients.ts';
import { rowChange } from '../../shared/changes/row-change.ts';
import { changeIn, type RecordChange } from '../../shared/store/feed/change.ts';
import { noteListener } from '../../shared/store/listeners.ts';
import type { RecordRow } from '../../shared/store/rows.ts';
import { concept, consentBody, denial, hl7, organizationsThere, recipient } from '../support/consents.ts';
import { type FollowedServer, followedServer } from '../support/feed.ts';
import { base } from '../support/fhir-server.ts';
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

// Who is told of what is written through the API. Whom Consents and relationships open a chart to is compared with a model in test/store/recipients.test.ts.

const ofType = (code: string): fhir4.Coding => ({ system: 'http://hl7.org/fhir/resource-types', code });

let server: FollowedServer;
beforeAll(async () => {
  server = await followedServer({ sharing: 'treatment' });
  await organizationsThere(server, ['northside', 'lakeside', 'hillside']);
  await server.streamed();
});

const telling = (over: Partial<Telling> = {}): Telling => ({
  store: server.store,
  policy: usualPolicy,
  programmes: new Set(),
  baseUrl: base,
  now: Date.now(),
  ...over,
});

/** The changes that the stream tells of since the last call. */
const changesSince = async (): Promise<ChangeToTell[]> =>
  (await server.streamed()).flatMap((record) => {
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
    await noteListener(server.store, 'hillside');
    await noteListener(server.store, 'hillside');
    expect(await toldOf(changes, { partners: ['lakeside'] })).toMatchObject({
      'Observation 1 created': ['hillside', 'lakeside', 'northside'],
    });
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
    await create(server, observationBody(subject));
    const changes = await changesSince();

    expect(await toldOf(changes)).toMatchObject({
      'Observation 1 created': ['northside'],
      'Encounter 1 created': ['lakeside'],
    });
    expect(await toldOf(changes, { policy: { ...usualPolicy, sharing: 'treatment' } })).toMatchObject({
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
