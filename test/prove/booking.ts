import { scratchFolder } from '../support/dynamodb.ts';

const [clients, people, rooms, patients] = [64, 4, 3, 16];
const lengthMs = 60_000;
const mostShown = 20;

/**
 * Lets 64 clients book overlapping times of four people and three rooms of a Concord of its own, over HTTP, for a minute, as test/http/booking-rush.test.ts does for a moment.
 *
 * @param seed - decides who wants what; drawn if absent.
 * @returns whether nobody was booked twice, nothing that was acknowledged was lost, and each refusal stands and offers what was free.
 */
export const proveBooking = async (seed = Math.floor(Math.random() * 2 ** 31)): Promise<boolean> => {
  const { startConcord } = await import('../../infra/local/concord.ts');
  const { runBookingRush } = await import('../support/booking-rush/run.ts');
  const concord = await startConcord({ port: 0, dataDir: scratchFolder(), scratch: true });
  const headers = {
    authorization: `Bearer ${await concord.token('system@northside.example')}`,
    'content-type': 'application/fhir+json',
  };
  const ask = async (method: string, path: string, body?: unknown) => {
    const url = path.startsWith('http') ? path : `${concord.url}/${path}`;
    const response = await fetch(url, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
  };
  let end: number | undefined;
  const run = await runBookingRush(ask, {
    seed,
    clients,
    people,
    rooms,
    patients,
    now: Date.now,
    holdMs: [1_000, 10_000],
    goesOn: () => {
      end ??= Date.now() + lengthMs;
      return Date.now() < end;
    },
  });
  await concord.stop();
  console.log(
    `Seed ${seed}: ${clients} clients, ${people} people and ${rooms} rooms; ${run.tenures} times were had, ${run.lapsed} of them lapsed; ${run.refusals} refusals judged`,
  );
  for (const [kind, times] of [...run.counts].sort()) console.log(`  ${kind.padEnd(52)} ${String(times).padStart(6)}`);
  for (const fault of run.faults.slice(0, mostShown)) console.error(`  ${fault}`);
  console.log(run.faults.length === 0 ? 'Proved.' : `${run.faults.length} faults.`);
  return run.faults.length === 0;
};
