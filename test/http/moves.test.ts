import { beforeAll, describe, expect, it } from 'vitest';
import { type FhirServer, fhirServer, type TestBody, type TestResponse } from '../support/fhir-server.ts';
import {
  create,
  encounterBody,
  identifierSystem,
  issuesOf,
  patientBody,
  referenceTo,
  resourcesIn,
  system,
} from '../support/records.ts';

// All pairs of states on every path by which a record is written, against tables that are written here once more.

/** State → states that may follow; behind ! those that need a reason. */
type Table = Readonly<Record<string, string>>;

interface Case {
  readonly element: string;
  readonly body: (subject: string, state: string) => fhir4.FhirResource;
  readonly table: Table;
  /** What gives a reason, for the moves that need one. */
  readonly because: Change;
}

const reason = { text: 'It went on after all' };

const cases: Readonly<Record<string, Case>> = {
  Encounter: {
    element: 'status',
    body: (subject, state) => encounterBody(subject, { status: state as fhir4.Encounter['status'] }),
    table: {
      planned: 'arrived triaged in-progress cancelled unknown entered-in-error',
      arrived: 'triaged in-progress cancelled unknown entered-in-error',
      triaged: 'in-progress cancelled unknown entered-in-error',
      'in-progress': 'onleave finished unknown entered-in-error',
      onleave: 'in-progress finished unknown entered-in-error',
      finished: '!in-progress entered-in-error',
      cancelled: 'entered-in-error',
      unknown: 'planned arrived triaged in-progress onleave finished cancelled entered-in-error',
      'entered-in-error': '',
    },
    because: {
      extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/event-statusReason', valueCodeableConcept: reason }],
    },
  },
};

type Path = 'PUT' | 'PATCH' | 'conditional PUT' | 'PUT in a transaction' | 'PATCH in a transaction';
const paths: readonly Path[] = ['PUT', 'PATCH', 'conditional PUT', 'PUT in a transaction', 'PATCH in a transaction'];

interface Subject {
  readonly record: TestBody;
  /** A search that finds it alone. */
  readonly condition: string;
}

let server: FhirServer;
let made = 0;

beforeAll(async () => {
  server = await fhirServer();
});

const send = (bundle: 'transaction' | 'batch', entry: readonly unknown[]) =>
  server.post('', { resourceType: 'Bundle', type: bundle, entry }, { headers: { prefer: 'return=representation' } });

/** Records in these states, in a chart of their own, by one request. */
const recordsIn = async (type: string, states: readonly string[]): Promise<Subject[]> => {
  const patient = referenceTo(await create(server, patientBody()));
  const begun = states.map((state) => {
    const value = `moved-${++made}`;
    const resource = { ...cases[type]?.body(patient, state), identifier: [{ system: identifierSystem, value }] };
    return { resource, condition: `${type}?identifier=${identifierSystem}|${value}&patient=${patient}` };
  });
  const { status, body, text } = await send(
    'transaction',
    begun.map(({ resource }) => ({ resource, request: { method: 'POST', url: type } })),
  );
  expect(status, text).toBe(200);
  const records = resourcesIn(body);
  return begun.map(({ condition }, index) => ({ record: records[index] as TestBody, condition }));
};

/** What is written to move a record: the elements that become others. */
type Change = Readonly<Record<string, unknown>>;

const operations = (change: Change) =>
  Object.entries(change).map(([element, value]) => ({ op: 'add', path: `/${element}`, value }));

const inBinary = (patch: unknown) => ({
  resourceType: 'Binary',
  contentType: 'application/json-patch+json',
  data: Buffer.from(JSON.stringify(patch)).toString('base64'),
});

/** Writes these changes on a path; a transaction holds all of them. */
const write = async (path: Path, changes: readonly (readonly [Subject, Change])[]): Promise<TestResponse[]> => {
  if (path === 'PUT in a transaction' || path === 'PATCH in a transaction') {
    const method = path === 'PUT in a transaction' ? 'PUT' : 'PATCH';
    const entry = changes.map(([{ record }, change]) => ({
      resource: method === 'PUT' ? { ...(record as object), ...change } : inBinary(operations(change)),
      request: { method, url: referenceTo(record) },
    }));
    return [await send('transaction', entry)];
  }
  const answers: TestResponse[] = [];
  for (const [{ record, condition }, change] of changes) {
    const name = referenceTo(record);
    const next = { ...(record as object), ...change };
    const headers = { 'content-type': 'application/json-patch+json' };
    answers.push(
      path === 'PATCH'
        ? await server.request('PATCH', name, { body: operations(change), headers })
        : await server.put(path === 'PUT' ? name : condition, next),
    );
  }
  return answers;
};

const stateOf = (resource: TestBody, element: string): string => {
  const value = resource[element];
  return (typeof value === 'object' ? (value as unknown as fhir4.CodeableConcept).coding?.[0]?.code : value) ?? '';
};

