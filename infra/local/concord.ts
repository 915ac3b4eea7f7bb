import path from 'node:path';
import {
  DeleteTableCommand,
  DynamoDBClient,
  ListTablesCommand,
  waitUntilTableNotExists,
} from '@aws-sdk/client-dynamodb';
import { gatewayScope } from '../../shared/access/offered-scopes.ts';
import type { Policy } from '../../shared/access/policy.ts';
import type { TokenEvent } from '../../shared/access/token-claims.ts';
import { addApplication } from '../../shared/store/applications.ts';
import { quarantinePrefix, verdictTag } from '../../shared/store/content-objects.ts';
import { documentClient } from '../../shared/store/document-client.ts';
import { startAwsServices } from './aws-services.ts';
import { CannotStart } from './cannot-start.ts';
import { cognitoAuthorizer } from './cognito-authorizer.ts';
import { openDataFolder } from './data-folder.ts';
import { dummyCredentials, useDummyCredentials } from './dummy-credentials.ts';
import { createTable, type LocalDynamoDb, startDynamoDb } from './dynamodb.ts';
import { type LoggedEvent, localAccount, openEventBus } from './event-bus.ts';
import { startExpirySweeper } from './expiry-sweeper.ts';
import { startGateway } from './gateway.ts';
import { underGrants } from './iam/enforce-grants.ts';
import { localPlaces } from './iam/local-places.ts';
import { openKeyService } from './key-service.ts';
import { importHandler, type LoadHandler, lambdaContext } from './lambda.ts';
import { scan } from './malware-scanner.ts';
import type { GatewayRoute } from './match-route.ts';
import { startObjectStore } from './object-store.ts';
import { followPoolEntry, tokenClaimsEntries } from './pool-functions.ts';
import { queueConsumers as allQueueConsumers } from './queue-consumers.ts';
import { type QueueConsumer, startQueuePoller } from './queue-poller.ts';
import { openQueue } from './queue-service.ts';
import { type ScheduledFunction, scheduledFunctions, startScheduler } from './scheduler.ts';
import { seedDirectory } from './seed-directory.ts';
import { settleLeftBehind } from './settle-left-behind.ts';
import { streamConsumers as allConsumers } from './stream-consumers.ts';
import { type StreamConsumer, startStreamPoller } from './stream-poller.ts';
import { localApplications, openUserPools, type UserPools, type UserPoolsOptions } from './user-pools.ts';
import { localPassword, type OrganizationId } from './users.ts';

export interface ConcordOptions {
  /** 0 for a free one. */
  readonly port: number;
  /** Keeps the data. */
  readonly dataDir: string;
  /** Another DynamoDB than the embedded one. */
  readonly dynamoDbEndpoint?: string | undefined;
  /** What the network has agreed on, where it differs from the usual. */
  readonly policy?: Partial<Policy>;
  /** The deployment's own pack of order checks: a file, by its whole path. */
  readonly knowledgePack?: string | undefined;
  /** Removes all data first. */
  readonly reset?: boolean;
  /** Whether the directory is written if it is missing; true if absent. */
  readonly seed?: boolean;
  /** Whether demo patients are written into a store without any, behind the directory. */
  readonly demo?: boolean;
  /** All routes of the stack if absent. */
  readonly routes?: readonly GatewayRoute[];
  /** All consumers of the stack if absent. */
  readonly consumers?: readonly StreamConsumer[];
  /** All consumers of queues of the stack if absent: a queue without one keeps what it is sent. */
  readonly queueConsumers?: readonly QueueConsumer[];
  /** All scheduled functions of the stack if absent. */
  readonly schedule?: readonly ScheduledFunction[];
  /** Whether the user pools have their functions, which trace sign-ins and deny whom they end; true if absent. */
  readonly poolFunctions?: boolean;
  readonly load?: LoadHandler;
  /** Deletes `dataDir` at the end, however it ends: for tests. */
  readonly scratch?: boolean;
}

