import { describe, expect, it } from 'vitest';
import { Denylist, polledAfterMs, trustedForMs } from '../../shared/http/denylist.ts';
import { type Denial, denialRow, sessionName } from '../../shared/store/denylist.ts';

const nurse = { subject: 'sub-nurse', fhirUser: 'Practitioner/nurse', client: 'apps' };
const start = Date.UTC(2026, 10, 27);

/** A list, its clock, and what stands in the table. */
const world = () => {
  const state = { now: start, polls: 0, table: [] as Denial[], fails: false };
  let release = (): void => undefined;
  const list = new Denylist(
    async () => {
      state.polls++;
      const read = [...state.table];
      if (state.fails) throw new Error('no table');
      if (held) await held;
      return read;
    },
    () => state.now,
  );
  let held: Promise<void> | undefined;
  return {
    state,
    list,
    ask: (issued = start - 1_000, caller = nurse) => list.refuseDenied(caller, issued),
    /** Polls take until the returned function is called. */
    hold: () => {
      held = new Promise((resolve) => {
        release = resolve;
      });
      return () => {
        held = undefined;
        release();
      };
    },
  };
};

const revoked = { kind: 'unauthenticated', reason: 'token-revoked' };
const subject = (name: string, before = start): Denial => ({ kind: 'subject', name, before });

describe('the denylist', () => {
  it('is read before the first request is answered, and once however many come', async () => {
    const { state, ask } = world();
    state.table.push(subject('sub-nurse'));

    const asked = await Promise.allSettled([ask(), ask(), ask(start - 1_000, { ...nurse, subject: 'other' })]);

    expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
    expect(state.polls).toBe(1);
    await expect(ask()).rejects.toMatchObject(revoked);
    expect(state.polls).toBe(1);
  });

  it('denies by subject, person or application what was issued up to then, and nothing else', async () => {
    const { state, ask } = world();
    state.table.push(
      subject('sub-nurse', start - 5_000),
      { kind: 'person', name: 'Practitioner/lab', before: start },
      { kind: 'client', name: 'stolen-app', before: start },
    );

    await expect(ask(start - 5_000)).rejects.toMatchObject(revoked);
    await expect(ask(start - 4_000)).resolves.toBeUndefined();
    const lab = { subject: 'x', fhirUser: 'Practitioner/lab', client: 'apps' };
    await expect(ask(start, lab)).rejects.toMatchObject(revoked);
    await expect(ask(start, { ...lab, fhirUser: 'Practitioner/x', client: 'stolen-app' })).rejects.toMatchObject(
      revoked,
    );
    await expect(ask(start + 1, { ...nurse, client: 'stolen-app' })).resolves.toBeUndefined();
    const mixed = { subject: 'Practitioner/lab', fhirUser: 'stolen-app', client: 'sub-nurse' };
    await expect(ask(start, mixed)).resolves.toBeUndefined();
  });

  it('denies one session of a person, by the name of its sign-in or of its token, and no other', async () => {
    const { state, ask } = world();
    const of = (...sessions: string[]) => ({ ...nurse, sessions });
    const session = (person: string, name: string): Denial => ({
      kind: 'session',
      name: sessionName(person, name),
      before: start,
    });
    state.table.push(session(nurse.fhirUser, 'stolen'), session('Practitioner/lab', 'other'));

    await expect(ask(start, of('stolen', 'renewed'))).rejects.toMatchObject(revoked);
    await expect(ask(start, of('sign-in', 'stolen'))).rejects.toMatchObject(revoked);
    await expect(ask(start, of('sign-in', 'other'))).resolves.toBeUndefined();
    await expect(ask(start)).resolves.toBeUndefined();
  });

  it('keeps what is denied for as long as a sign-in can be renewed, and its last token used', () => {
    const { expires } = denialRow({ kind: 'subject', name: 'sub-nurse', before: start });

    expect(expires - start / 1_000).toBe(13 * 3_600 + 600);
  });

  it('is polled beside a request that does not wait for it, and in force by the next', async () => {
    const { state, ask, hold } = world();
    await ask();
    state.table.push(subject('sub-nurse'));
    state.now += polledAfterMs;
    await ask();
    expect(state.polls).toBe(1);

    state.now += 1;
    const release = hold();
    await ask(); // answered while the poll is held
    await ask();
    expect(state.polls).toBe(2);
    release();

    await expect
      .poll(() =>
        ask().then(
          () => 'served',
          () => 'refused',
        ),
      )
      .toBe('refused');
    expect(state.polls).toBe(2);
  });

  it('is not trusted for longer than a minute: the request waits for another one', async () => {
    const { state, ask } = world();
    await ask();
    state.table.push(subject('sub-nurse'));
    state.now += trustedForMs + 1;

    await expect(ask()).rejects.toMatchObject(revoked);
    expect([trustedForMs, state.polls]).toEqual([60_000, 2]);
  });

  it('refuses all where it cannot be read, and serves again once it can', async () => {
    const { state, ask } = world();
    state.fails = true;
    const unavailable = { kind: 'unavailable', reason: 'denylist-unavailable', headers: { 'Retry-After': '5' } };
    await expect(ask()).rejects.toMatchObject(unavailable);

    state.fails = false;
    await ask();
    state.fails = true;
    state.now += trustedForMs;
    await ask(); // the poll beside it fails
    state.now += 1;
    await expect(ask()).rejects.toMatchObject(unavailable);
    state.fails = false;
    await expect(ask()).resolves.toBeUndefined();
  });

  it('waits for no poll that was frozen with its process', async () => {
    const { state, ask, hold } = world();
    await ask();
    hold(); // never released
    state.now += polledAfterMs + 1;
    await ask();
    state.table.push(subject('sub-nurse'));
    const frozen = state.polls;

    state.now += 10 * trustedForMs;
    const asking = ask();
    expect(state.polls).toBe(frozen + 1);
    asking.catch(() => undefined);
  });
});
