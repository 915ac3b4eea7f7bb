import { beforeAll, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import {
  admin,
  allPages,
  create,
  elsewhere,
  encounterBody,
  identifierSystem,
  nextLinkOf,
  numberedPatient,
  observationBody,
  referenceTo,
  resourcesIn,
  system,
} from '../support/records.ts';

// What searches leave in the logs of the charts that they show, count, or go through. docs/access.md

let server: FhirServer;
let ann: string;
let bob: string;
let doctor: string;
let visit: string;
let list: string;
beforeAll(async () => {
  server = await fhirServer();
  ann = referenceTo(await create(server, numberedPatient('ann', { name: [{ family: 'Annason' }] })));
  bob = referenceTo(await create(server, numberedPatient('bob', { name: [{ family: 'Bobson' }] })));
  doctor = referenceTo(
    await create(server, { resourceType: 'Practitioner', name: [{ family: 'Heal' }] } as fhir4.Practitioner, admin),
  );
  visit = referenceTo(
    await create(server, encounterBody(ann, { participant: [{ individual: { reference: doctor } }] }), system),
  );
  await create(server, observationBody(ann, { encounter: { reference: visit } }));
  await create(server, observationBody(bob, { focus: [{ reference: ann }] }));
  list = referenceTo(
    await create(
      server,
      {
        resourceType: 'List',
        status: 'current',
        mode: 'working',
        subject: { reference: ann },
        entry: [{ item: { reference: visit } }],
      } as fhir4.List,
      system,
    ),
  );
});

const privacy: TestCaller = { role: 'privacy' };
const idOf = (reference: string): string => reference.split('/')[1] ?? '';

interface Row {
  readonly query: string;
  readonly outcome: string;
}

const logOf = async (patient: string): Promise<Row[]> =>
  (await allPages(server, `AuditEvent?patient=${patient}`, privacy))
    .flatMap(resourcesIn)
    .map((event) => event as unknown as fhir4.AuditEvent)
    .map(({ entity = [], outcome = '' }) => ({
      query: entity.map(({ query = '' }) => Buffer.from(query, 'base64').toString()).join(''),
      outcome,
    }))
    .filter(({ query }) => query !== '' && !query.startsWith('AuditEvent'));

/** Rows that a request has added to the log of a patient, without those of looking at it. */
const added = async (patient: string, request: () => Promise<unknown>): Promise<Row[]> => {
  const before = await logOf(patient);
  await request();
  const rows = [...before];
  return (await logOf(patient)).filter((row) => {
    const known = rows.findIndex(({ query, outcome }) => query === row.query && outcome === row.outcome);
    if (known >= 0) rows.splice(known, 1);
    return known < 0;
  });
};

const search =
  (query: string, as: TestCaller = system) =>
  async () => {
    const { status, body } = await server.get(query, { as });
    expect(status, JSON.stringify(body)).toBe(200);
  };

const patchIf = (condition: string) => () =>
  server.request('PATCH', condition, {
    as: system,
    body: [{ op: 'test', path: '/status', value: 'final' }],
    headers: { 'content-type': 'application/json-patch+json' },
  });

describe('the log of a chart', () => {
  it.each([
    ['a reference that is followed to the patient', () => `Observation?focus:Patient.family=annason`],
    ['a count', () => `Observation?patient.identifier=${identifierSystem}|ann&_summary=count`],
    ['a count across patients', () => `Patient?identifier=${identifierSystem}|ann&_summary=count`],
    ['a hierarchy', () => `Observation?encounter:below=${idOf(visit)}&_summary=count`],
    ['what somebody else’s record refers to', () => `Practitioner?_has:Encounter:practitioner:status=finished`],
  ])('tells of %s', async (_, query) => {
    expect(await added(ann, search(query()))).toHaveLength(1);
  });

  it('tells of a search that is refused after it has looked', async () => {
    const rows = await added(ann, async () => {
      const query = `Practitioner?_has:Encounter:practitioner:patient.identifier=${identifierSystem}|ann&_revinclude=*`;
      expect((await server.get(query, { as: system })).status).toBe(400);
    });

    expect(rows).toHaveLength(1);
  });

  it('tells of a condition that finds nothing there, or looks there for another patient', async () => {
    expect(await added(ann, patchIf(`Observation?patient=${ann}&code=nope`))).toHaveLength(1);
    expect(
      await added(ann, () =>
        server.post('Observation', observationBody(bob), {
          as: system,
          headers: { 'if-none-exist': `patient=${ann}&code=nope` },
        }),
      ),
    ).toHaveLength(1);
  });

  it('holds the values of a search that names this patient alone, on each page', async () => {
    const query = `Observation?patient=${ann}&status=final&_count=1`;
    await create(server, observationBody(ann));
    const rows = await added(ann, async () => {
      const first = await server.get(query, { as: system });
      await server.get(nextLinkOf(first.body) ?? '', { as: system });
    });

    expect(rows.map((row) => row.query)).toEqual([query, query]);
  });

  it.each([
    ['of a condition on two patients', () => patchIf(`Observation?patient=${ann},${bob}&code=nope`)],
    ['of a record found by its id', () => search(`Encounter?_id=${idOf(visit)}&subject=${bob}`)],
    ['of a reference', () => search(`Observation?patient=${ann}&focus=${bob}`)],
    ['of a bare id', () => search(`Observation?patient=${ann}&focus:Patient=${idOf(bob)}`)],
  ])('holds nothing that names another patient: %s', async (_, request) => {
    const rows = await added(ann, request());

    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain(idOf(bob));
  });

  it('tells of a hidden list that was asked for, as of a refusal', async () => {
    const rows = await added(ann, search(`Encounter?_list=${idOf(list)}`, elsewhere));

    expect(rows.map(({ outcome }) => outcome)).toEqual(['4']);
  });
});

describe('a search of the log', () => {
  it.each(['_summary=count', '_count=0', '_total=accurate', '_sort=date', '_sort=-date,action', '_explain=true'])(
    'refuses what would need all of it: %s',
    async (parameter) => {
      const { status, body } = await server.get(`AuditEvent?patient=${ann}&${parameter}`, { as: privacy });

      expect(status).toBe(400);
      expect(body.issue).toMatchObject([{ code: 'not-supported', expression: [parameter.split('=')[0]] }]);
    },
  );

  it('comes newest first, and tells what was not used', async () => {
    const { status, body } = await server.get(`AuditEvent?patient=${ann}&_sort=-date&bogus=1`, { as: privacy });
    const entries = (body as unknown as fhir4.Bundle).entry ?? [];

    expect(status).toBe(200);
    expect(entries.at(-1)?.search?.mode).toBe('outcome');
    expect(JSON.stringify(entries.at(-1)?.resource)).toContain('bogus');
  });
});
