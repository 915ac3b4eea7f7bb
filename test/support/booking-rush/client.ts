import type { Random } from '../naive-search/random.ts';
import { nameOf, type Refusal, timeOf, type Version, versionOf, type Wanted } from './diary.ts';
import type { Hours } from './judge.ts';

/** Sends a request; `path` is relative to the base. */
export type Ask = (
  method: string,
  path: string,
  body?: unknown,
) => Promise<{ readonly status: number; readonly body: unknown }>;

/** What all clients share: whom they book, where they note what they were told, and by which clock. */
export interface Rush {
  readonly ask: Ask;
  /** The server's clock, in milliseconds since 1970. */
  readonly now: () => number;
  readonly hours: Hours;
  readonly people: readonly string[];
  readonly rooms: readonly string[];
  readonly patients: readonly string[];
  /** How long a hold is asked for, from one to the other. Milliseconds. */
  readonly holdMs: readonly [shortest: number, longest: number];
  readonly versions: Version[];
  readonly refusals: Refusal[];
  /** Answers by what was asked and what came of it. */
  readonly counts: Map<string, number>;
  readonly faults: string[];
  /** The newest version of each Appointment that may still be changed, by its name. Anybody may. */
  readonly open: Map<string, fhir4.Appointment>;
}

const minuteMs = 60_000;
const step = 5 * minuteMs;
/** Appointments that are kept: with more, hardly anybody gets a time. */
const mostOpen = 90;
/** How often a request is sent again that met another at the same moment: each time somebody else got through. */
const mostTries = 1_000;

/** A call, and what it is about. */
interface Wish {
  readonly what: string;
  readonly path: string;
  readonly body: unknown;
  readonly wanted?: Wanted;
  readonly own?: string;
  readonly until?: number;
  /** Whether it is left as it was made. */
  readonly isForgotten?: boolean;
}

/** Sends one call of a client, and notes what came of it. */
export const act = (rush: Rush, random: Random): Promise<void> => send(rush, wishOf(rush, random));

/** Holds the first half an hour of somebody, and leaves it to lapse: nobody else knows of it. */
export const holdAndForget = async (rush: Rush, person: string): Promise<void> => {
  const { hours } = rush;
  const wanted = { actors: [person], from: hours.opens, to: hours.opens + 30 * minuteMs };
  await send(rush, { ...holding(rush, rush.holdMs[0], wanted), isForgotten: true });
};

const send = async (rush: Rush, wish: Wish): Promise<void> => {
  for (let tries = 1; ; tries++) {
    const sent = rush.now();
    const { status, body } = await rush.ask('POST', wish.path, wish.body);
    const answered = rush.now();
    if (note(rush, wish, { status, body, sent, answered })) return;
    if (tries < mostTries) continue;
    rush.faults.push(`${wish.what}: no end after ${tries} tries`);
    return;
  }
};

/** What somebody wants to do: something new, or with an Appointment of anybody's. */
const wishOf = (rush: Rush, random: Random): Wish => {
  const some = random.maybe([...rush.open.values()]);
  if (some) {
    const drawn = random.next();
    if (rush.open.size > mostOpen || drawn < 0.2) return cancelling(some);
    if (drawn < 0.35) return moving(rush, random, some);
    if (drawn < 0.5 && some.status === 'pending') return confirming(some);
  }
  const drawn = random.next();
  const wanted = anyTime(rush, random);
  const [shortest, longest] = rush.holdMs;
  const length = shortest + random.below(longest - shortest);
  if (drawn < 0.4)
    return { ...holding(rush, length, wanted, random.of(rush.patients)), isForgotten: random.chance(0.3) };
  const resource = proposal(wanted, random.of(rush.patients));
  if (drawn < 0.55) return { what: 'POST', path: 'Appointment', body: { ...resource, status: 'booked' }, wanted };
  return { what: '$book', path: 'Appointment/$book', body: parameters({ name: 'appointment', resource }), wanted };
};

const holding = ({ now }: Rush, length: number, wanted: Wanted, patient?: string): Wish => {
  const until = now() + length;
  const expires = { name: 'expires', valueInstant: instant(until) };
  const body = parameters({ name: 'appointment', resource: proposal(wanted, patient) }, expires);
  return { what: '$hold', path: 'Appointment/$hold', body, wanted, until };
};

