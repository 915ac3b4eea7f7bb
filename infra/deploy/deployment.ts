import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline/promises';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CommandFailed } from '../cli/command.ts';
import { layoutsIn, releases, unreadBy } from '../releases.ts';
import type { StageConfig } from '../stages.ts';
import { bootstrappedAccount, type ClientOf, outputsOfStack } from './account.ts';
import { type SynthesisedStack, stacksIn } from './assembly.ts';
import type { DeployChoices } from './choices.ts';
import { type Comparison, compare, show, summary } from './comparison.ts';
import { describeLoss } from './losses.ts';
import { hindrances } from './preflight.ts';
import { smoke } from './smoke.ts';
import type { WorkingCopy } from './working-copy.ts';

/** What deploying needs of the outside. */
export interface Surroundings {
  readonly workingCopy: () => Promise<WorkingCopy>;
  /** Synthesises a stage of a commit into a folder; answers an exit status. */
  readonly synthesise: (folder: string, stage: string, commit: string | undefined) => Promise<number>;
  /** Deploys what lies in a folder; answers an exit status. */
  readonly deploy: (folder: string) => Promise<number>;
  /** Says what is wrong with what was deployed. */
  readonly smoke: typeof smoke;
  /** Whether whoever deploys agrees. */
  readonly confirm: (question: string) => Promise<boolean>;
  readonly say: (line: string) => void;
}

interface Prepared {
  readonly clientOf: ClientOf;
  readonly folder: string;
  readonly account: string;
  readonly stacks: readonly SynthesisedStack[];
  readonly comparisons: readonly Comparison[];
}

/** Stacks in such a state cannot be updated. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html */
const stuck = /IN_PROGRESS$|^ROLLBACK_FAILED$|^UPDATE_ROLLBACK_FAILED$|^DELETE_FAILED$/;

/**
 * Deploys a stage: looks for what speaks against it, synthesises, compares with what is deployed, asks, deploys and tries what was deployed.
 *
 * @returns exit status.
 * @throws CommandFailed for whatever stops it, before anything is changed.
 */
export const deployStage = async (choices: DeployChoices, around: Surroundings): Promise<number> =>
  inFolder(async (folder) => {
    const { stage } = choices;
    const copy = await around.workingCopy();
    refuseHindrances(hindrances(stage, copy, choices.uncommitted));
    const commit = copy.changed.length === 0 ? copy.commit : undefined;
    const { account, comparisons, stacks, clientOf } = await prepare(stage, folder, around, commit);
    for (const each of comparisons) around.say(summary(each));
    refuseStuck(comparisons);
    refuseLayouts(comparisons, stage);
    refuseLosses(comparisons, choices, around);
    if (!choices.yes && !(await around.confirm(`Deploy ${stage.name} into account ${account}, ${stage.region}?`)))
      throw new CommandFailed('Nothing was deployed.');
    const status = await around.deploy(folder);
    if (status !== 0) {
      around.say(
        `CDK ended with status ${status}. CloudFormation has taken back the stack that failed; docs/deploy.md says what then.`,
      );
      return status;
    }
    const outputs = await outputsOfAll(clientOf, stacks);
    for (const [name, value] of Object.entries(outputs)) around.say(`${name}: ${value}`);
    const url = outputs[`concord-${stage.name}-api.Url`] ?? '';
    const open = stage.open !== false;
    const wrong = await around.smoke(url, open);
    around.say(wrong ?? (open ? `Concord answers at ${url}` : `Concord is closed at ${url}: 503 to everybody`));
    return wrong === undefined ? 0 : 1;
  });

/** Shows how a stage would differ from what is deployed. Changes nothing. Answers 0. */
export const diffStage = async (stage: StageConfig, around: Surroundings): Promise<number> =>
  inFolder(async (folder) => {
    const { comparisons } = await prepare(stage, folder, around);
    for (const each of comparisons) show(process.stdout, each);
    for (const loss of comparisons.flatMap(({ losses }) => losses)) around.say(`LOSS ${describeLoss(loss)}`);
    return 0;
  });

