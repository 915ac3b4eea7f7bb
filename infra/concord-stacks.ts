import { type App, Aws } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { BundleFolder } from './bundle-function.ts';
import { canaryEntry } from './canary.ts';
import { acknowledgeFindings } from './compliance/acknowledge.ts';
import { domainThere } from './domain.ts';
import { followPoolEntry, tokenClaimsEntries } from './local/pool-functions.ts';
import { queueConsumers } from './local/queue-consumers.ts';
import { scheduledFunctions } from './local/scheduler.ts';
import { streamConsumers } from './local/stream-consumers.ts';
import { worksAt } from './recovery-place.ts';
import { routes } from './routes.ts';
import { ApiStack, gatewayStage } from './stacks/api.ts';
import type { BackedUp } from './stacks/backup-roles.ts';
import { BackupsStack } from './stacks/backups.ts';
import { CostStack } from './stacks/cost.ts';
import { DocumentsStack, type DocumentsStackProps } from './stacks/documents.ts';
import { bodyBucketName, fixedNames, tableArnIn } from './stacks/fixed-names.ts';
import { ObservabilityStack } from './stacks/observability.ts';
import { RecordsStack } from './stacks/records.ts';
import { replayEntry } from './stacks/recovery.ts';
import { RecoveryKeysStack } from './stacks/recovery-keys.ts';
import { SharingStack } from './stacks/sharing.ts';
import { SignInStack } from './stacks/sign-in.ts';
import type { StageConfig } from './stages.ts';

/** The source of every function that is deployed, each once. */
export const functionEntries: readonly string[] = [
  ...new Set([...routes, ...streamConsumers, ...scheduledFunctions, ...queueConsumers].map(({ entry }) => entry)),
  ...Object.values(tokenClaimsEntries),
  followPoolEntry,
  replayEntry,
  canaryEntry,
];

/**
 * Adds the stacks of a stage to an app. Each uses only those before it: records and documents ← sign-in, sharing, api ← observability. The account is whichever
 * deploys, so nothing is looked up. With a recovery its keys and documents come first, in their own region: the replica of the table and the copies of bodies need them.
 */
export const addConcord = (app: App, stage: StageConfig, bundleFolder: BundleFolder) => {
  const stacks = addStacks(app, stage, bundleFolder);
  acknowledgeFindings(app, stage);
  return stacks;
};

const addStacks = (app: App, stage: StageConfig, bundleFolder: BundleFolder) => {
  const { recovery } = stage;
  const here = stacksAt(app, stage, '');
  const keysThere =
    recovery &&
    new RecoveryKeysStack(app, `concord-${stage.name}-recovery-keys`, {
      stage,
      region: recovery.region,
      env: { region: recovery.region },
      description: `Concord ${stage.name}: keys of the recovery`,
      terminationProtection: stage.protected,
    });
  const domain = stage.domain && domainThere(stage.domain);
  const there = recovery && stacksAt(app, { ...stage, region: recovery.region, domain }, 'recovery-');
  const documentsThere = there?.documents(recovery?.writer === undefined ? undefined : stage.region);

  const records = here.records();
  if (keysThere) records.addStackDependency(keysThere);
  const documents = here.documents(recovery?.region, trailOf(stage, records));
  if (documentsThere) documents.addStackDependency(documentsThere);
  const backups = here.backups({
    region: stage.region,
    tableArn: records.serving.tableArn,
    tableKeyArn: records.tableKey.keyArn,
    bucketArn: documents.bodies.bucket.bucketArn,
    bucketKeyArn: documents.bodies.key.keyArn,
  });
  const cost = here.cost();
  const services = here.services({
    backups,
    bundleFolder,
    logKey: records.logKey,
    secretsKeyArn: records.secretsKey.keyArn,
    documents,
    tableName: records.serving.tableName,
    tableArn: records.serving.tableArn,
    tableKeyArn: records.tableKey.keyArn,
    streamArn: records.serving.streamArn,
    copiedTo: recovery?.region,
    works: worksAt('here', recovery),
  });
  if (!recovery || !there || !keysThere || !documentsThere)
    return { records, documents, backups, ...services, ...cost };
  const recoveryStacks = { recoveryKeys: keysThere, recoveryDocuments: documentsThere };
  if (!recovery.standby || keysThere.secretsKeyArn === undefined)
    return { ...recoveryStacks, records, documents, backups, ...services, ...cost };
  const { table: tableName } = fixedNames(stage.name);
  const { signIn, sharing, api, observability } = there.services({
    bundleFolder,
    logKey: keysThere.logKey,
    secretsKeyArn: keysThere.secretsKeyArn,
    documents: documentsThere,
    tableName,
    tableArn: tableArnIn(stage.name, recovery.region),
    tableKeyArn: keysThere.tableKey.keyArn,
    streamArn: recovery.standby.streamArn,
    copiedTo: stage.region,
    works: worksAt('there', recovery),
  });
  return {
    ...recoveryStacks,
    records,
    documents,
    backups,
    ...services,
    ...cost,
    recoverySignIn: signIn,
    recoverySharing: sharing,
    recoveryApi: api,
    recoveryObservability: observability,
  };
};