const confirming = (some: fhir4.Appointment): Wish => ({
  what: '$book of a hold',
  path: 'Appointment/$book',
  body: parameters({ name: 'appointment', resource: some }),
  own: nameOf(some),
});

const moving = (rush: Rush, random: Random, some: fhir4.Appointment): Wish => {
  const { from, to } = anyTime(rush, random);
  return {
    what: '$reschedule',
    path: `${nameOf(some)}/$reschedule`,
    body: parameters({ name: 'start', valueDateTime: instant(from) }, { name: 'end', valueDateTime: instant(to) }),
    wanted: { ...timeOf(some), from, to },
    own: nameOf(some),
  };
};

const cancelling = (some: fhir4.Appointment): Wish => ({
  what: '$cancel',
  path: `${nameOf(some)}/$cancel`,
  body: parameters({ name: 'reason', valueString: 'Cannot come' }),
});

const anyTime = ({ hours, people, rooms }: Rush, random: Random): Wanted => {
  const length = (2 + random.below(11)) * step;
  const from = hours.opens + random.below((hours.closes - hours.opens - length) / step + 1) * step;
  const some = random.shuffled(people).slice(0, 1 + Number(random.chance(0.3)));
  return { actors: [...some, ...(random.chance(0.6) ? [random.of(rooms)] : [])], from, to: from + length };
};

const proposal = ({ actors, from, to }: Wanted, patient?: string): fhir4.Appointment => ({
  resourceType: 'Appointment',
  status: 'proposed',
  start: instant(from),
  end: instant(to),
  participant: [...actors, ...(patient ? [patient] : [])].map((reference) => ({
    actor: { reference },
    status: 'accepted',
  })),
});

const parameters = (...parameter: fhir4.ParametersParameter[]): fhir4.Parameters => ({
  resourceType: 'Parameters',
  parameter,
});
const instant = (time: number) => new Date(time).toISOString();

interface Told {
  readonly status: number;
  readonly body: unknown;
  readonly sent: number;
  readonly answered: number;
}

/** Notes down an answer. @returns whether it is one: who met another at the same moment asks again. */
const note = (rush: Rush, wish: Wish, { status, body, sent, answered }: Told): boolean => {
  const { what, wanted, own } = wish;
  const count = (outcome: string) =>
    rush.counts.set(`${what}: ${outcome}`, (rush.counts.get(`${what}: ${outcome}`) ?? 0) + 1);
  if (status === 200 || status === 201) {
    const appointment = body as fhir4.Appointment;
    rush.versions.push(versionOf(appointment, { sent, answered }));
    const name = nameOf(appointment);
    const known = Number(rush.open.get(name)?.meta?.versionId ?? 0);
    if (appointment.status === 'cancelled') rush.open.delete(name);
    else if ((status === 201 && !wish.isForgotten) || (known > 0 && known < Number(appointment.meta?.versionId)))
      rush.open.set(name, appointment);
    count('done');
    return true;
  }
  const { issue = [] } = body as Partial<fhir4.OperationOutcome>;
  const code = issue[0]?.details?.coding?.[0]?.code ?? '';
  if (status === 409 && code === 'time-taken') {
    const offers = issue.flatMap(({ severity, details }) => {
      const [, from = '', to = ''] = /^Free from (\S+) to (\S+)$/.exec(details?.text ?? '') ?? [];
      return severity === 'information' && to !== '' ? [{ from: Date.parse(from), to: Date.parse(to) }] : [];
    });
    // A create offers nothing; that somebody had the time holds for it as well.
    if (what === 'POST') count('taken');
    else count(offers.length > 0 ? 'taken, others offered' : 'taken, none free');
    rush.refusals.push({ sent, answered, own, wanted, offers: what === 'POST' ? undefined : offers });
    return true;
  }
  if (status === 429 || (status === 409 && code === 'concurrent-change')) {
    count('at the same moment as others, sent again');
    return false;
  }
  if (status === 412 || (status === 422 && code === 'illegal-move')) {
    // Somebody else has changed it meanwhile.
    if (own !== undefined && code === 'illegal-move') rush.open.delete(own);
    count('changed by others meanwhile');
    return true;
  }
  if (status === 400 && wish.until !== undefined && wish.until <= answered) {
    count('too late');
    return true;
  }
  rush.faults.push(`${what}: ${status} ${JSON.stringify(body).slice(0, 300)}`);
  return true;
};