/** The whole of Concord, running in this process. */
export interface Concord {
  readonly port: number;
  /** FHIR base URL. */
  readonly url: string;
  readonly userPools: UserPools;
  /** An access token of a local user or application. Throws ServiceError `NotAuthorizedException`. */
  readonly token: (username: string, password?: string) => Promise<string>;
  /** Events on the bus behind a position; all that are kept if absent. */
  readonly events: (after?: number) => readonly LoggedEvent[];
  /** Resolves once all changes that were acknowledged before the call have been published. */
  readonly settled: () => Promise<void>;
  /** The same, once all that was woken by them has had its turn; what is to be tried again later has it later. */
  readonly delivered: () => Promise<void>;
  /** Resolves when the store has ended by itself; nothing can be served any more. */
  readonly lost: Promise<void>;
  /** Finishes what is under way and keeps the data. */
  readonly stop: () => Promise<void>;
}

const tableName = 'concord';
const bucketName = 'concord-bodies';
const digestBucketName = 'concord-digests';
const eventBusName = 'concord';
const region = dummyCredentials.AWS_REGION;

/**
 * Starts everything and resolves when it is ready to serve. The gateway listens last, so whoever gets an answer gets a right one.
 *
 * The functions find their services in the environment of this process, which is why there can be one Concord in a process.
 *
 * @throws CannotStart for what the person at the keyboard can change.
 */
export const startConcord = async (options: ConcordOptions): Promise<Concord> => {
  const running: (() => unknown)[] = [];
  const stop = async () => {
    for (const end of running.splice(0).reverse()) await end();
  };
  try {
    return await start(options, running, stop);
  } catch (error) {
    await stop();
    throw error;
  }
};

