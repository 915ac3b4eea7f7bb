import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { bundleFunctions } from './bundle-function.ts';
import { cdkContext } from './cdk-context.ts';
import { placeOf } from './compliance/acknowledgement.ts';
import { complianceComplaints } from './compliance/check.ts';
import { addConcord, functionEntries } from './concord-stacks.ts';
import { addPack } from './knowledge-pack.ts';
import { removeAssembly } from './remove-assembly.ts';
import { commitContext } from './stacks/release-outputs.ts';
import { type SynthChoices, synthChoices } from './synth-choices.ts';

// Writes the CloudFormation templates of a stage: `npm run synth -- --stage dev`, or by CDK's CLI, `cdk diff -c stage=dev`.

const synth = async ({ stage, outdir, commit, forCli }: SynthChoices) => {
  if (!forCli) removeAssembly(outdir);
  const bundles = mkdtempSync(path.join(tmpdir(), 'concord-synth-'));
  try {
    const app = new App({ outdir, context: { ...cdkContext, [commitContext]: commit } });
    const bundleFolder = await bundleFunctions(functionEntries, bundles);
    await addPack(stage.knowledgePack, functionEntries, bundleFolder);
    addConcord(app, stage, bundleFolder);
    const { stacks } = app.synth();
    const templates = Object.fromEntries(
      stacks.map(({ stackName, template }) => [placeOf(stackName, stage), template as unknown]),
    );
    const complaints = complianceComplaints(app, templates, stage);
    if (complaints.length > 0) {
      console.error(complaints.join('\n'));
      process.exitCode = 1;
      if (!forCli) removeAssembly(outdir); // what must not be deployed is not left to be
    }
    if (complaints.length > 0 || forCli) return;
    for (const { stackName, template } of stacks) {
      const { Resources } = template as { Resources: Readonly<Record<string, unknown>> };
      console.log(`${stackName}: ${Object.keys(Resources).length} resources`);
    }
    console.log(`The templates are in ${path.relative(process.cwd(), outdir)}`);
  } finally {
    rmSync(bundles, { recursive: true, force: true });
  }
};

let chosen: SynthChoices | undefined;
try {
  chosen = synthChoices(process.argv.slice(2), process.env);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
if (chosen) await synth(chosen);
