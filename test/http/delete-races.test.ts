import { AsyncLocalStorage } from 'node:async_hooks';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { postEntry, putEntry, transactionOf } from '../support/bundles.ts';
import { type FhirServer, fhirServer, type TestResponse } from '../support/fhir-server.ts';
import {
  atOnce,
  create,
  encounterBody,
  issuesOf,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
} from '../support/records.ts';

// A deletion looks at what refers to the record; a reference looks at whether the record is there. Whatever meets in between, one of the
// two must lose.

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let encounter: Stored<fhir4.Encounter>;

/** What happens before a call, given its number, of the request that runs in this context. */
type Hook = (call: number, input: Record<string, unknown>) => Promise<void> | void;
const running = new AsyncLocalStorage<{ hook: Hook; calls: number }>();

/** Sends a request of which each call to DynamoDB waits for the hook. Tells how many there were. */
const hooked = async (
  send: () => Promise<TestResponse>,
  hook: Hook,
): Promise<{ answer: TestResponse; calls: number }> => {
  const state = { hook, calls: 0 };
  return { answer: await running.run(state, send), calls: state.calls };
};

beforeAll(async () => {
  server = await fhirServer();
  server.store.client.middlewareStack.add(
    (next) => async (args) => {
      const state = running.getStore();
      if (!state) return next(args);
      const input = { ...args.input } as Record<string, unknown>;
      const own = ++state.calls;
      await running.exit(() => state.hook(own, input));
      return next({ ...args, input: input as typeof args.input });
    },
    { step: 'initialize', name: 'hook', priority: 'high' },
  );
});
beforeEach(async () => {
  patient = await create(server, patientBody());
  encounter = await create(server, encounterBody(referenceTo(patient)));
});

const referring = (to = encounter) =>
  observationBody(referenceTo(patient), { encounter: { reference: referenceTo(to) } });
const fillers = (count: number) =>
  Array.from({ length: count }, () => postEntry(observationBody(referenceTo(patient))));

/** Ways in which something comes to refer to an encounter: what is prepared, and the sending of it. */
const references: Readonly<Record<string, (to: Stored<fhir4.Encounter>) => Promise<() => Promise<TestResponse>>>> = {
  'a create': async (to) => {
    const body = referring(to);
    return () => server.post('Observation', body);
  },
  // The chart is read from the encounter in both directions: this one lies on the other side.
  'a create before it in the chart': async (to) => {
    const body: fhir4.CarePlan = {
      resourceType: 'CarePlan',
      status: 'active',
      intent: 'plan',
      subject: { reference: referenceTo(patient) },
      encounter: { reference: referenceTo(to) },
    };
    return () => server.post('CarePlan', body);
  },
  'an update': async (to) => {
    const own = await create(server, observationBody(referenceTo(patient)));
    const body = { ...referring(to), id: own.id };
    return () => server.put(pathOf(own), body);
  },
  'an update as create': async (to) => {
    const body = { ...referring(to), id: `chosen-${to.id.slice(-12)}` };
    return () => server.put(`Observation/${body.id}`, body);
  },
  'a transaction': async (to) => {
    const bundle = transactionOf(postEntry(referring(to)), ...fillers(3));
    return () => server.post('', bundle);
  },
  'a staged transaction': async (to) => {
    const bundle = transactionOf(...fillers(100), postEntry(referring(to)));
    return () => server.post('', bundle);
  },
  'a staged transaction that updates': async (to) => {
    const own = await create(server, observationBody(referenceTo(patient)));
    const bundle = transactionOf(...fillers(100), putEntry({ ...referring(to), id: own.id }));
    return () => server.post('', bundle);
  },
};

const succeeded = ({ status }: TestResponse) => status < 300;

/** Nothing refers to what is gone, and what an answer said is so. */
const expectSound = async (deletion: TestResponse, reference: TestResponse) => {
  const read = await server.get(pathOf(encounter));
  const found = await Promise.all(
    ['Observation', 'CarePlan'].map(async (type) =>
      resourcesIn((await server.get(`${type}?patient=${patient.id}&encounter=${encounter.id}`)).body),
    ),
  );
  expect(read.status).toBe(deletion.status === 204 ? 410 : 200);
  expect(found.flat()).toHaveLength(succeeded(reference) ? 1 : 0);
  expect([deletion.status === 204, succeeded(reference)]).not.toEqual([true, true]);
};