const start = async (
  options: ConcordOptions,
  running: (() => unknown)[],
  stop: () => Promise<void>,
): Promise<Concord> => {
  const {
    port,
    dataDir,
    reset = false,
    load: loadFrom = importHandler,
    consumers = allConsumers,
    schedule = scheduledFunctions,
    queueConsumers = allQueueConsumers,
  } = options;
  // Told before anything else is touched, though the gateway takes the port at the end.
  if (port !== 0) await (await startGateway(port, { routes: [], load: loadFrom, authorize: () => undefined })).stop();
  // Reading the routes loads every record type; a test with routes of its own need not.
  const routes = options.routes ?? (await import('../routes.ts')).routes;
  if (options.knowledgePack) await requirePack(options.knowledgePack);
  useDummyCredentials();

  let instance = '';
  const services: Parameters<typeof startAwsServices>[0][number][] = [];
  const documents: NonNullable<Parameters<typeof startAwsServices>[1]>[number][] = [
    ({ pathname }) => (pathname === '/_instance' ? { instance } : undefined),
  ];
  const forms: NonNullable<Parameters<typeof startAwsServices>[2]>[number][] = [];
  const awsServices = await startAwsServices(services, documents, forms);
  running.push(awsServices.stop);

  const folder = await openDataFolder(dataDir, awsServices.endpoint, { reset });
  instance = folder.instance;
  running.push(folder.release);

  const store = await openStore(options, folder.dbPath);
  running.push(store.stop);
  if (store.pid !== undefined) folder.note({ pid: store.pid, endpoint: store.endpoint });
  const objectStore = await startObjectStore(folder.objectsFolder, {
    prefix: quarantinePrefix,
    lifetimeMs: 24 * 60 * 60_000,
    tag: verdictTag,
    scan,
  });
  running.push(objectStore.stop);
  objectStore.createBucket(bucketName);
  objectStore.createBucket(digestBucketName, { locked: true });

  const bus = openEventBus({ name: eventBusName, region, file: folder.eventLog });
  const keyService = openKeyService({ digests: folder.digestKey, secrets: folder.secretsKey });
  const queues = allQueueConsumers.map((consumer) => ({
    consumer,
    queue: openQueue({
      name: `concord-${consumer.name}`,
      region,
      account: localAccount,
      endpoint: awsServices.endpoint,
      file: path.join(folder.queues, `${consumer.name}.ndjson`),
      visibilityTimeoutMs: consumer.visibilityTimeoutMs,
      maxReceiveCount: consumer.maxReceiveCount,
    }),
  }));
  const account = { region, id: localAccount };
  const wakes = queues.find(({ consumer }) => consumer.name === 'wakes')?.queue;
  const places = localPlaces(
    {
      tableName,
      bucketName,
      digestBucketName,
      digestKeyId: keyService.digestKeyId,
      secretsKeyId: keyService.secretsKeyId,
      eventBusName,
      wakeQueueArn: wakes?.arn ?? '',
    },
    account,
  );
  // From here on functions run in the name of their roles, whoever calls them.
  const load = underGrants(loadFrom, places, account);
  const userPools = await openUserPools({
    folder: folder.usersFolder,
    region,
    ...(options.poolFunctions === false ? {} : poolFunctions(load)),
  });
  services.push(userPools.service, bus.service, keyService.service, ...queues.map(({ queue }) => queue.service));
  documents.push(userPools.documents, bus.documents);
  forms.push(userPools.forms);

  const restore = setEnvironment({
    TABLE_NAME: tableName,
    BUCKET_NAME: bucketName,
    DIGEST_BUCKET_NAME: digestBucketName,
    DIGEST_KEY_ID: keyService.digestKeyId,
    SECRETS_KEY_ID: keyService.secretsKeyId,
    EVENT_BUS_NAME: eventBusName,
    WAKE_QUEUE_URL: wakes?.url ?? '',
    AWS_ENDPOINT_URL_DYNAMODB: store.endpoint,
    AWS_ENDPOINT_URL_S3: objectStore.endpoint,
    AWS_ENDPOINT_URL_EVENTBRIDGE: awsServices.endpoint,
    AWS_ENDPOINT_URL: awsServices.endpoint, // a service that has no stand-in is refused here, not asked for in AWS
    STAFF_POOL_ID: userPools.staff.id,
    PATIENT_POOL_ID: userPools.patients.id,
    USER_POOL_JWKS: JSON.stringify(userPools.jwks),
    POLICY: JSON.stringify(options.policy ?? {}),
    REMINDER_MINUTES: '[1440]',
    WEBHOOK_HOSTS: JSON.stringify(['http://localhost:*', 'http://127.0.0.1:*']),
    KNOWLEDGE_PACK: options.knowledgePack ?? '',
  });
  running.push(restore);

  if (store.pid !== undefined && store.hadTable) await settleLeftBehind(tableName, bucketName);
  const poller = await startStreamPoller({
    endpoint: store.endpoint,
    tableName,
    folder: folder.positions,
    consumers,
    load,
    trim: store.trimStream,
  });
  running.push(poller.stop);
  const queuePollers = queues
    .filter(({ consumer }) => queueConsumers.includes(consumer))
    .map(({ queue, consumer }) => startQueuePoller(queue, consumer, load));
  running.push(...queuePollers.map(({ stop: stopPolling }) => stopPolling));
  running.push(startExpirySweeper({ endpoint: store.endpoint, tableName }).stop);
  running.push(startScheduler(schedule, load).stop);

  const authorize = cognitoAuthorizer({ jwks: userPools.jwks, scope: gatewayScope });
  const local = {
    '/_local': {
      cognito: awsServices.endpoint,
      userPoolId: userPools.staff.id,
      patientPoolId: userPools.patients.id,
      clientId: userPools.staff.clientId,
      patientClientId: userPools.patients.clientId,
      events: `${awsServices.endpoint}/_events`,
      dynamodb: store.endpoint,
      table: tableName,
      objects: objectStore.endpoint,
      bodies: bucketName,
      digests: digestBucketName,
      keys: awsServices.endpoint,
      digestKey: keyService.digestKeyId,
      deadLetters: queues.map(({ consumer: { name }, queue }) => ({
        name,
        url: queue.deadUrl,
        arn: queue.deadArn,
        holds: name,
      })),
    },
  };
  const token = (username: string, password = localPassword) => userPools.accessToken(username, password);
  if (options.poolFunctions !== false) await enterApplications();
  if (options.seed !== false) {
    const backDoor = await startGateway(0, { routes, load, authorize });
    const baseUrl = `http://127.0.0.1:${backDoor.port}/fhir`;
    const tokenOf = (organization: OrganizationId) => token(`system@${organization}.example`);
    try {
      await seedDirectory(baseUrl, tokenOf);
      if (options.demo) {
        const { seedPatients } = await import('../demo/seed-patients.ts');
        const { patient } = await seedPatients(baseUrl, tokenOf, Date.now());
        if (patient !== undefined) {
          await userPools.addPatient(patient);
          const { seedProxy } = await import('../demo/seed-proxy.ts');
          const { child, person } = await seedProxy(baseUrl, (role) => token(`${role}@northside.example`));
          await userPools.addProxy(child, person);
        }
      }
    } finally {
      await backDoor.stop();
    }
  }
  const gateway = await startGateway(port, { routes, load, authorize, local });
  running.push(gateway.stop);
  return {
    port: gateway.port,
    url: `http://localhost:${gateway.port}/fhir`,
    userPools,
    token,
    events: (after = 0) => bus.after(after),
    settled: poller.settled,
    delivered: async () => {
      await poller.settled();
      await Promise.all(queuePollers.map(({ idle }) => idle()));
    },
    lost: store.lost,
    stop,
  };
};

