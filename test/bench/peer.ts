import { CommandFailed } from '../../infra/cli/command.ts';
import { findRunningServer } from '../../infra/cli/running-server.ts';
import { signIn } from '../../infra/cli/sign-in.ts';
import { localPassword } from '../../infra/local/users.ts';
import { median } from './median.ts';
import { table } from './report.ts';
import { patientShaped } from './sample-shaped.ts';

const rounds = 200;
const warmUp = 20;
const user = 'system@northside.example';
const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);

type Work = 'create' | 'read' | 'update';
interface Server {
  readonly base: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Does the same work at another FHIR server and at the local one that PORT names, in turn, and compares medians.
 *
 * @param url - base of the other server, on this machine: the network between two machines would be most of what is measured.
 * @returns a table of milliseconds and ratios.
 * @throws CommandFailed if the address is not of this machine or a server refuses.
 */
export const comparedWithPeer = async (url: string): Promise<string> => {
  if (!URL.canParse(url) || !loopback.has(new URL(url).hostname)) {
    throw new CommandFailed(`The other server must run on this machine; ${url} is not an address of it.`);
  }
  const running = await findRunningServer();
  const { accessToken } = await signIn(running, user, localPassword);
  const own: Server = { base: running.url, headers: { authorization: `Bearer ${accessToken}` } };
  const peer: Server = { base: url.replace(/\/+$/, ''), headers: {} };
  const ownTimes = emptyTimes();
  const peerTimes = emptyTimes();
  for (let round = -warmUp; round < rounds; round++) {
    // Each goes first as often as the other.
    const pairs = [[own, ownTimes] as const, [peer, peerTimes] as const];
    for (const [server, times] of round % 2 === 0 ? pairs : pairs.reverse()) {
      const taken = await patientCycle(server);
      if (round >= 0) for (const work of works) times[work].push(taken[work]);
    }
  }
  return table(
    ['one request', 'Concord ms', 'peer ms', 'Concord ÷ peer'],
    works.map((work) => [
      work,
      median(ownTimes[work]),
      median(peerTimes[work]),
      median(ownTimes[work]) / median(peerTimes[work]),
    ]),
  );
};

const works: readonly Work[] = ['create', 'read', 'update'];
const emptyTimes = (): Record<Work, number[]> => ({ create: [], read: [], update: [] });

const patientCycle = async (server: Server): Promise<Record<Work, number>> => {
  const body = patientShaped();
  const create = await timed(server, 'POST', 'Patient', body);
  const id = (create.answer as { id?: string }).id ?? '';
  const read = await timed(server, 'GET', `Patient/${id}`);
  const update = await timed(server, 'PUT', `Patient/${id}`, { ...body, id, active: true });
  return { create: create.milliseconds, read: read.milliseconds, update: update.milliseconds };
};

const timed = async ({ base, headers }: Server, method: string, path: string, body?: fhir4.Patient) => {
  const start = performance.now();
  const response = await fetch(`${base}/${path}`, {
    method,
    headers: {
      ...headers,
      accept: 'application/fhir+json',
      ...(body ? { 'content-type': 'application/fhir+json' } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const answer: unknown = await response.json();
  const milliseconds = performance.now() - start;
  if (!response.ok) throw new CommandFailed(`${method} ${base}/${path.split('/')[0]} answered ${response.status}`);
  return { answer, milliseconds };
};