describe.each(Object.keys(references))('a deletion beside %s', (kind) => {
  const prepare = () => references[kind]?.(encounter) ?? Promise.reject(new Error('There is no such reference'));

  it('is refused if that comes before it is written, at whatever moment', async () => {
    let deletions = 0;
    for (let moment = 1, more = true; more; moment++, deletions++) {
      if (moment > 1) encounter = await create(server, encounterBody(referenceTo(patient)));
      const refer = await prepare();
      let reference: TestResponse | undefined;
      const { answer } = await hooked(
        () => server.delete(pathOf(encounter)),
        async (call) => {
          if (call === moment) reference = await refer();
        },
      );
      more = reference !== undefined;
      reference ??= await refer();

      expect({ moment, referred: succeeded(reference) }).toEqual({ moment, referred: more });
      expect({ moment, status: answer.status }).toEqual({ moment, status: more ? 409 : 204 });
      if (more) expect(issuesOf(answer.body)).toMatchObject([{ reason: 'referenced' }]);
      await expectSound(answer, reference);
    }
    expect(deletions).toBe(4); // before each of its three calls, and after the last
  });

  it('lets that be refused, if it comes before that is written, at whatever moment', async () => {
    const seen = new Set<string>();
    for (let moment = 1, more = true; more; moment++) {
      if (moment > 1) encounter = await create(server, encounterBody(referenceTo(patient)));
      const refer = await prepare();
      let deletion: TestResponse | undefined;
      const { answer, calls } = await hooked(refer, async (call) => {
        if (call === moment) deletion = await server.delete(pathOf(encounter));
      });
      more = calls > moment;
      deletion ??= await server.delete(pathOf(encounter));

      expect([204, 409]).toContain(deletion.status);
      expect([deletion.status === 204, succeeded(answer)].filter(Boolean)).toHaveLength(1);
      await expectSound(deletion, answer);
      seen.add(deletion.status === 204 ? 'deleted' : 'referred');
    }
    expect(seen).toContain('deleted');
  });
});

describe('deletions at the same time as references', () => {
  it('leave nothing that refers to what is gone, in 60 of them', async () => {
    const kinds = Object.values(references).slice(0, 5);
    const outcomes = { deleted: 0, referred: 0, both: 0 };
    const encounters = await atOnce(60, () => create(server, encounterBody(referenceTo(patient))));
    const race = async (own: Stored<fhir4.Encounter>, n: number) => {
      const kind = kinds[n % kinds.length] ?? references['a create'];
      if (!kind) throw new Error('There is no such reference');
      const refer = await kind(own);
      const deleting = () => server.delete(pathOf(own));
      // Each of the two is sent first in half of them.
      const [deletion, reference] =
        n % 10 < 5 ? await Promise.all([deleting(), refer()]) : (await Promise.all([refer(), deleting()])).reverse();
      const gone = deletion?.status === 204;
      const refers = reference !== undefined && succeeded(reference);
      if (gone && refers) outcomes.both++;
      else if (gone) outcomes.deleted++;
      else if (refers) outcomes.referred++;
    };

    for (let at = 0; at < encounters.length; at += 12) {
      await Promise.all(encounters.slice(at, at + 12).map((own, n) => race(own, at + n)));
    }

    const chart = resourcesIn((await server.get(`Observation?patient=${patient.id}&_count=1000`)).body);
    const named = new Set(chart.flatMap((record) => record.encounter?.reference ?? []));
    for (const own of encounters) {
      const { status } = await server.get(pathOf(own));
      if (status === 410) expect(named).not.toContain(referenceTo(own));
    }
    expect(outcomes.both).toBe(0);
    expect(outcomes.deleted + outcomes.referred).toBeGreaterThan(50);
  });
});

describe('a deletion of a patient beside a staged transaction that names the patient second', () => {
  it('never leaves an appointment of nobody, at whatever moment it comes', async () => {
    // So many that the transaction which decides has no room for the appointment, which comes last.
    const others = await atOnce(48, () => create(server, observationBody(referenceTo(patient))));
    const outcomes = new Set<string>();
    for (let moment = -2, more = true; more && moment < 9; moment++) {
      const second = await create(server, patientBody());
      const appointment = await create(server, meetingOf(patient));
      const meeting = { ...meetingOf(patient, second), id: appointment.id };
      const bundle = transactionOf(...others.map((other) => putEntry(other)), putEntry(meeting));
      let [deletion, decidesAt]: [TestResponse | undefined, number | undefined] = [undefined, undefined];
      const { answer } = await hooked(
        () => server.post('', bundle),
        async (call, input) => {
          if (JSON.stringify(input).includes('"committed"')) decidesAt = call;
          // Before the decision: with the first calls that stage. Afterwards: while the log is carried out.
          const now = moment < 0 ? call === moment + 5 : call === (decidesAt ?? Number.NaN) + moment;
          if (now) deletion = await server.delete(pathOf(second));
        },
      );
      more = deletion !== undefined;
      deletion ??= await server.delete(pathOf(second));

      const outcome = [deletion.status === 204 && 'deleted', succeeded(answer) && 'named'].filter(Boolean);
      expect({ moment, outcome: outcome.length }).toEqual({ moment, outcome: 1 });
      outcomes.add(String(outcome));
      const read = await server.get(pathOf(appointment));
      expect(JSON.stringify(read.body).includes(referenceTo(second))).toBe(succeeded(answer));
    }
    expect([...outcomes].sort()).toEqual(['deleted', 'named']);
  });
});

