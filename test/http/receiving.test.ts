import { describe, expect, it } from 'vitest';
import { custodianUrl } from '../../shared/fhir/custodian.ts';
import { postEntry, putEntry, transactionOf } from '../support/bundles.ts';
import type { TestCaller } from '../support/callers.ts';
import { consentBody, denial, hl7, recipient } from '../support/consents.ts';
import type { TestBody } from '../support/fhir-server.ts';
import { type Chart, patientView, privacy } from '../support/patient-view.ts';
import {
  allPages,
  create,
  elsewhere,
  encounterBody,
  entriesOf,
  observationBody,
  pathOf,
  referenceTo,
  resourcesIn,
  type Stored,
} from '../support/records.ts';

// What an organisation gets that was told of a change of another one's record: an id is enough to read it, the record says where it comes from, and a chart
// that several keep is read as one, each part under its own rules.

const { server, chart, followStream, disclosures } = await patientView({ sharing: 'treatment' });

/** The other organisation's own application. */
const receiver: TestCaller = { role: 'system', organization: 'lakeside' };
const own: TestCaller = { role: 'system' };
const restricted = { system: `${hl7}v3-Confidentiality`, code: 'R' };

const consented = (one: Chart, provision: fhir4.ConsentProvision = {}) =>
  create(server, consentBody(referenceTo(one.patient), provision));
const revoke = (consent: Stored<fhir4.Consent>) => server.put(pathOf(consent), { ...consent, status: 'inactive' });

/** Who keeps a record, as its reader is told. */
const keeperOf = ({ meta }: TestBody | fhir4.Resource): string | undefined =>
  (meta as fhir4.Meta | undefined)?.extension?.find(({ url }) => url === custodianUrl)?.valueReference?.reference;
const keepers = (resources: readonly TestBody[]) =>
  Object.fromEntries(resources.map((resource) => [referenceTo(resource), keeperOf(resource)]));
const shownTo = async (path: string, as: TestCaller = receiver) =>
  (await allPages(server, path, as)).flatMap(resourcesIn);

/** A chart that two keep: the patient has come to the other organisation by a referral. */
const sharedChart = async () => {
  const one = await chart();
  const subject = referenceTo(one.patient);
  const referral = await create<fhir4.ServiceRequest>(server, {
    resourceType: 'ServiceRequest',
    status: 'active',
    intent: 'order',
    subject: { reference: subject },
    performer: [{ reference: 'Organization/lakeside' }],
  });
  const visit = await create(
    server,
    { ...encounterBody(subject), status: 'in-progress', basedOn: [{ reference: referenceTo(referral) }] },
    elsewhere,
  );
  const theirs = await create(server, observationBody(subject, { meta: { security: [restricted] } }), elsewhere);
  const hidden = await create(server, observationBody(subject, { meta: { security: [restricted] } }));
  return { ...one, subject, referral, visit, theirs, hidden };
};

describe('a notice with an id', () => {
  it('is enough to read the record by one call of the other organisation’s own application', async () => {
    const one = await chart();
    await consented(one);
    server.calls.reset();

    const { status, body } = await server.get(pathOf(one.observation), { as: receiver });

    expect(status).toBe(200);
    expect(body).toMatchObject({ resourceType: 'Observation', id: one.observation.id, meta: { versionId: '1' } });
    // The record, what opens its chart, the trace, and by which right it was read.
    expect(server.calls.names.toSorted()).toEqual(['GetItem', 'PutItem', 'PutItem', 'Query']);
  });

  it('leaves a disclosure in the chart’s log, with who, when, what and by which right', async () => {
    const one = await chart();
    await consented(one);
    await server.get(pathOf(one.observation), { as: receiver });
    await followStream();

    const [told, ...others] = await disclosures(one, one.own);

    expect(others).toEqual([]);
    expect(told).toMatchObject({
      subtype: [{ code: 'read' }],
      agent: expect.arrayContaining([
        expect.objectContaining({ policy: ['urn:concord:basis:consent'] }) as object,
      ]) as object,
      entity: expect.arrayContaining([
        expect.objectContaining({
          what: { reference: expect.stringContaining(`Observation/${one.observation.id}`) as string },
        }) as object,
      ]) as object,
    });
    expect(JSON.stringify(told?.agent)).toContain('Organization/lakeside');
    expect((await disclosures(one, privacy)).map(({ id }) => id)).toEqual([told?.id]);
  });

  it('leads to nothing from the moment at which it is revoked, and to what stands there from that at which it is granted anew', async () => {
    const one = await chart();
    const consent = await consented(one);
    const statuses = async () =>
      Promise.all(
        [pathOf(one.observation), `${pathOf(one.observation)}/_history/1`, `${pathOf(one.observation)}/_history`].map(
          async (path) => (await server.get(path, { as: receiver })).status,
        ),
      );
    expect(await statuses()).toEqual([200, 200, 200]);

    await revoke(consent);
    expect(await statuses()).toEqual([404, 404, 404]);
    expect(await shownTo(`Observation?patient=${one.patient.id}`)).toEqual([]);
    expect(await shownTo(`Observation?_id=${one.observation.id}`)).toEqual([]);
    expect((await server.get(`${pathOf(one.patient)}/$everything`, { as: receiver })).status).toBe(404);
    expect((await server.get(`${pathOf(one.patient)}/$summary`, { as: receiver })).status).toBe(404);

    await consented(one);
    expect(await statuses()).toEqual([200, 200, 200]);
  });

  it('leads to a record that is gone by 410 while it is shared, and by 404 once it is not', async () => {
    const one = await chart();
    const consent = await consented(one);
    await server.delete(pathOf(one.observation));
    const status = async () => (await server.get(pathOf(one.observation), { as: receiver })).status;

    expect(await status()).toBe(410);
    await revoke(consent);
    expect(await status()).toBe(404);
  });
});

