import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');
const cli = path.join(path.dirname(createRequire(import.meta.url).resolve('aws-cdk/package.json')), 'bin/cdk');

/** Runs a program of Node with this process's terminal and environment. Answers its exit status, 1 if a signal ended it. */
const run = (args: readonly string[], output: 'inherit' | 'ignore' = 'inherit'): Promise<number> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...args], { cwd: root, stdio: ['inherit', output, 'inherit'] });
    child.once('error', reject);
    child.once('close', (status) => resolve(status ?? 1));
  });

/**
 * Synthesises a stage into a folder. Needs no account and no network.
 *
 * @param commit - what is checked out, to be told by an output; nobody knows, if absent.
 * @param how - says of what size the stacks are, or nothing.
 */
export const synthesiseInto = (folder: string, stage: string, commit?: string, how?: 'quietly'): Promise<number> =>
  run(
    [
      path.join(root, 'infra/app.ts'),
      '--stage',
      stage,
      '--output',
      folder,
      ...(commit === undefined ? [] : ['--commit', commit]),
    ],
    how ? 'ignore' : 'inherit',
  );

/**
 * What CDK's CLI is run with to deploy the stacks that lie in a folder, each behind those that it uses, one at a time. What is deployed is what was
 * compared: nothing is synthesised again. Whether it may be was asked before.
 */
export const cdkDeployArguments = (folder: string): readonly string[] => [
  cli,
  'deploy',
  '--all',
  '--app',
  folder,
  '--require-approval=never',
  '--concurrency=1',
  '--progress=events',
  '--no-notices',
  '--no-version-reporting',
];

/** Deploys the stacks that lie in a folder. */
export const deployFolder = (folder: string): Promise<number> => run(cdkDeployArguments(folder));
