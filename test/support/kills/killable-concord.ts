import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { findRunningServer, type RunningServer } from '../../../infra/cli/running-server.ts';
import { signIn } from '../../../infra/cli/sign-in.ts';
import { isAlive, lookUp } from '../../../infra/local/processes.ts';
import { until } from './until.ts';

const root = path.resolve(import.meta.dirname, '../../..');

/** The processes of one run: the server, the embedded store, and the keeper between them. */
export const processNames = ['server', 'keeper', 'store'] as const;
export type ProcessName = (typeof processNames)[number];

/** A Concord in processes of its own, to be killed from outside. */
export interface KillableConcord {
  readonly pids: Readonly<Record<ProcessName, number>>;
  readonly server: RunningServer;
  /** File of the embedded DynamoDB. */
  readonly dataFile: string;
  /** Number of large bodies that are kept. */
  readonly objects: () => number;
  readonly token: (user: string) => Promise<string>;
  /** What was printed so far. */
  readonly printed: () => string;
  /** Holds the server as it is, or lets it go on. */
  readonly hold: (held: boolean) => void;
  /** Ends these processes by `kill -9`, one right after the other. */
  readonly kill: (victims: readonly ProcessName[]) => void;
  /** Names of the processes that still run a while after they should have ended. */
  readonly leftRunning: (except?: ProcessName) => Promise<ProcessName[]>;
  /** Asks it to end, as Ctrl-C does, and waits. */
  readonly stop: () => Promise<void>;
}

/** Longest time from the start to being ready, in milliseconds: far more than an idle machine takes. */
const readyWithinMs = 60_000;
/** Longest time from a kill to the end of all, in milliseconds. The keeper gives the store one second. */
const endedWithinMs = 10_000;

export interface StartOptions {
  readonly port: number;
  readonly dataDir: string;
  /** Called as soon as there is a process, before it is ready. */
  readonly started?: (child: ChildProcess) => void;
  /** Variables for the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Starts `npm start`'s program and waits until it is ready.
 *
 * @returns undefined if it ended before, which is right only if somebody killed it.
 */
export const startKillable = async ({
  port,
  dataDir,
  started,
  env,
}: StartOptions): Promise<KillableConcord | undefined> => {
  const { npm_lifecycle_event: _, ...inherited } = process.env;
  const child = spawn(process.execPath, [path.join(root, 'infra/local/start.ts')], {
    cwd: root,
    env: { ...inherited, ...env, PORT: String(port), DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started?.(child);
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      printed += String(chunk);
    });
  }
  let ended = false;
  const closed = new Promise<void>((resolve) => {
    child.once('close', () => {
      ended = true;
      resolve();
    });
  });
  const ready = await until(() => ended || printed.includes('Concord is ready at'), readyWithinMs, 10);
  if (ended && child.signalCode === 'SIGKILL') return undefined;
  if (ended || !ready) throw new Error(`Concord did not start: ${printed}`);
  const { pid, store } = JSON.parse(readFileSync(path.join(dataDir, 'running.json'), 'utf8')) as {
    pid: number;
    store: { pid: number };
  };
  const pids = { server: pid, store: store.pid, keeper: lookUp(store.pid)?.parent ?? 0 };
  const server = await findRunningServer(`http://localhost:${port}/fhir`);
  return {
    pids,
    server,
    dataFile: path.join(dataDir, 'dynamodb', 'dynamodb.sqlite'),
    objects: () =>
      readdirSync(path.join(dataDir, 'objects', 'concord-bodies'), { recursive: true, withFileTypes: true }).filter(
        (each) => each.isFile(),
      ).length,
    token: async (user) => (await signIn(server, user, 'concord')).accessToken,
    printed: () => printed,
    hold: (held) => void process.kill(pids.server, held ? 'SIGSTOP' : 'SIGCONT'),
    kill: (victims) => {
      for (const victim of victims) kill(pids[victim]);
    },
    leftRunning: async (except) => {
      const running = () => processNames.filter((name) => name !== except && runs(pids[name]));
      await until(() => running().length === 0, endedWithinMs);
      return running();
    },
    stop: async () => {
      child.kill('SIGTERM');
      await closed;
    },
  };
};

const kill = (pid: number): void => {
  try {
    if (pid > 0) process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
};

/** Whether a process does something yet: one that nobody has asked for its exit status does not. */
export const runs = (pid: number): boolean => {
  if (!isAlive(pid)) return false;
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return isAlive(pid);
  }
};
