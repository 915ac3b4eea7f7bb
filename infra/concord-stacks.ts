import type { App } from 'aws-cdk-lib';
import type { BundleFolder } from './bundle-function.ts';
import { followPoolEntry, tokenClaimsEntries } from './local/pool-functions.ts';
import { queueConsumers } from './local/queue-consumers.ts';
import { scheduledFunctions } from './local/scheduler.ts';
import { streamConsumers } from './local/stream-consumers.ts';
import { routes } from './routes.ts';
import { ApiStack } from './stacks/api.ts';
import { DocumentsStack } from './stacks/documents.ts';
import { RecordsStack } from './stacks/records.ts';
import { replayEntry } from './stacks/recovery.ts';
import { SharingStack } from './stacks/sharing.ts';
import { SignInStack } from './stacks/sign-in.ts';
import type { StageConfig } from './stages.ts';

/** The source of every function that is deployed, each once. */
export const functionEntries: readonly string[] = [
  ...new Set([...routes, ...streamConsumers, ...scheduledFunctions, ...queueConsumers].map(({ entry }) => entry)),
  ...Object.values(tokenClaimsEntries),
  followPoolEntry,
  replayEntry,
];

/**
 * Adds the stacks of a stage to an app. Each uses only those before it: records and documents ← sign-in, sharing, api. The account is whichever
 * deploys, so nothing is looked up.
 */
export const addConcord = (app: App, stage: StageConfig, bundleFolder: BundleFolder) => {
  const env = { region: stage.region };
  const of = (part: string) => ({ stage, env, description: `Concord ${stage.name}: ${part}` });
  const id = (part: string) => `concord-${stage.name}-${part}`;

  const records = new RecordsStack(app, id('records'), { ...of('records'), terminationProtection: stage.protected });
  const documents = new DocumentsStack(app, id('documents'), {
    ...of('documents'),
    terminationProtection: stage.protected,
  });
  const functions = { bundleFolder, logKey: records.logKey };
  const table = {
    tableName: records.table.tableName,
    bucketName: documents.bodies.bucket.bucketName,
    streamArn: records.table.tableStreamArn ?? '',
    resource: {
      tableArn: records.table.tableArn,
      keyArn: records.tableKey.keyArn,
      bucketArn: documents.bodies.bucket.bucketArn,
      bucketKeyArn: documents.bodies.key.keyArn,
      region: stage.region,
    },
  };
  const signIn = new SignInStack(app, id('sign-in'), {
    ...of('sign-in'),
    ...functions,
    table,
    terminationProtection: stage.protected,
  });
  const sharing = new SharingStack(app, id('sharing'), {
    ...of('sharing'),
    ...functions,
    table,
    digests: documents.digests,
    secretsKeyArn: records.secretsKey.keyArn,
    uploadPlanArn: documents.uploadPlanArn,
  });
  const api = new ApiStack(app, id('api'), {
    ...of('api'),
    ...functions,
    table,
    pools: signIn,
    secretsKeyArn: records.secretsKey.keyArn,
  });
  return { records, documents, signIn, sharing, api };
};
