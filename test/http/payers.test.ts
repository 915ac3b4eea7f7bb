import { beforeAll, describe, expect, it } from 'vitest';
import { postEntry, transactionOf } from '../support/bundles.ts';
import type { TestCaller } from '../support/callers.ts';
import { asPayer, consentBody, denial, organizationsThere, recipient } from '../support/consents.ts';
import { type FhirServer, fhirServer, type TestResponse } from '../support/fhir-server.ts';
import {
  create,
  issuesOf,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  type Stored,
  system,
} from '../support/records.ts';

// What a patient has paid for, and keeps from an insurer. Which claims that is, is tested in test/unit/payer-restriction.test.ts.

const insurer: TestCaller = { role: 'physician', organization: 'insurer' };
const now = Date.parse('2024-06-01T12:00:00Z');

let server: FhirServer;
beforeAll(async () => {
  // Who was referred may write of the patient.
  server = await fhirServer(undefined, { sharing: 'treatment' });
  await organizationsThere(server, ['northside', 'lakeside', 'insurer', 'other']);
});

interface Chart {
  readonly subject: string;
  readonly themselves: TestCaller;
  readonly encounter: string;
  readonly claim: (elements?: Partial<fhir4.Claim>) => fhir4.Claim;
  readonly restriction: (
    provision?: fhir4.ConsentProvision,
    elements?: Partial<fhir4.Consent>,
  ) => Promise<Stored<fhir4.Consent>>;
}

const reference = (to: string): fhir4.Reference => ({ reference: to });
const coverageBody = (subject: string, payor: string): fhir4.Coverage => ({
  resourceType: 'Coverage',
  status: 'active',
  beneficiary: reference(subject),
  payor: [reference(payor)],
});

const chart = async (): Promise<Chart> => {
  server.setTime(undefined);
  const subject = referenceTo(await create(server, patientBody()));
  const coverage = await create(server, coverageBody(subject, 'Organization/insurer'), system);
  const encounter = referenceTo(
    await create(server, {
      resourceType: 'Encounter',
      status: 'finished',
      class: { code: 'AMB' },
      subject: reference(subject),
    }),
  );
  const themselves: TestCaller = {
    role: 'patient',
    patient: subject.slice('Patient/'.length),
    scope: 'patient/*.cruds',
    claims: { fhirUser: subject },
  };
  const data: fhir4.ConsentProvisionData[] = [{ meaning: 'dependents', reference: reference(encounter) }];
  server.setTime(now);
  return {
    subject,
    themselves,
    encounter,
    claim: (elements = {}) => ({
      resourceType: 'Claim',
      status: 'active',
      type: { text: 'professional' },
      use: 'claim',
      patient: reference(subject),
      created: '2024-06-01',
      provider: reference('Organization/northside'),
      priority: { text: 'normal' },
      insurance: [{ sequence: 1, focal: true, coverage: reference(referenceTo(coverage)) }],
      item: [{ sequence: 1, productOrService: { text: 'visit' }, encounter: [reference(encounter)] }],
      ...elements,
    }),
    restriction: (provision = {}, elements = {}) =>
      create(
        server,
        denial(
          subject,
          { actor: [recipient('Organization/insurer')], purpose: asPayer, data, ...provision },
          { performer: [reference(subject)], ...elements },
        ),
        themselves,
      ),
  };
};

const post = (claim: fhir4.Claim) => server.post('Claim', claim, { as: system });
const reasonsOf = ({ status, body }: TestResponse) => [status, ...issuesOf(body).map(({ reason }) => reason)];
const refused = [422, 'payer-restricted'];

