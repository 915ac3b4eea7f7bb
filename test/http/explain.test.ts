import { beforeAll, describe, expect, it } from 'vitest';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import {
  admin,
  create,
  elsewhere,
  encounterBody,
  identifierSystem,
  issuesOf,
  linkOf,
  matchesIn,
  numberedPatient,
  observationBody,
  organizationBody,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
  system,
} from '../support/records.ts';

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let encounter: Stored<fhir4.Encounter>;
beforeAll(async () => {
  server = await fhirServer();
  patient = await create(server, numberedPatient('explained', { name: [{ family: 'Xplained' }] }));
  encounter = await create(server, encounterBody(referenceTo(patient)));
  for (const code of ['a', 'a', 'b'])
    await create(
      server,
      observationBody(referenceTo(patient), {
        code: { coding: [{ code }] },
        encounter: { reference: referenceTo(encounter) },
        identifier: [{ system: identifierSystem, value: code }],
      }),
    );
  await create(server, organizationBody({ name: 'Xplained Clinic' }), admin);
});

const explained = async (query: string) => {
  server.calls.reset();
  const { status, body, text } = await server.get(query, { as: system });
  expect(status, text).toBe(200);
  const { names, readUnits, writeUnits } = server.calls;
  const counted = { names: [...names], sequential: server.calls.sequential(), readUnits, writeUnits };
  const outcomes = resourcesIn(body).filter(({ resourceType }) => String(resourceType) === 'OperationOutcome');
  const lines = outcomes.flatMap(issuesOf).map(({ text: line }) => String(line));
  return { lines, counted, body };
};
const figures = (line = '') => {
  const [, rows, matched, readUnits, writeUnits] =
    /: (\d+) rows read, (\d+) matched, ([\d.]+) read units, ([\d.]+) write units$/.exec(line) ?? [];
  return { rows: Number(rows), matched: Number(matched), readUnits: Number(readUnits), writeUnits: Number(writeUnits) };
};

/** The plan's line, the reads with their figures, and the sums, which must be what was counted. */
const expectExplained = async (query: string) => {
  const { lines, counted, body } = await explained(`${query}${query.includes('?') ? '&' : '?'}_explain=true`);
  const total = lines.at(-1) ?? '';
  expect(total).toContain(`${counted.names.length} calls, ${counted.sequential} in sequence`);
  expect(figures(total)).toMatchObject({ readUnits: counted.readUnits, writeUnits: counted.writeUnits });
  const calls = lines.filter((line) => /^(?:GetItem|BatchGetItem|Query|PutItem) /.test(line));
  expect(calls.map((line) => line.split(' ')[0])).toEqual(counted.names);
  const reads = calls.filter((line) => !line.startsWith('PutItem'));
  return { plans: lines.filter((line) => / by |^by /.test(line)), reads, figures: reads.map(figures), body };
};