const inFolder = async (work: (folder: string) => Promise<number>): Promise<number> => {
  const folder = mkdtempSync(path.join(tmpdir(), 'concord-deploy-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const prepare = async (
  stage: StageConfig,
  folder: string,
  around: Surroundings,
  commit?: string,
): Promise<Prepared> => {
  if ((await around.synthesise(folder, stage.name, commit)) !== 0)
    throw new CommandFailed('The stage does not synthesise.');
  const stacks = stacksIn(folder);
  const clients = new Map<string, CloudFormationClient>();
  const clientOf: ClientOf = (region) => {
    const client = clients.get(region) ?? new CloudFormationClient({ region });
    clients.set(region, client);
    return client;
  };
  let account = '';
  for (const region of new Set([stage.region, ...stacks.map((each) => each.region)])) {
    const ready = await bootstrappedAccount(clientOf(region), region);
    account = ready.account;
    const needed = Math.max(...stacks.filter((each) => each.region === region).map((each) => each.bootstrapVersion));
    if (ready.bootstrapVersion < needed) {
      throw new CommandFailed(
        `Account ${account} was made ready with version ${ready.bootstrapVersion} of CDK's stack, and ${needed} is needed: npx cdk bootstrap aws://${account}/${region}`,
      );
    }
  }
  around.say(`Account ${account}, ${stage.region}`);
  return { clientOf, folder, account, stacks, comparisons: await compare(clientOf, stacks) };
};

const refuseHindrances = (found: ReturnType<typeof hindrances>): void => {
  if (found.length > 0)
    throw new CommandFailed(found.map(({ what, remedy }) => `${what}. Please ${remedy}.`).join('\n'));
};

const refuseStuck = (comparisons: readonly Comparison[]): void => {
  const found = comparisons.filter(({ deployed }) => stuck.test(deployed?.status ?? ''));
  if (found.length > 0) {
    const named = found.map(({ name, deployed }) => `${name} is ${deployed?.status}`).join(', ');
    throw new CommandFailed(`${named}: CloudFormation takes no change now. docs/deploy.md says what then.`);
  }
};

/**
 * While stacks are updated, functions of both releases work on the same rows, and afterwards the new ones on all that the old ones wrote. So each has to read what the other writes. A stage that says nothing of
 * layouts is new.
 */
const refuseLayouts = (comparisons: readonly Comparison[], stage: StageConfig): void => {
  const next = releases.at(-1);
  const outputs = comparisons.find(({ name }) => name === `concord-${stage.name}-api`)?.deployed?.outputs;
  const reads = layoutsIn(outputs?.LayoutsRead);
  const writes = layoutsIn(outputs?.LayoutsWritten);
  if (!next || !reads || !writes) return;
  const ahead = unreadBy({ reads }, next);
  if (ahead.length > 0) {
    throw new CommandFailed(
      `What is deployed (${outputs?.Release}) cannot read what this release would write: ${ahead.join('; ')}. Deploy the release between the two first (docs/runbooks/upgrade.md).`,
    );
  }
  const behind = unreadBy(next, { writes });
  if (behind.length > 0) {
    throw new CommandFailed(
      `This release cannot read what the deployed one (${outputs?.Release}) has written: ${behind.join('; ')}. It would refuse these rows. Go back no further than to a release that reads them (docs/runbooks/roll-back.md).`,
    );
  }
};

const refuseLosses = (
  comparisons: readonly Comparison[],
  { allowReplacement }: DeployChoices,
  { say }: Surroundings,
): void => {
  const losses = comparisons.flatMap((each) => each.losses).map(describeLoss);
  if (losses.length === 0) return;
  if (!allowReplacement) {
    throw new CommandFailed(
      `${losses.join('\n')}\nNothing was deployed. If that is what you want, say --allow-replacement; docs/deploy.md says what to look at before.`,
    );
  }
  for (const loss of losses) say(`LOSS ${loss}`);
};

const outputsOfAll = async (
  clientOf: ClientOf,
  stacks: readonly SynthesisedStack[],
): Promise<Readonly<Record<string, string>>> => {
  const outputs: Record<string, string> = {};
  for (const { name, region } of stacks) {
    for (const [key, value] of Object.entries((await outputsOfStack(clientOf(region), name)) ?? {})) {
      if (!key.startsWith('ExportsOutput')) outputs[`${name}.${key}`] = value;
    }
  }
  return outputs;
};

/** Asks on the terminal. Where there is none, nobody agrees. */
export const confirmOnTerminal = async (question: string): Promise<boolean> => {
  if (!process.stdin.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return (await terminal.question(`${question} (yes/no) `)).trim() === 'yes';
  } finally {
    terminal.close();
  }
};
