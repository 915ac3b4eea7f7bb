import { parseArgs } from 'node:util';
import { CommandFailed } from '../cli/command.ts';
import { type StageConfig, stageNamed } from '../stages.ts';

/** What is to be deployed, and what whoever deploys has said about it. */
export interface DeployChoices {
  readonly stage: StageConfig;
  /** Asks for no confirmation. */
  readonly yes: boolean;
  /** Lets resources that hold something be replaced or removed. */
  readonly allowReplacement: boolean;
  /** Deploys what is in no commit. */
  readonly uncommitted: boolean;
}

/**
 * Reads what was typed behind `npm run deploy --`. A stage has to be named: nothing is deployed to production by leaving something out.
 *
 * @throws CommandFailed for an unknown option or stage, in words for whoever typed it.
 */
export const deployChoices = (args: readonly string[]): DeployChoices => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        stage: { type: 'string' },
        yes: { type: 'boolean', short: 'y', default: false },
        'allow-replacement': { type: 'boolean', default: false },
        uncommitted: { type: 'boolean', default: false },
      },
    });
    if (values.stage === undefined) throw new Error('Name the stage: npm run deploy -- --stage dev');
    const { yes, uncommitted, 'allow-replacement': allowReplacement } = values;
    return { stage: stageNamed(values.stage), yes, allowReplacement, uncommitted };
  } catch (error) {
    throw new CommandFailed((error as Error).message);
  }
};
