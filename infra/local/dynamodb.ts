import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  CreateTableCommand,
  type DynamoDBClient,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { tableDefinition, timeToLiveAttribute } from '../../shared/store/table.ts';
import { CannotStart } from './cannot-start.ts';
import { freePort } from './free-port.ts';
import { lookUp } from './processes.ts';
import { indexStreamRecords, trimStreamRecords } from './stream-records.ts';

/** An embedded DynamoDB as a process of this machine. */
export interface StoreProcess {
  readonly pid: number;
  readonly endpoint: string;
}

export interface LocalDynamoDb {
  readonly endpoint: string;
  /** Undefined if somebody else runs it. */
  readonly pid: number | undefined;
  /** Resolves when the store has ended without being asked to. */
  readonly lost: Promise<void>;
  /**
   * Forgets the stream records of a table up to and including a sequence number: every reader is done with them. The service does so
   * after 24 hours. Does nothing for a store that is in memory only.
   */
  readonly trimStream: (tableName: string, upTo: string) => void;
  readonly stop: () => Promise<void>;
}

export interface DynamoDbOptions {
  /** SQLite file that keeps the data; in memory if absent. */
  readonly dbPath?: string;
  /** A free one if absent. */
  readonly port?: number;
  /** A folder that is deleted when the store ends, however it ends: for tests. */
  readonly removeAfter?: string | undefined;
}

/** How long the store may take until it answers, in milliseconds. It takes 14 to 43; a machine under load takes longer. */
const readyWithinMs = 15_000;

const binaryName = 'dynoxide';

/** Ports to try where the caller named none: another process may take a free port before the store does. */
const portAttempts = 5;

/** A DynamoDB elsewhere may take a while to create a table; the embedded one answers at once. */
const tableWithinSeconds = 60;

const waysOut = [
  'Set DYNAMODB_ENDPOINT to a DynamoDB that runs elsewhere, for instance DYNAMODB_ENDPOINT=http://localhost:8000,',
  'or install the embedded one: run `npm ci` again, without --omit=optional.',
].join('\n');

/**
 * Path of the embedded DynamoDB for this machine, which npm installs as an optional package.
 *
 * @throws CannotStart if there is none, with the ways out.
 */
export const dynamoDbBinary = (platform: string = process.platform, architecture: string = process.arch) => {
  const name = `@dynoxide/${platform}-${architecture}`;
  try {
    const packageFile = createRequire(import.meta.url).resolve(`${name}/package.json`);
    return path.join(path.dirname(packageFile), platform === 'win32' ? `${binaryName}.exe` : binaryName);
  } catch {
    throw new CannotStart(
      `The embedded DynamoDB for this machine (${platform}, ${architecture}) is not installed: package ${name} is missing.\n${waysOut}`,
    );
  }
};

/**
 * Starts the embedded DynamoDB on a loopback port and waits until it answers. It ends with this process, even on `kill -9`.
 *
 * @throws CannotStart if the binary is missing or does not run here, or the port is taken.
 */
export const startDynamoDb = async (options: DynamoDbOptions = {}): Promise<LocalDynamoDb> => {
  const binary = dynamoDbBinary();
  if (options.dbPath !== undefined) mkdirSync(path.dirname(options.dbPath), { recursive: true });
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await freePort());
    const started = await launch(binary, port, options);
    if (typeof started !== 'string') return started;
    const taken = started.includes('already in use');
    if (taken && options.port === undefined && attempt < portAttempts) continue;
    throw new CannotStart(
      taken
        ? `Port ${port} is taken by another program, so the embedded DynamoDB cannot use it. Stop that program or name another port.`
        : `The embedded DynamoDB did not start: ${started || 'it said nothing'}\n${waysOut}`,
    );
  }
};