/** What holds records besides the buckets of this region: the table, the one in use if another was restored from it, and what the second region has of both. */
const trailOf = ({ name, recovery }: StageConfig, { table, serving }: RecordsStack) => ({
  tableArns: [...new Set([table.tableArn, serving.tableArn, ...(recovery ? [tableArnIn(name, recovery.region)] : [])])],
  bucketArns: recovery ? [`arn:${Aws.PARTITION}:s3:::${bodyBucketName(name, recovery.region)}`] : [],
});

/** What serves and tells in a region is made over. */
interface Ground {
  readonly bundleFolder: BundleFolder;
  readonly logKey: IKey;
  readonly secretsKeyArn: string;
  readonly documents: DocumentsStack;
  /** Undefined in a second region: what it holds are copies. */
  readonly backups?: BackupsStack;
  readonly tableName: string;
  readonly tableArn: string;
  readonly tableKeyArn: string;
  readonly streamArn: string;
  /** The other region, where there is one. */
  readonly copiedTo: string | undefined;
  /** Whether schedules and streams are followed here: only where the table may be written. */
  readonly works: boolean;
}

/** @param prefix - tells stacks of one region from those of the other one. */
const stacksAt = (app: App, stage: StageConfig, prefix: string) => {
  const { name, region } = stage;
  const id = (part: string) => `concord-${name}-${prefix}${part}`;
  const of = (part: string) => ({ stage, env: { region }, description: `Concord ${name}: ${part}` });
  const kept = { terminationProtection: stage.protected };
  return {
    records: () => new RecordsStack(app, id('records'), { ...of('records'), ...kept }),
    documents: (bodiesCopiedTo: string | undefined, trail?: DocumentsStackProps['trailOf']) =>
      new DocumentsStack(app, id('documents'), { ...of('documents'), ...kept, bodiesCopiedTo, trailOf: trail }),
    /** Once for all regions. */
    cost: () =>
      stage.budget ? { cost: new CostStack(app, id('cost'), { ...of('cost'), name, budget: stage.budget }) } : {},
    backups: (backedUp: BackedUp) => new BackupsStack(app, id('backups'), { ...of('backups'), ...kept, backedUp }),
    services: ({
      bundleFolder,
      logKey,
      secretsKeyArn,
      documents,
      backups,
      streamArn,
      copiedTo,
      works,
      ...ground
    }: Ground) => {
      const functions = { bundleFolder, logKey };
      const table = {
        tableName: ground.tableName,
        bucketName: documents.bodies.bucket.bucketName,
        streamArn,
        resource: {
          tableArn: ground.tableArn,
          keyArn: ground.tableKeyArn,
          bucketArn: documents.bodies.bucket.bucketArn,
          bucketKeyArn: documents.bodies.key.keyArn,
          region,
        },
      };
      const signIn = new SignInStack(app, id('sign-in'), {
        ...of('sign-in'),
        ...functions,
        ...kept,
        table,
        digests: documents.digests,
      });
      const sharing = new SharingStack(app, id('sharing'), {
        ...of('sharing'),
        ...functions,
        table,
        digests: documents.digests,
        secretsKeyArn,
        uploadPlanArn: documents.uploadPlanArn,
        backups,
        copiedTo,
        works,
      });
      const api = new ApiStack(app, id('api'), {
        ...of('api'),
        ...functions,
        table,
        digests: documents.digests,
        pools: signIn,
        secretsKeyArn,
      });
      const observability = new ObservabilityStack(app, id('observability'), {
        ...of('observability'),
        ...functions,
        alarmTopic: sharing.alarmTopic,
        // Names of dashboards are those of the account, not of a region.
        dashboardName: `concord-${name}${prefix && '-recovery'}`,
        works,
        watched: {
          apiName: api.apiName,
          apiUrl: api.url,
          gatewayStage,
          accessLog: api.accessLog,
          firewallName: api.firewallName,
          tableName: ground.tableName,
          consumers: sharing.consumers,
          wakes: sharing.wakes,
        },
      });
      return { signIn, sharing, api, observability };
    },
  };
};