const meetingOf = (...patients: readonly Stored<fhir4.Patient>[]): fhir4.Appointment => ({
  resourceType: 'Appointment',
  status: 'proposed',
  participant: patients.map((actor) => ({ actor: { reference: referenceTo(actor) }, status: 'accepted' })),
});

describe('a deletion that others overtake', () => {
  /** Adds a reference and takes it away again: nothing refers to the encounter, and its row has changed. */
  const passing = async () => {
    const own = await create(server, referring());
    expect((await server.delete(pathOf(own))).status).toBe(204);
  };
  const writes = (input: Record<string, unknown>) => 'TransactItems' in input;

  it('looks again, and deletes what nothing refers to', async () => {
    let passed = 0;
    const { answer } = await hooked(
      () => server.delete(pathOf(encounter)),
      async (_call, input) => {
        if (writes(input) && passed++ === 0) await passing();
      },
    );

    expect(answer.status).toBe(204);
    expect(passed).toBe(2);
  });

  it('is given up in the end', async () => {
    let passed = 0;
    const { answer } = await hooked(
      () => server.delete(pathOf(encounter)),
      async (_call, input) => {
        if (!writes(input)) return;
        passed++;
        await passing();
      },
    );

    expect(answer.status).toBe(409);
    expect(issuesOf(answer.body)).toMatchObject([{ code: 'conflict', reason: 'concurrent-change' }]);
    expect(passed).toBe(10);
    expect((await server.get(pathOf(encounter))).status).toBe(200);
  });

  it('likewise in a transaction', async () => {
    const bundle = transactionOf({ request: { method: 'DELETE', url: pathOf(encounter) } });
    let passed = 0;
    const { answer } = await hooked(
      () => server.post('', bundle),
      async (_call, input) => {
        if (writes(input) && passed++ === 0) await passing();
      },
    );

    expect(answer.status).toBe(200);
    expect((await server.get(pathOf(encounter))).status).toBe(410);
  });

  it('by a new version says so', async () => {
    let changed = false;
    const { answer } = await hooked(
      () => server.delete(pathOf(encounter)),
      async (_call, input) => {
        if (changed || !writes(input)) return;
        changed = true;
        expect((await server.put(pathOf(encounter), encounter)).status).toBe(200);
      },
    );

    expect(answer.status).toBe(409);
    expect((await server.get(pathOf(encounter))).status).toBe(200);
  });
});

describe('a deletion in a large chart', () => {
  /** As if a page of DynamoDB held so few rows, instead of 1 MB. */
  const inPagesOf = (rows: number) => (_call: number, input: Record<string, unknown>) => {
    if ('KeyConditionExpression' in input) input.Limit = rows;
  };
  const del = (rows: number) => hooked(() => server.delete(pathOf(encounter)), inPagesOf(rows));

  it('reads it page by page in both directions, and finds what refers to the record on the last', async () => {
    await create(server, { resourceType: 'CareTeam', subject: { reference: referenceTo(patient) } });
    const referrer = await create(server, referring());
    for (let n = 0; n < 3; n++) await create(server, observationBody(referenceTo(patient)));

    const refused = await del(1);
    expect((await server.delete(pathOf(referrer))).status).toBe(204);
    const { answer, calls } = await del(1);

    expect(refused.answer.status).toBe(409);
    expect(issuesOf(refused.answer.body)).toMatchObject([{ reason: 'referenced' }]);
    expect(answer.status).toBe(204);
    expect(calls).toBeGreaterThan(7);
  });

  it('stops after ten pages, and says what else can be done', async () => {
    await atOnce(12, () => create(server, observationBody(referenceTo(patient))));

    const { answer, calls } = await del(1);

    expect(answer.status).toBe(400);
    expect(issuesOf(answer.body)).toMatchObject([
      { code: 'too-costly', text: expect.stringContaining('entered in error') },
    ]);
    expect(calls).toBe(10);
    expect((await server.get(pathOf(encounter))).status).toBe(200);
  });
});