/** @throws CannotStart with what is wrong with a pack of order checks. */
const requirePack = async (file: string): Promise<void> => {
  const { checkedPack } = await import('../knowledge-pack.ts');
  await checkedPack(file).catch((error: unknown) => {
    throw new CannotStart(`KNOWLEDGE_PACK=${file}: ${(error as Error).message}`);
  });
};

/** What the pools ask and tell. */
const poolFunctions = (load: LoadHandler): Pick<UserPoolsOptions, 'addTokenClaims' | 'tell'> => ({
  addTokenClaims: {
    staff: trigger(load, tokenClaimsEntries.staff),
    patients: trigger(load, tokenClaimsEntries.patients),
  },
  tell: async (event) => {
    await (await load(followPoolEntry))(event, lambdaContext(followPoolEntry, 60_000));
  },
});

const trigger =
  (load: LoadHandler, entry: string) =>
  async (event: TokenEvent): Promise<TokenEvent> =>
    (await (
      await load(entry)
    )(event, lambdaContext(entry, 5_000))) as TokenEvent;

/** Sets variables, and returns what puts them back: a later stack in this process must not find an earlier one's. */
const setEnvironment = (variables: Readonly<Record<string, string>>) => {
  const before = Object.keys(variables).map((name): [string, string | undefined] => [name, process.env[name]]);
  Object.assign(process.env, variables);
  return () => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
};

/** Enters the applications of the local stack, as an administrator enters those of a deployment. What was ended stays so. */
const enterApplications = async (): Promise<void> => {
  const client = documentClient();
  const table = { client, tableName };
  await Promise.all(localApplications(Date.now()).map((application) => addApplication(table, application)));
  client.destroy();
};

/** A store and whether it had the table before. */
type OpenedStore = LocalDynamoDb & { readonly hadTable: boolean };

const openStore = async (options: ConcordOptions, dbPath: string): Promise<OpenedStore> => {
  const { dynamoDbEndpoint: endpoint, reset, scratch, dataDir } = options;
  const removeAfter = scratch ? dataDir : undefined;
  const store = endpoint === undefined ? await startDynamoDb({ dbPath, removeAfter }) : elsewhere(endpoint);
  const client = new DynamoDBClient({ endpoint: store.endpoint });
  try {
    if (endpoint !== undefined) await requireAnswer(client, endpoint);
    if (endpoint !== undefined && reset) await deleteTable(client);
    const isNew = await createTable(client, tableName);
    return { ...store, hadTable: !isNew };
  } catch (error) {
    await store.stop();
    throw error;
  } finally {
    client.destroy();
  }
};

/** A DynamoDB that somebody else runs: its stream is its own business. */
const elsewhere = (endpoint: string): LocalDynamoDb => ({
  endpoint,
  pid: undefined,
  trimStream: () => undefined,
  lost: new Promise(() => undefined),
  stop: () => Promise.resolve(),
});

const requireAnswer = async (client: DynamoDBClient, endpoint: string) => {
  try {
    await client.send(new ListTablesCommand({ Limit: 1 }));
  } catch (error) {
    throw new CannotStart(
      `No DynamoDB answers at DYNAMODB_ENDPOINT=${endpoint}: ${(error as Error).message}\nStart it, or unset DYNAMODB_ENDPOINT to use the embedded one.`,
    );
  }
};

const deleteTable = async (client: DynamoDBClient) => {
  try {
    await client.send(new DeleteTableCommand({ TableName: tableName }));
    await waitUntilTableNotExists({ client, maxWaitTime: 60 }, { TableName: tableName });
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ResourceNotFoundException') throw error;
  }
};