describe.each(Object.keys(cases))('%s', (type) => {
  const { element, table, because } = cases[type] as Case;
  const states = Object.keys(table);
  const mayFollow = (from: string, to: string): boolean =>
    table[from]?.split(' ').some((state) => state === to || state === `!${to}`) ?? false;
  const pairs = states.flatMap((from) => states.flatMap((to) => (to === from ? [] : [{ from, to }])));
  const changeTo = (from: string, to: string): Change => ({
    [element]: to,
    ...(table[from]?.split(' ').includes(`!${to}`) ? because : {}),
  });

  it.each(paths)('becomes what it may become, by %s', async (path) => {
    const legal = pairs.filter(({ from, to }) => mayFollow(from, to));
    const subjects = await recordsIn(
      type,
      legal.map(({ from }) => from),
    );

    const answers = await write(
      path,
      subjects.map((subject, index) => [subject, changeTo(legal[index]?.from ?? '', legal[index]?.to ?? '')]),
    );

    expect(answers.filter(({ status }) => status !== 200).map(({ text }) => text)).toEqual([]);
    const stored = await send(
      'batch',
      subjects.map(({ record }) => ({ request: { method: 'GET', url: referenceTo(record) } })),
    );
    expect(resourcesIn(stored.body).map((each) => stateOf(each, element))).toEqual(legal.map(({ to }) => to));
  });

  it.each(paths)('becomes nothing else, by %s', async (path) => {
    const illegal = pairs.filter(({ from, to }) => !mayFollow(from, to));
    const subjects = await recordsIn(type, states);

    for (const { from, to } of illegal) {
      const subject = subjects[states.indexOf(from)] as Subject;
      const [answer] = await write(path, [[subject, changeTo(from, to)]]);
      const [issue] = issuesOf(answer?.body as TestBody);
      expect([answer?.status, issue?.reason], `${from} → ${to}`).toEqual([422, 'illegal-move']);
      expect(issue?.expression).toMatch(new RegExp(`^(?:${type}|Bundle\\.entry\\[0\\]\\.resource)\\.${element}$`));
    }

    const stored = await send(
      'batch',
      subjects.map(({ record }) => ({ request: { method: 'GET', url: referenceTo(record) } })),
    );
    expect(new Set(resourcesIn(stored.body).map(({ meta }) => meta?.versionId))).toEqual(new Set(['1']));
  });
});

describe('a visit', () => {
  const reopened = (text: string): Change => ({
    status: 'in-progress',
    extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/event-statusReason', valueCodeableConcept: { text } }],
  });

  it('that is finished is opened again for a reason, a new one each time', async () => {
    const [{ record }] = (await recordsIn('Encounter', ['finished'])) as [Subject];
    const name = referenceTo(record);
    const put = async (change: Change) => server.put(name, { ...((await server.get(name)).body as object), ...change });

    expect(issuesOf((await put({ status: 'in-progress' })).body)).toMatchObject([{ reason: 'move-needs-reason' }]);
    expect((await put(reopened('The patient came back'))).status).toBe(200);
    expect((await put({ status: 'finished' })).status).toBe(200);
    expect((await put({ status: 'in-progress' })).status).toBe(422);
    expect((await put(reopened('And once more'))).body.statusHistory).toMatchObject([
      { status: 'finished' },
      { status: 'in-progress' },
      { status: 'finished' },
    ]);
  });

  it('has its history from the server, to the millisecond, on every path', async () => {
    const subjects = await recordsIn(
      'Encounter',
      paths.map(() => 'triaged'),
    );
    const invented = [{ status: 'planned', period: { start: '2020-01-01' } }];
    const at = Date.UTC(2026, 3, 5, 6, 7, 8, 9);
    server.setTime(at);
    try {
      for (const [index, path] of paths.entries()) {
        const [answer] = await write(path, [
          [subjects[index] as Subject, { status: 'in-progress', statusHistory: invented }],
        ]);
        expect(answer?.status, answer?.text).toBe(200);
      }
    } finally {
      server.setTime(undefined);
    }

    for (const { record } of subjects) {
      const { statusHistory } = (await server.get(referenceTo(record))).body;
      expect(statusHistory).toEqual([
        { status: 'triaged', period: { start: '2024-05-06T07:00:00Z', end: new Date(at).toISOString() } },
      ]);
    }
  });

  it('that an interface tells of is stored whatever it became, flagged, and looked at by somebody', async () => {
    const [{ record }] = (await recordsIn('Encounter', ['cancelled'])) as [Subject];
    const name = referenceTo(record);
    const told = await server.put(name, { ...(record as object), status: 'finished' }, { as: system });
    const flag = { system: 'https://concord.example/fhir/CodeSystem/work', code: 'irregular-move' };

    expect(told.status, told.text).toBe(200);
    expect(told.body.meta?.tag).toMatchObject([flag]);
    const tasks = async () => resourcesIn((await server.get(`Task?focus=${name}`)).body);
    expect(await tasks()).toMatchObject([
      { status: 'requested', for: record.subject, performerType: [{ coding: [{ code: '106292003' }] }] },
    ]);

    const { tag: _flag, ...meta } = (told.body.meta ?? {}) as fhir4.Meta;
    const again = await server.put(name, { ...(told.body as object), meta, status: 'planned' }, { as: system });
    expect(again.body.meta?.tag).toMatchObject([flag]);
    expect(await tasks()).toHaveLength(1);
    const parameter = [{ name: 'meta', valueMeta: { tag: [flag] } }];
    await server.post(`${name}/$meta-delete`, { resourceType: 'Parameters', parameter });
    expect((await server.get(name)).body.meta?.tag).toBeUndefined();
  });
});
