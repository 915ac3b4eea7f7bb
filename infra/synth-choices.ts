import path from 'node:path';
import { parseArgs } from 'node:util';
import { type StageConfig, stageNamed } from './stages.ts';

/** What is to be synthesised, and where to. */
export interface SynthChoices {
  readonly stage: StageConfig;
  readonly outdir: string;
  /** What is checked out, to be told by an output. */
  readonly commit: string | undefined;
  /** Whether CDK's CLI runs this: it wants the templates elsewhere and shows them itself. */
  readonly forCli: boolean;
}

/**
 * Reads what was typed, or what CDK's CLI says in its own way: the folder in CDK_OUTDIR and `-c stage=…` in CDK_CONTEXT_JSON.
 *
 * @throws Error for an unknown option or stage, in words for whoever typed it.
 */
export const synthChoices = (
  args: readonly string[],
  { CDK_OUTDIR: cliFolder, CDK_CONTEXT_JSON: cliContext = '{}' }: Readonly<Record<string, string | undefined>>,
): SynthChoices => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      stage: { type: 'string', default: (JSON.parse(cliContext) as { stage?: string }).stage ?? 'production' },
      commit: { type: 'string' },
      output: { type: 'string', default: path.resolve(import.meta.dirname, '../cdk.out') },
    },
  });
  return {
    stage: stageNamed(values.stage),
    outdir: cliFolder ?? path.resolve(values.output),
    commit: values.commit,
    forCli: cliFolder !== undefined,
  };
};