/** @returns the running store, or what it printed before it gave up. */
const launch = async (binary: string, port: number, options: DynamoDbOptions): Promise<LocalDynamoDb | string> => {
  const { dbPath } = options;
  const serve = ['serve', '--port', String(port), ...(dbPath === undefined ? [] : ['--db-path', dbPath])];
  const remove = options.removeAfter === undefined ? [] : ['--remove', options.removeAfter];
  const keeper = spawn(
    process.execPath,
    [fileURLToPath(new URL('keep-with-parent.ts', import.meta.url)), ...remove, binary, ...serve],
    // In a process group of its own, so that Ctrl-C reaches this process first and requests under way are finished.
    { stdio: ['pipe', 'pipe', 'pipe'], detached: true, windowsHide: true },
  );
  let printed = '';
  let errors = '';
  let exited = false;
  keeper.stdout.on('data', (chunk: Buffer) => {
    if (printed.length < 1_000) printed += String(chunk);
  });
  keeper.stderr.on('data', (chunk: Buffer) => {
    if (errors.length < 4_000) errors += String(chunk);
  });
  const closed = new Promise<void>((resolve) => {
    keeper.once('close', () => {
      exited = true;
      resolve();
    });
  });
  keeper.once('error', ({ message }) => {
    errors += message;
  });
  // Someone may end the keeper alone; the store must not outlive it.
  keeper.once('exit', () => killQuietly(Number.parseInt(printed, 10)));

  const endpoint = `http://127.0.0.1:${port}`;
  const deadline = Date.now() + readyWithinMs;
  const hasStarted = () => errors.includes('listening on');
  while (!(hasStarted() && (await answers(endpoint)))) {
    if (exited) return errors.trim();
    if (Date.now() > deadline) {
      await stopKeeper(keeper, closed);
      return `no answer within ${readyWithinMs / 1_000} seconds. ${errors.trim()}`;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  if (dbPath !== undefined) indexStreamRecords(dbPath);
  unref(keeper);
  let stopping = false;
  const lost = new Promise<void>((resolve) => {
    void closed.then(() => {
      if (!stopping) resolve();
    });
  });
  return {
    endpoint,
    pid: Number.parseInt(printed, 10),
    lost,
    trimStream: (tableName, upTo) => {
      if (dbPath !== undefined) trimStreamRecords(dbPath, tableName, upTo);
    },
    stop: () => {
      stopping = true;
      return stopKeeper(keeper, closed);
    },
  };
};

const answers = (endpoint: string) =>
  fetch(endpoint).then(
    async (response) => (await response.text()).startsWith('healthy'),
    () => false,
  );

/** A store that nobody stops must not keep a finished test run alive. */
const unref = (keeper: ChildProcess) => {
  keeper.unref();
  for (const stream of [keeper.stdin, keeper.stdout, keeper.stderr]) {
    if (stream && 'unref' in stream && typeof stream.unref === 'function') stream.unref();
  }
};

const stopKeeper = async (keeper: ChildProcess, closed: Promise<void>) => {
  keeper.ref();
  keeper.stdin?.destroy();
  await closed;
};

/** How long a store that was ended may take until it is gone, in milliseconds. */
const goneWithinMs = 5_000;

/**
 * Ends the store of a run that was killed together with its keeper, and waits for one that is ending already: it must not write beside
 * the next one. Does nothing if another program has the process id by now.
 *
 * @throws CannotStart if it does not end.
 */
export const endStore = async ({ pid, endpoint }: StoreProcess): Promise<void> => {
  const deadline = Date.now() + goneWithinMs;
  while (await isThere(endpoint)) {
    // Where the system does not say what a process is, what answers at the store's own address has to do.
    if (!(lookUp(pid)?.command ?? binaryName).startsWith(binaryName)) return;
    if (Date.now() > deadline)
      throw new CannotStart(`An earlier embedded DynamoDB (process ${pid}) does not end. End it.`);
    killQuietly(pid);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

/** A store too busy to answer is there too. */
const isThere = (endpoint: string) =>
  fetch(endpoint, { signal: AbortSignal.timeout(1_000) }).then(
    async (response) => (await response.text()).startsWith('healthy'),
    (error: Error) => error.name === 'TimeoutError',
  );

const killQuietly = (pid: number) => {
  try {
    if (pid > 0) process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
};

/**
 * Creates the table as the stack does, unless it exists.
 *
 * @returns whether it was created now.
 */
export const createTable = async (client: DynamoDBClient, tableName: string): Promise<boolean> => {
  try {
    const { TableDescription } = await client.send(new CreateTableCommand(tableDefinition(tableName)));
    if (TableDescription?.TableStatus !== 'ACTIVE') {
      await waitUntilTableExists({ client, maxWaitTime: tableWithinSeconds }, { TableName: tableName });
    }
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceInUseException') return false;
    throw error;
  }
  await client.send(
    new UpdateTimeToLiveCommand({
      TableName: tableName,
      TimeToLiveSpecification: { Enabled: true, AttributeName: timeToLiveAttribute },
    }),
  );
  return true;
};
