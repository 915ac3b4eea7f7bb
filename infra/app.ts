import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { App } from 'aws-cdk-lib';
import { bundleFunctions } from './bundle-function.ts';
import { addConcord, cdkContext, functionEntries } from './concord-stacks.ts';
import { removeAssembly } from './remove-assembly.ts';
import { type StageConfig, stageNamed } from './stages.ts';

// Writes the CloudFormation templates of a stage: `npm run synth -- --stage dev`, or by CDK's CLI, `cdk diff -c stage=dev`.

/** Set where CDK's CLI runs this: it wants the templates elsewhere and shows them itself. */
const { CDK_OUTDIR: cliFolder, CDK_CONTEXT_JSON: cliContext = '{}' } = process.env;

/** @throws Error for an unknown option or stage, in words for whoever typed it. */
const choices = () => {
  const { values } = parseArgs({
    options: {
      stage: { type: 'string', default: (JSON.parse(cliContext) as { stage?: string }).stage ?? 'production' },
      output: { type: 'string', default: path.resolve(import.meta.dirname, '../cdk.out') },
    },
  });
  return { stage: stageNamed(values.stage), outdir: cliFolder ?? path.resolve(values.output) };
};

const synth = async (stage: StageConfig, outdir: string) => {
  if (cliFolder === undefined) removeAssembly(outdir);
  const bundles = mkdtempSync(path.join(tmpdir(), 'concord-synth-'));
  try {
    const app = new App({ outdir, context: cdkContext });
    addConcord(app, stage, await bundleFunctions(functionEntries, bundles));
    const { stacks } = app.synth();
    if (cliFolder !== undefined) return;
    for (const { stackName, template } of stacks) {
      const { Resources } = template as { Resources: Readonly<Record<string, unknown>> };
      console.log(`${stackName}: ${Object.keys(Resources).length} resources`);
    }
    console.log(`The templates are in ${path.relative(process.cwd(), outdir)}`);
  } finally {
    rmSync(bundles, { recursive: true, force: true });
  }
};

let chosen: ReturnType<typeof choices> | undefined;
try {
  chosen = choices();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
if (chosen) await synth(chosen.stage, chosen.outdir);