describe('an explained search', () => {
  it('tells the rows that a chart was read for', async () => {
    const { plans, reads, figures: read, body } = await expectExplained(`Observation?patient=${patient.id}&code=a`);

    expect(plans).toEqual(['Observation: by chart, 1 charts, narrowed by patient']);
    expect(reads[0]).toContain(`Query C#${patient.id} from Observation# to Observation#~, newest first`);
    expect(read).toMatchObject([{ rows: 3, matched: 2 }]);
    expect(linkOf(body, 'self')).toContain('_explain=true');
    expect(body.total).toBe(2);
  });

  it.each([
    ['an id', () => `Encounter?_id=${encounter.id}`, 'by id'],
    ['a reference', () => `Observation?encounter=${referenceTo(encounter)}`, 'narrowed by encounter'],
    ['a compartment', () => `Encounter/${encounter.id}/Observation`, 'narrowed by encounter'],
    ['a name', () => 'Patient?family=xplained', 'by registry row of name, 1 ranges, narrowed by family'],
    ['an identifier', () => `Observation?identifier=${identifierSystem}|b`, 'by identifier, narrowed by identifier'],
    ['nothing that is indexed', () => 'Observation?code=b', 'by a walk through all that the organisation has'],
    ['a chain', () => 'Observation?patient.family=xplained', 'narrowed by patient.family'],
    ['several types', () => `?_type=Observation,Encounter&patient=${patient.id}`, '2 types: by chart, 1 charts'],
    ['a count', () => 'Observation?code=b&_summary=count', 'by a walk'],
    ['a sorted page', () => `Observation?patient=${patient.id}&_sort=date`, 'by chart'],
  ])('goes by %s, and tells each call as it is counted', async (_, query, plan) => {
    const { plans, figures: read } = await expectExplained(query());

    expect(plans.join('\n')).toContain(plan);
    expect(read.every(({ rows, matched }) => rows >= matched)).toBe(true);
  });

  it('tells how many rows of a registry matched', async () => {
    const { figures: read } = await expectExplained('Patient?family=xplained');

    expect(read).toMatchObject([{ rows: 1, matched: 1 }]);
  });

  it('mixes with no other request, explained or not', async () => {
    const path = `Observation?patient=${patient.id}&_explain=true`;
    const all = await Promise.all(
      [path, path, `Observation?patient=${patient.id}`].map((each) => server.get(each, { as: system })),
    );

    const outcomes = all.map(({ body }) =>
      resourcesIn(body).filter((each) => String(each.resourceType) === 'OperationOutcome'),
    );
    expect(outcomes.map(({ length }) => length)).toEqual([1, 1, 0]);
    expect(outcomes.flat().map((each) => issuesOf(each).at(-1)?.text?.split(':')[0])).toEqual(
      Array.from({ length: 2 }, () => '2 calls, 1 in sequence'),
    );
  });

  it('leaves its trace all the same', async () => {
    const own = await create(server, patientBody());
    await server.get(`Observation?patient=${own.id}&_explain=true`, { as: system });

    const { body } = await server.get(`AuditEvent?patient=${own.id}`, { as: { role: 'privacy' } });
    const queries = resourcesIn(body)
      .flatMap((event) => (event as unknown as fhir4.AuditEvent).entity ?? [])
      .map(({ query = '' }) => Buffer.from(query, 'base64').toString());
    expect(queries).toContain(`Observation?patient=${own.id}&_explain=true`);
  });

  it('is for the roles admin and system; others are refused before anything is read', async () => {
    const path = `Observation?patient=${patient.id}&_explain=true`;
    for (const as of [{ role: 'physician' }, elsewhere, { role: 'patient', patient: patient.id }]) {
      server.calls.reset();
      const { status, body } = await server.get(path, { as });
      expect([status, ...issuesOf(body)]).toMatchObject([403, { reason: 'forbidden-role', expression: '_explain' }]);
      expect(server.calls.names.filter((name) => name === 'Query')).toEqual([]);
    }
    expect((await server.get(path, { as: admin })).status).toBe(403); // no clinical content
    expect((await server.get('Organization?name=xplained&_explain=true', { as: admin })).status).toBe(200);
  });

  it('tells of a chart that is hidden what it tells of an empty one', async () => {
    const as = { role: 'system', organization: 'lakeside' };
    const nobody = server.store.ids.newChart();
    const told = async (id: string) => {
      const { body } = await server.get(`Observation?patient=${id}&_explain=true`, { as });
      expect(body.total).toBe(0);
      return JSON.stringify(body)
        .replaceAll(id, 'ID')
        .replace(/A#… \S+:/g, 'A#…:');
    };

    const hidden = await told(patient.id);
    expect(hidden).toContain('nothing that you may find');
    expect(hidden).toBe(await told(nobody));
  });

  it('names no chart that it walks through but those in which something was found', async () => {
    const as = { ...system, scope: 'system/Communication.rs' };
    const message = await create(server, {
      resourceType: 'Communication',
      status: 'completed',
      subject: { reference: referenceTo(patient) },
    } as fhir4.Communication);
    const other = await create(server, patientBody());
    await create(server, observationBody(referenceTo(other)));

    const { status, body } = await server.get('Communication?status=completed&_explain=true', { as });

    expect(status, JSON.stringify(body)).toBe(200);
    expect(matchesIn(body).map(referenceTo)).toEqual([referenceTo(message)]);
    const told = resourcesIn(body)
      .flatMap(issuesOf)
      .map(({ text }) => String(text))
      .join('\n');
    expect(told).toContain(`Query C#${patient.id} from Communication#`);
    expect(told).toContain('Query C#… from Communication#');
    expect(told).not.toContain(other.id);
  });

  it.each([
    ['a visit', 'Observation?encounter=Encounter/chosen-'],
    ['a record', 'Observation?_id=chosen-'],
    ['a visit, of several types', '?_type=Observation,Condition&encounter=Encounter/chosen-'],
    ['what refers to a record', 'Encounter?_has:Observation:encounter:_id=chosen-'],
  ])('does not tell whether another organisation uses an id that a client chose: %s', async (_, query) => {
    const as = { role: 'system', organization: 'lakeside' };
    const subject = referenceTo(patient);
    await server.put('Encounter/chosen-1', { ...encounterBody(subject), id: 'chosen-1' });
    await server.put('Observation/chosen-1', { ...observationBody(subject), id: 'chosen-1' });
    const told = async (n: string) => {
      const { status, body } = await server.get(`${query}${n}&_explain=true`, { as });
      expect(status, JSON.stringify(body)).toBe(200);
      const outcomes = resourcesIn(body).filter(({ resourceType }) => String(resourceType) === 'OperationOutcome');
      return outcomes.flatMap(issuesOf).map(({ text }) => String(text).replaceAll(`chosen-${n}`, 'ID'));
    };

    const used = await told('1');

    expect(used.join('\n')).toMatch(/GetItem L#\w+#ID L: whether the id is used is not told/);
    expect(used.at(-1)).toMatch(/^\d+ calls: /);
    expect(used).toEqual(await told('2'));
  });

  it('does not tell how many calls followed one another where it leaves one out', async () => {
    const as = { role: 'system', organization: 'lakeside' };

    const { body } = await server.get(`Encounter?_id=${encounter.id}&_explain=true`, { as });

    const last = resourcesIn(body).flatMap(issuesOf).at(-1)?.text;
    expect(last).toMatch(/^\d+ calls: /);
  });
});
