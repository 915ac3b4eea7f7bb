import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CannotStart } from './cannot-start.ts';
import { endStore, type StoreProcess } from './dynamodb.ts';
import { readJsonFile, writeJsonFile } from './json-file.ts';

/** Where the local stack keeps what outlives it. */
export interface DataFolder {
  readonly dbPath: string;
  /** Bodies that are too large for a row of the database. */
  readonly objectsFolder: string;
  readonly usersFolder: string;
  readonly eventLog: string;
  /** File of the key that authenticates digests of the access log. */
  readonly digestKey: string;
  /** File of the key that encrypts the secrets of Subscriptions. */
  readonly secretsKey: string;
  /** Where queues are kept. */
  readonly queues: string;
  /** Positions of the stream's consumers. */
  readonly positions: string;
  /** Tells this run of the stack from any other; whoever asks the lock's address gets it back. */
  readonly instance: string;
  /** Notes the store that works on the folder, so that the next run can end it if nobody else does. */
  readonly note: (store: StoreProcess) => void;
  /** Lets another run have the folder. */
  readonly release: () => void;
}

/** All that the stack writes into its folder: a reset removes these and nothing else that somebody may keep there. */
const kept = [
  'dynamodb',
  'objects',
  'users',
  'positions',
  'queues',
  'events.ndjson',
  'digest-key.json',
  'secrets-key.json',
];

const lockName = 'running.json';

interface Lock {
  readonly pid: number;
  readonly instance: string;
  /** Where the run that holds the lock answers for itself. */
  readonly endpoint: string;
  /** The store that works on the folder, once it runs. */
  readonly store?: StoreProcess;
}

/**
 * Takes a folder for one run of the stack. A lock whose process has ended, even by `kill -9`, does not count; a store that this
 * process left behind is ended first.
 *
 * @param endpoint - address of this run, where `GET /_instance` says which run it is.
 * @throws CannotStart if another run has the folder, or it cannot be written.
 */
export const openDataFolder = async (
  folder: string,
  endpoint: string,
  options: { reset?: boolean } = {},
): Promise<DataFolder> => {
  const instance = randomUUID();
  const lockFile = path.join(folder, lockName);
  const lock: Lock = { pid: process.pid, instance, endpoint };
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    await takeLock(lockFile, lock, folder);
  } catch (error) {
    if (error instanceof CannotStart) throw error;
    throw new CannotStart(
      `The data folder ${folder} cannot be used: ${(error as Error).message}\nChoose another: DATA_DIR=<folder> npm start`,
    );
  }
  if (options.reset) for (const name of kept) rmSync(path.join(folder, name), { recursive: true, force: true });
  return {
    dbPath: path.join(folder, 'dynamodb', 'dynamodb.sqlite'),
    objectsFolder: path.join(folder, 'objects'),
    usersFolder: path.join(folder, 'users'),
    positions: path.join(folder, 'positions'),
    queues: path.join(folder, 'queues'),
    eventLog: path.join(folder, 'events.ndjson'),
    digestKey: path.join(folder, 'digest-key.json'),
    secretsKey: path.join(folder, 'secrets-key.json'),
    instance,
    note: (store) => writeJsonFile(lockFile, { ...lock, store }),
    release: () => {
      if ((readLock(lockFile) ?? { instance: '' }).instance === instance) rmSync(lockFile, { force: true });
      if (existsSync(folder) && readdirSync(folder).length === 0) rmSync(folder, { recursive: true });
    },
  };
};

const takeLock = async (lockFile: string, lock: Lock, folder: string): Promise<void> => {
  try {
    writeFileSync(lockFile, JSON.stringify(lock), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const holder = readLock(lockFile);
    if (holder && (await isRunning(holder))) {
      throw new CannotStart(
        `Another Concord (process ${holder.pid}) is using the data in ${folder}.\nStop it, or give this one a folder of its own: DATA_DIR=<folder> npm start`,
      );
    }
    if (holder?.store) await endStore(holder.store);
    // Another run may have taken the folder meanwhile.
    if (readLock(lockFile)?.instance === holder?.instance) rmSync(lockFile, { force: true });
    await takeLock(lockFile, lock, folder);
  }
};

const readLock = (lockFile: string): Lock | undefined => {
  try {
    return readJsonFile(lockFile) as Lock | undefined;
  } catch {
    return undefined; // half written when its process was killed
  }
};

/** The process id alone would do, if the system did not give it to another process later. */
const isRunning = async ({ pid, instance, endpoint }: Lock): Promise<boolean> => {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  try {
    const response = await fetch(`${endpoint}/_instance`, { signal: AbortSignal.timeout(2_000) });
    return ((await response.json()) as { instance?: unknown }).instance === instance;
  } catch (error) {
    // Stopped by the debugger, or too busy to answer: still there.
    return error instanceof Error && error.name === 'TimeoutError';
  }
};
