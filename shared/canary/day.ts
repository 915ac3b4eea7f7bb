import { randomUUID } from 'node:crypto';
import type { Ask, CanaryAnswer, CanaryRequest } from './ask.ts';
import { CanaryFailed } from './failure.ts';

/** A step of the day: how long it took, in milliseconds. Nothing of what was sent or answered. */
export interface Step {
  readonly name: string;
  readonly ms: number;
}

export interface Day {
  /** Steps that came to their end, in their order. */
  readonly steps: readonly Step[];
  /** Why the day was broken off, if it was. It was tidied up after all the same, where that went. */
  readonly failure: CanaryFailed | undefined;
}

export interface DayOptions {
  readonly ask: Ask;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Waits for some milliseconds. */
  readonly wait: (ms: number) => Promise<unknown>;
  /** Time within which the feed has to tell what was done, in milliseconds. */
  readonly toldWithinMs?: number;
}

/** By this name alone canaries of days that were broken off are found. Nobody else in the organisation may bear it. */
export const canaryFamily = 'Canary-of-Concord';

const minuteMs = 60_000;
/** A day takes less than a minute. What is older was left behind. */
const leftBehindMs = 15 * minuteMs;
const pollMs = 500;

/** What a chart of a canary holds, the referring before what they refer to. */
const typesOfDay = ['Observation', 'ServiceRequest', 'Encounter', 'Appointment'] as const;

/**
 * Lives a day of a patient that there is not, by requests as an application of a hospital sends them: registers, searches what was just saved, books and cannot book twice, records, orders, cancels, closes, reads
 * the feed, and removes all of it. Each step checks what it is answered. What it leaves are versions and the access log, which nobody may remove.
 */
export const liveADay = async ({ ask, now, wait, toldWithinMs = 30_000 }: DayOptions): Promise<Day> => {
  const steps: Step[] = [];
  let current = '';
  const step = async <Result>(name: string, work: () => Promise<Result>): Promise<Result> => {
    current = name;
    const begun = now();
    const result = await work();
    steps.push({ name, ms: now() - begun });
    return result;
  };
  const send = async (status: number | readonly number[], request: CanaryRequest): Promise<CanaryAnswer> => {
    const answer = await ask(request);
    if (![status].flat().includes(answer.status)) throw new CanaryFailed(current, `answered ${answer.status}`);
    return answer;
  };
  const create = async (resource: Resource) =>
    idIn(await send(201, { method: 'POST', path: resource.resourceType, body: resource }), current);
  const update = (id: string, resource: Resource) =>
    send(200, { method: 'PUT', path: `${resource.resourceType}/${id}`, body: { ...resource, id } });
  const find = async (path: string) => entriesOf(await send(200, { method: 'GET', path }));
  const require = (holds: boolean, what: string) => {
    if (!holds) throw new CanaryFailed(current, what);
  };
  const remove = (path: string) => send([200, 204], { method: 'DELETE', path });
  const removeChart = async (patient: string) => {
    for (const type of typesOfDay)
      for (const { id } of await find(`${type}?patient=${patient}&_elements=id&_count=100`))
        await remove(`${type}/${id}`);
    await remove(`Patient/${patient}`);
  };

  let patient: string | undefined;
  let device: string | undefined;
  let failure: CanaryFailed | undefined;
  try {
    await step('describe', () => send(200, { method: 'GET', path: 'metadata' }));
    const cursor = await step('begin to follow', async () =>
      cursorIn(await send(200, { method: 'GET', path: '_changes?after=now' }), current),
    );
    const identifier = { system: 'urn:concord:canary', value: randomUUID() };
    const registered = await step('register', () =>
      create({
        resourceType: 'Patient',
        identifier: [identifier],
        name: [{ family: canaryFamily, given: [identifier.value] }],
        birthDate: '1970-01-01',
      }),
    );
    patient = registered;
    await step('find what was just saved', async () => {
      const found = await find(`Patient?identifier=${identifier.system}|${identifier.value}`);
      require(found.length === 1 && found[0]?.id === registered, 'does not find the patient');
    });
    // What can be booked once at a time: a patient may be in two places, for all that a booking knows.
    device = await step('set up what is booked', () =>
      create({ resourceType: 'Device', deviceName: [{ name: canaryFamily, type: 'other' }] }),
    );
    const subject = { reference: `Patient/${registered}` };
    const start = Math.ceil(now() / minuteMs) * minuteMs + 24 * 60 * minuteMs;
    const appointment: Resource = {
      resourceType: 'Appointment',
      status: 'booked',
      start: instant(start),
      end: instant(start + 15 * minuteMs),
      participant: [
        { actor: subject, status: 'accepted' },
        { actor: { reference: `Device/${device}` }, status: 'accepted' },
      ],
    };
    const book = { method: 'POST', path: 'Appointment/$book', body: parameters('appointment', appointment) } as const;
    const booked = await step('book', async () => idIn(await send([200, 201], book), current));
    await step('not book twice', () => send(409, book));
    const visit: Resource = {
      resourceType: 'Encounter',
      status: 'in-progress',
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
      subject,
      period: { start: instant(now()) },
    };
    const encounter = await step('begin a visit', () => create(visit));
    await step('record', async () => {
      const made = await create({
        resourceType: 'Observation',
        status: 'final',
        code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] },
        subject,
        encounter: { reference: `Encounter/${encounter}` },
        effectiveDateTime: instant(now()),
        valueQuantity: { value: 72, unit: '/min', system: 'http://unitsofmeasure.org', code: '/min' },
      });
      const found = await find(`Observation?patient=${registered}&code=http://loinc.org|8867-4`);
      require(found.length === 1 && found[0]?.id === made, 'does not find the observation');
    });
    const order: Resource = {
      resourceType: 'ServiceRequest',
      status: 'active',
      intent: 'order',
      code: { coding: [{ system: 'http://loinc.org', code: '24323-8' }] },
      subject,
      encounter: { reference: `Encounter/${encounter}` },
    };
    const ordered = await step('order', () => create(order));
    await step('cancel the order', () => update(ordered, { ...order, status: 'revoked' }));
    await step('cancel the booking', () =>
      send(200, {
        method: 'POST',
        path: `Appointment/${booked}/$cancel`,
        body: parameters('reason', 'The day is over'),
      }),
    );
    await step('close the visit', () =>
      update(encounter, { ...visit, status: 'finished', period: { ...(visit.period as object), end: instant(now()) } }),
    );
    await step('be told of it', async () => {
      const wanted = new Set([`Patient/${registered}`, `Encounter/${encounter}`]);
      const latest = now() + toldWithinMs;
      for (let after = cursor; ; ) {
        const answer = await send(200, { method: 'GET', path: `_changes?after=${encodeURIComponent(after)}` });
        for (const told of toldIn(answer)) wanted.delete(told);
        if (wanted.size === 0) return;
        after = cursorIn(answer, current);
        require(now() < latest, 'is not told of it in time');
        await wait(pollMs);
      }
    });
  } catch (error) {
    failure = failureOf(error, current);
  }
  try {
    await step('tidy up', async () => {
      if (patient !== undefined) await removeChart(patient);
      if (device !== undefined) await remove(`Device/${device}`);
      const left = `_lastUpdated=lt${instant(now() - leftBehindMs)}&_elements=id&_count=20`;
      for (const { id } of await find(`Patient?family:exact=${canaryFamily}&${left}`)) await removeChart(id);
      for (const { id } of await find(`Device?device-name:exact=${canaryFamily}&${left}`)) await remove(`Device/${id}`);
      if (patient !== undefined)
        require((await find(`Patient?_id=${patient}`)).length === 0, 'still finds the patient');
    });
  } catch (error) {
    failure ??= failureOf(error, current);
  }
  return { steps, failure };
};