describe('a claim for what the patient keeps from the insurer', () => {
  it('is refused on every way, from the moment that the patient says so', async () => {
    const { claim, restriction } = await chart();
    const draft = await create(server, claim({ status: 'draft' }), system);
    expect((await post(claim())).status).toBe(201);
    await restriction();

    const patch = [{ op: 'replace', path: '/status', value: 'active' }];
    const ways = [
      await post(claim()),
      await post(claim({ insurer: reference('Organization/insurer'), created: '2024-05-03' })),
      await post(claim({ insurance: [{ sequence: 1, focal: true, coverage: { display: 'Insurer' } }] })),
      await server.put(pathOf(draft), { ...draft, status: 'active' }, { as: system }),
      await server.put('Claim/chosen', { ...claim(), id: 'chosen' }, { as: system }),
      await server.request('PATCH', pathOf(draft), {
        body: patch,
        as: system,
        headers: { 'content-type': 'application/json-patch+json' },
      }),
      await server.post('', transactionOf(postEntry(claim())), { as: system }),
    ];

    expect(ways.map(reasonsOf)).toEqual(ways.map(() => refused));
    const { body } = await server.post('Claim/$validate?mode=create', claim(), { as: system });
    expect(reasonsOf({ ...ways[0], status: 200, body } as TestResponse)).toContain('payer-restricted');
  });

  it('is refused for what was said in a chart that is merged with its own, until that is undone', async () => {
    const [one, two] = [await chart(), await chart()];
    const provision = { actor: [recipient('Organization/insurer')], purpose: asPayer };
    await create(server, denial(two.subject, provision, { performer: [reference(two.subject)] }), two.themselves);
    expect(reasonsOf(await post(one.claim()))).toEqual([201]);
    const ask = (operation: string) =>
      server.post(`${one.subject}/${operation}`, {
        resourceType: 'Parameters',
        parameter: [{ name: 'source', valueReference: { reference: two.subject } }],
      });

    await ask('$merge');
    expect(reasonsOf(await post(one.claim()))).toEqual(refused);
    await ask('$unmerge');
    expect(reasonsOf(await post(one.claim()))).toEqual([201]);
  });

  it('is kept where it asks somebody else, is about something else, or tells what happened', async () => {
    const { subject, claim, restriction } = await chart();
    const before = await create(server, claim(), system);
    await restriction();
    const other = await create(server, coverageBody(subject, 'Organization/other'), system);
    const self = { ...coverageBody(subject, subject), id: 'self' };
    const asking = (coverage: string) => [{ sequence: 1, focal: true, coverage: reference(coverage) }];

    const kept = [
      await post(claim({ insurance: asking(referenceTo(other)) })),
      await post(claim({ insurance: asking('#self'), contained: [self] })),
      await post(claim({ item: [{ sequence: 1, productOrService: { text: 'another visit' } }] })),
      await post(claim({ created: '2024-05-01' })),
      await post(claim({ status: 'draft' })),
      await server.put(pathOf(before), { ...before, priority: { text: 'low' } }, { as: system }),
    ];

    expect(kept.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201, 200]);
  });

  it('is kept if it was made before the patient said so, and taken again once the restriction ends', async () => {
    const { claim, restriction, themselves } = await chart();
    const consent = await restriction({}, { dateTime: '2024-05-20' });

    expect((await post(claim({ created: '2024-05-19' }))).status).toBe(201);
    expect(reasonsOf(await post(claim({ created: '2024-05-20' })))).toEqual(refused);

    await server.put(pathOf(consent), { ...consent, status: 'inactive' }, { as: themselves });
    expect((await post(claim())).status).toBe(201);
  });

  it('is found by the Coverage that comes with it', async () => {
    const { subject, claim, restriction } = await chart();
    await restriction();
    const coverage = postEntry(coverageBody(subject, 'Organization/insurer'));
    const insurance = [{ sequence: 1, focal: true, coverage: reference(coverage.fullUrl ?? '') }];

    const answer = await server.post('', transactionOf(coverage, postEntry(claim({ insurance }))), { as: system });

    expect(reasonsOf(answer)).toEqual(refused);
  });

  it('is refused to whoever keeps the Consent, and to nobody else', async () => {
    const { subject, claim } = await chart();
    const there = 'lakeside';
    await create(server, {
      resourceType: 'ServiceRequest',
      status: 'active',
      intent: 'order',
      subject: reference(subject),
      performer: [reference(`Organization/${there}`)],
    });
    const provision = { actor: [recipient('Organization/insurer')], purpose: asPayer };
    await create(server, denial(subject, provision), { role: 'physician', organization: there });
    const { item: _item, ...asked } = claim({ insurance: [], insurer: reference('Organization/insurer') });
    const coverage = { sequence: 1, focal: true, coverage: { reference: '#c' } };
    const own = {
      ...asked,
      contained: [{ ...coverageBody(subject, 'Organization/insurer'), id: 'c' }],
      insurance: [coverage],
    };

    expect((await post(claim())).status).toBe(201);
    const answer = await server.post('Claim', own, { as: { ...system, organization: there } });
    expect(reasonsOf(answer)).toEqual(refused);
  });
});

describe('what the patient keeps from an insurer', () => {
  it('is seen by nobody who works there, whoever else may see it', async () => {
    const { subject, encounter } = await chart();
    const observation = await create(server, observationBody(subject, { encounter: reference(encounter) }));
    await create(
      server,
      consentBody(subject, { actor: [recipient('Organization/insurer'), recipient('Organization/other')] }),
    );
    const seen = (as: TestCaller) => server.get(pathOf(observation), { as });
    const to = (actor: fhir4.ConsentProvisionActor[]) =>
      denial(subject, { actor, purpose: asPayer, data: [{ meaning: 'dependents', reference: reference(encounter) }] });
    expect((await seen(insurer)).status).toBe(200);

    await create(server, to([recipient('Organization/insurer')]));

    expect((await seen(insurer)).status).toBe(404);
    expect((await seen({ ...insurer, organization: 'other' })).status).toBe(200);
    expect((await seen({ role: 'physician' })).status).toBe(200);
  });

  it('is told by Consent/$explain, as long as it is so', async () => {
    const { subject, themselves, restriction } = await chart();
    await restriction({ period: { end: '2024-06-01' } });
    const explained = async (organization: string) => {
      const path = `Consent/$explain?patient=${subject}&organization=Organization/${organization}`;
      const { body } = await server.get(path, { as: themselves });
      return (body as unknown as fhir4.Parameters).parameter?.filter(({ name }) => name === 'restricted');
    };

    expect(await explained('other')).toEqual([]);
    expect(await explained('insurer')).toMatchObject([
      { part: [{ valueReference: { reference: 'Organization/northside' } }, { name: 'sentence' }] },
    ]);
    server.setTime(Date.parse('2024-06-02'));
    expect(await explained('insurer')).toEqual([]);
  });
});

describe('what a restriction costs', () => {
  it('one Query for a claim that is made now, and nothing for anything else', async () => {
    const { subject, claim } = await chart();
    const spent = async (body: fhir4.Claim | fhir4.Observation, as: TestCaller) => {
      await create(server, body, as);
      server.calls.reset();
      await create(server, body, as);
      return [[...server.calls.names].sort(), server.calls.sequential()];
    };

    expect(await spent(claim(), system)).toEqual([['Query', 'TransactWriteItems'], 2]);
    expect(await spent(claim({ created: '2024-01-01' }), system)).toEqual([['TransactWriteItems'], 1]);
    expect(await spent(observationBody(subject), system)).toEqual([['TransactWriteItems'], 1]);
  });
});