describe('where a record comes from', () => {
  it('is told to a reader of another organisation on every way to it, and to the patient', async () => {
    const one = await chart();
    await consented(one);
    const path = pathOf(one.observation);
    const read = async (as: TestCaller, at = path) => keeperOf((await server.get(at, { as })).body);

    expect(await read(receiver)).toBe('Organization/northside');
    expect(await read(receiver, `${path}/_history/1`)).toBe('Organization/northside');
    expect(await read(one.own)).toBe('Organization/northside');
    for (const way of [
      `Observation?patient=${one.patient.id}`,
      `Observation?_id=${one.observation.id}`,
      `Patient?_id=${one.patient.id}&_revinclude=Observation:patient`,
      `${path}/_history`,
      `${pathOf(one.patient)}/$everything?_type=Observation`,
    ])
      expect(keepers(await shownTo(way)), way).toMatchObject({
        [referenceTo(one.observation)]: 'Organization/northside',
      });
  });

  it('is not told to whoever keeps it, nor of the directory, and is stored nowhere', async () => {
    const one = await chart();
    await consented(one);

    for (const as of [own, { role: 'nurse' } as const])
      expect((await server.get(pathOf(one.observation), { as })).body.meta).toEqual({
        versionId: '1',
        lastUpdated: expect.any(String),
      });
    expect(keeperOf((await server.get('Organization/northside', { as: receiver })).body)).toBeUndefined();
  });

  it('is not for its reader to say: what comes back of it is left out, and what stands beside it is not', async () => {
    const one = await chart();
    const forged = { url: custodianUrl, valueReference: { reference: 'Organization/lakeside' } };
    const other = { url: 'http://example.org/other', valueString: 'kept' };
    const subject = referenceTo(one.patient);
    const body = (meta: fhir4.Meta) => observationBody(subject, { meta });
    await consented(one);

    const created = await create(server, body({ extension: [forged, other] }));
    await server.put(pathOf(one.observation), { ...one.observation, meta: { extension: [forged] } });
    const bundle = await server.post(
      '',
      transactionOf(
        postEntry(body({ extension: [forged] })),
        putEntry({ ...created, meta: { extension: [other, forged] } }),
      ),
      { as: own },
    );
    const patched = await server.request('PATCH', pathOf(created), {
      body: JSON.stringify([{ op: 'add', path: '/meta/extension/-', value: forged }]),
      headers: { 'content-type': 'application/json-patch+json' },
    });

    expect([bundle.status, patched.status]).toEqual([200, 200]);
    const stored = await shownTo(`Observation?patient=${one.patient.id}`, own);
    expect(stored).toHaveLength(3);
    expect(JSON.stringify(stored)).not.toContain(custodianUrl);
    expect((await server.get(pathOf(created), { as: own })).body.meta?.extension).toEqual([other]);
    expect((await server.get(pathOf(created), { as: receiver })).body.meta?.extension).toEqual([
      other,
      { url: custodianUrl, valueReference: { reference: 'Organization/northside' } },
    ]);
  });

  it('is not sent back into what a patient writes', async () => {
    const one = await chart();
    const consent = consentBody(referenceTo(one.patient), {}, { performer: [{ reference: referenceTo(one.patient) }] });
    const created = await create(server, consent, one.own);
    expect(keeperOf(created)).toBe('Organization/northside');

    await server.put(pathOf(created), { ...created, status: 'inactive' }, { as: one.own });

    expect((await server.get(pathOf(created), { as: own })).body.meta?.extension).toBeUndefined();
  });

  it('is told by the Provenance of the record, found in one search with it, as far as that is shared', async () => {
    const one = await chart();
    const provenance = await create<fhir4.Provenance>(
      server,
      {
        resourceType: 'Provenance',
        target: [{ reference: referenceTo(one.observation) }],
        recorded: '2026-05-03T10:00:00Z',
        agent: [
          {
            who: { reference: 'Practitioner/northside-nurse' },
            onBehalfOf: { reference: 'Organization/northside' },
          },
        ],
      },
      own,
    );
    const path = `Observation?_id=${one.observation.id}&_revinclude=Provenance:target`;
    const ofType = (code: string) => ({ system: 'http://hl7.org/fhir/resource-types', code });
    const consent = await consented(one, { class: [ofType('Observation')] });
    expect(keepers(await shownTo(path))).toEqual({ [referenceTo(one.observation)]: 'Organization/northside' });
    await revoke(consent);
    await consented(one, { class: [ofType('Observation'), ofType('Provenance')] });

    const shown = await shownTo(path);

    expect(keepers(shown)).toEqual({
      [referenceTo(one.observation)]: 'Organization/northside',
      [referenceTo(provenance)]: 'Organization/northside',
    });
    expect(shown.find(({ resourceType }) => resourceType === 'Provenance')?.agent?.[0]).toMatchObject({
      onBehalfOf: { reference: 'Organization/northside' },
    });
  });
});