type Resource = Readonly<Record<string, unknown>> & { readonly resourceType: string };

const instant = (ms: number) => new Date(ms).toISOString();

const parameters = (name: string, value: Resource | string) => ({
  resourceType: 'Parameters',
  parameter: [typeof value === 'string' ? { name, valueString: value } : { name, resource: value }],
});

/** Of an error of ours the step, of another one its name alone: its message may quote what it was given. */
const failureOf = (error: unknown, step: string): CanaryFailed =>
  error instanceof CanaryFailed ? error : new CanaryFailed(step, error instanceof Error ? error.name : typeof error);

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const idIn = ({ body }: CanaryAnswer, step: string): string => {
  const { id } = record(body);
  if (typeof id === 'string') return id;
  throw new CanaryFailed(step, 'is answered without an id');
};

const entriesOf = ({ body }: CanaryAnswer): readonly { readonly id: string }[] =>
  list(record(body).entry).flatMap((entry) => {
    const { search, resource } = record(entry);
    const { id } = record(resource);
    return record(search).mode === 'outcome' || typeof id !== 'string' ? [] : [{ id }];
  });

/** `Patient/…` of each entry of a history: a creation by POST has it in its whole address alone. */
const toldIn = ({ body }: CanaryAnswer): readonly string[] =>
  list(record(body).entry).flatMap((entry) => {
    const { fullUrl } = record(entry);
    return typeof fullUrl === 'string' ? [fullUrl.split('/').slice(-2).join('/')] : [];
  });

const cursorIn = ({ body }: CanaryAnswer, step: string): string => {
  for (const link of list(record(body).link)) {
    const { relation, url } = record(link);
    const cursor = relation === 'poll' && typeof url === 'string' && new URL(url).searchParams.get('after');
    if (cursor) return cursor;
  }
  throw new CanaryFailed(step, 'is answered without a cursor');
};
