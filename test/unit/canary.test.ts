import { describe, expect, it } from 'vitest';
import type { Ask, CanaryAnswer, CanaryRequest } from '../../shared/canary/ask.ts';
import { credentialsIn } from '../../shared/canary/credentials.ts';
import { canaryFamily, liveADay } from '../../shared/canary/day.ts';

const base = 'https://ehr.network.example/fhir';

interface Stored {
  readonly type: string;
  readonly id: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A server that does what the canary looks for, and nothing else: it keeps what is created, and books once. */
const world = (leftBehind: readonly Stored[] = []) => {
  const stored = new Map(leftBehind.map((each) => [`${each.type}/${each.id}`, each]));
  const told: string[] = [];
  const asked: string[] = [];
  let clock = Date.parse('2026-11-27T09:00:00Z');
  let count = 0;
  const keep = (type: string, body: object): CanaryAnswer => {
    const id = `r${++count}`;
    stored.set(`${type}/${id}`, { type, id, body: body as Stored['body'] });
    told.push(`${type}/${id}`);
    return { status: 201, body: { resourceType: type, id } };
  };
  const names = (body: unknown, patient: string) => JSON.stringify(body).includes(`"Patient/${patient}"`);
  const search = (type: string, query: URLSearchParams): CanaryAnswer => {
    const hits = [...stored.values()].filter(({ type: own, id, body }) => {
      if (own !== type || (query.has('_id') && query.get('_id') !== id)) return false;
      if (query.has('patient') && !names(body, query.get('patient') ?? '')) return false;
      if (query.has('identifier') && !JSON.stringify(body).includes(query.get('identifier')?.split('|')[1] ?? ''))
        return false;
      return !query.has('_lastUpdated') || leftBehind.some((each) => each.id === id);
    });
    return { status: 200, body: { resourceType: 'Bundle', entry: hits.map(({ id }) => ({ resource: { id } })) } };
  };
  const changes = (after: string | null): CanaryAnswer => {
    const from = after === 'now' ? told.length : Number(after);
    return {
      status: 200,
      body: {
        link: [{ relation: 'poll', url: `${base}/_changes?after=${told.length}` }],
        entry: told.slice(from).map((each) => ({ fullUrl: `${base}/${each}` })),
      },
    };
  };
  const ask: Ask = async ({ method, path, body = {} }) => {
    asked.push(`${method} ${path}`);
    const url = new URL(`${base}/${path}`);
    const [type = '', id = '', operation] = url.pathname.split('/').slice(2);
    if (type === 'metadata') return { status: 200, body: {} };
    if (type === '_changes') return changes(url.searchParams.get('after'));
    if (id === '$book') {
      const { parameter } = body as { parameter: readonly [{ resource: object }] };
      if ([...stored.values()].some((each) => each.type === type)) return { status: 409, body: {} };
      return keep(type, parameter[0].resource);
    }
    if (operation !== undefined || method === 'PUT') return { status: 200, body: {} };
    if (method === 'POST') return keep(type, body);
    if (method === 'DELETE') return { status: stored.delete(`${type}/${id}`) ? 204 : 404, body: undefined };
    return search(type, url.searchParams);
  };
  const day = (through: (request: CanaryRequest) => Promise<CanaryAnswer> = ask) =>
    liveADay({
      ask: through,
      now: () => clock,
      wait: async (ms) => {
        clock += ms;
      },
    });
  return { ask, asked, stored, day };
};

describe('the day of the canary', () => {
  it('goes through registration, search, booking, visit, record, order and feed, and leaves no record', async () => {
    const { day, stored } = world();

    const { steps, failure } = await day();

    expect(failure).toBeUndefined();
    expect(steps.map(({ name }) => name)).toEqual([
      'describe',
      'begin to follow',
      'register',
      'find what was just saved',
      'set up what is booked',
      'book',
      'not book twice',
      'begin a visit',
      'record',
      'order',
      'cancel the order',
      'cancel the booking',
      'close the visit',
      'be told of it',
      'tidy up',
    ]);
    expect([...stored.keys()]).toEqual([]);
  });

  it.each<[string, string, (request: CanaryRequest, answer: CanaryAnswer) => CanaryAnswer]>([
    [
      'a search that misses what was just saved',
      'find what was just saved: does not find the patient',
      ({ path }, answer) => (path.startsWith('Patient?identifier') ? { status: 200, body: { entry: [] } } : answer),
    ],
    [
      'a booking that nobody guards',
      'not book twice: answered 201',
      (_, answer) => (answer.status === 409 ? { status: 201, body: { id: 'again' } } : answer),
    ],
    [
      'a fault',
      'order: answered 500',
      ({ method, path }, answer) =>
        `${method} ${path}` === 'POST ServiceRequest' ? { status: 500, body: { text: 'Jane Doe' } } : answer,
    ],
    [
      'a feed that tells nothing',
      'be told of it: is not told of it in time',
      ({ path }, answer) =>
        path.startsWith('_changes?after=') ? { ...answer, body: { ...(answer.body as object), entry: [] } } : answer,
    ],
    [
      'a deletion that does not hold',
      'tidy up: still finds the patient',
      ({ path }, answer) =>
        path.startsWith('Patient?_id=') ? { status: 200, body: { entry: [{ resource: { id: 'r1' } }] } } : answer,
    ],
    [
      'an answer without an id',
      'register: is answered without an id',
      ({ method, path }, answer) =>
        `${method} ${path}` === 'POST Patient' ? { status: 201, body: undefined } : answer,
    ],
  ])('fails of %s, and says in which step and nothing of what was said', async (_, message, spoil) => {
    const { day, ask } = world();

    const { failure } = await day(async (request) => spoil(request, await ask(request)));

    expect(failure?.message).toBe(message);
  });

  it('fails by the name of an error alone where no answer comes, and tidies up all the same', async () => {
    const { day, ask, stored } = world();

    const { failure } = await day(async (request) => {
      if (request.path === 'ServiceRequest') throw new TypeError('fetch failed for Patient/r1');
      return ask(request);
    });

    expect(failure?.message).toBe('order: TypeError');
    expect([...stored.keys()]).toEqual([]);
  });

  it('removes what an earlier day left behind, and no other patient', async () => {
    const left: readonly Stored[] = [
      { type: 'Patient', id: 'old', body: { name: canaryFamily } },
      { type: 'Encounter', id: 'old-visit', body: { subject: { reference: 'Patient/old' } } },
      { type: 'Device', id: 'old-device', body: {} },
    ];
    const { day, stored, asked } = world(left);

    await day();

    expect([...stored.keys()]).toEqual([]);
    const found = asked.filter((each) => each.includes('_lastUpdated'));
    expect(found).toEqual([
      `GET Patient?family:exact=${canaryFamily}&_lastUpdated=lt2026-11-27T08:45:00.000Z&_elements=id&_count=20`,
      `GET Device?device-name:exact=${canaryFamily}&_lastUpdated=lt2026-11-27T08:45:00.000Z&_elements=id&_count=20`,
    ]);
  });
});

describe('credentials of the canary', () => {
  it('are what its secret holds', () => {
    const credentials = {
      tokenUrl: 'https://concord.auth.us-east-1.amazoncognito.com/oauth2/token',
      clientId: 'a',
      clientSecret: 'b',
      scope: 'system/*.cruds',
    };

    expect(credentialsIn(JSON.stringify(credentials))).toEqual(credentials);
  });

  it.each(['random9text', '{"clientId":"a","clientSecret":"hush"}'])(
    'are asked for where the secret is still what it was made as: %s',
    (text) => {
      expect(() => credentialsIn(text)).toThrow('The secret of the canary has not been filled (docs/observability.md)');
    },
  );
});