describe('a chart that several organisations keep', () => {
  it('is read as one, each part under its own rules', async () => {
    const { patient, observation, subject, referral, visit, theirs, hidden, own: patientself } = await sharedChart();
    const everything = `${pathOf(patient)}/$everything`;
    const ofChart = (resources: readonly TestBody[]) =>
      keepers(resources.filter(({ resourceType }) => resourceType !== 'Organization'));

    // What it keeps itself is its own, restricted or not; of what the other one keeps, what the relationship opens.
    expect(ofChart(await shownTo(`Observation?patient=${patient.id}`))).toEqual({
      [referenceTo(observation)]: 'Organization/northside',
      [referenceTo(theirs)]: undefined,
    });
    expect(ofChart(await shownTo(everything))).toEqual({
      [subject]: 'Organization/northside',
      [referenceTo(referral)]: 'Organization/northside',
      [referenceTo(observation)]: 'Organization/northside',
      [referenceTo(visit)]: undefined,
      [referenceTo(theirs)]: undefined,
    });
    // The other way round likewise, and the patient sees all of it.
    const northsides = Object.keys(ofChart(await shownTo(everything, own)));
    expect(northsides.toSorted()).toEqual(
      [subject, ...[referral, observation, hidden, visit].map(referenceTo)].toSorted(),
    );
    expect(ofChart(await shownTo(`Observation?patient=${patient.id}`, patientself))).toEqual({
      [referenceTo(observation)]: 'Organization/northside',
      [referenceTo(hidden)]: 'Organization/northside',
      [referenceTo(theirs)]: 'Organization/lakeside',
    });

    await create(server, denial(subject, { actor: [recipient('Organization/lakeside')] }));
    expect(ofChart(await shownTo(`Observation?patient=${patient.id}`))).toEqual({ [referenceTo(theirs)]: undefined });
    expect((await server.get(pathOf(observation), { as: receiver })).status).toBe(404);
    expect((await server.get(pathOf(theirs), { as: receiver })).status).toBe(200);
  });

  it('is summed up as one, each part with who keeps it, and says no more than its reader sees', async () => {
    const one = await chart();
    const subject = referenceTo(one.patient);
    const condition = (text: string, elements: Partial<fhir4.Condition> = {}): fhir4.Condition => ({
      resourceType: 'Condition',
      subject: { reference: subject },
      clinicalStatus: { coding: [{ system: `${hl7}condition-clinical`, code: 'active' }] },
      code: { text },
      ...elements,
    });
    await create(server, condition('Asthma'));
    await create(server, condition('Kept back', { meta: { security: [restricted] } }));
    const consent = await consented(one);
    const summary = async () => {
      const { status, body } = await server.get(`${pathOf(one.patient)}/$summary`, { as: receiver });
      const conditions = entriesOf(body).flatMap(({ resource }) =>
        resource?.resourceType === 'Condition' ? [[resource.code?.text, keeperOf(resource)]] : [],
      );
      return { status, conditions };
    };

    expect(await summary()).toEqual({ status: 200, conditions: [['Asthma', 'Organization/northside']] });
    await revoke(consent);
    expect((await summary()).status).toBe(404);
  });
});
