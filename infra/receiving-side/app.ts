import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { App } from 'aws-cdk-lib';
import { bundleFunctions } from '../bundle-function.ts';
import { cdkContext } from '../cdk-context.ts';
import { ReceivingStack } from './receiving-stack.ts';
import { parseSettings } from './settings.ts';

// Writes the CloudFormation template of a receiving side: `npm run synth:receiving -- --settings mine.json`. Under CDK's CLI, the file is named by RECEIVING_SETTINGS.

const entry = 'infra/receiving-side/handler.ts';

/** Writes the template of a receiving side, and the code of its function beside it, into a folder. */
export const synthReceiving = async (settings: unknown, outdir: string) => {
  const parsed = parseSettings(settings);
  const bundles = mkdtempSync(path.join(tmpdir(), 'concord-receiving-'));
  try {
    const app = new App({ outdir, context: cdkContext });
    const folderOf = await bundleFunctions([entry], bundles);
    const { region, organization } = parsed;
    new ReceivingStack(app, 'concord-receiving', {
      settings: parsed,
      code: folderOf(entry),
      env: { region },
      description: `What ${organization} hears from Concord`,
      terminationProtection: true,
    });
    return app.synth();
  } finally {
    rmSync(bundles, { recursive: true, force: true });
  }
};

if (import.meta.main) {
  const { values } = parseArgs({ options: { settings: { type: 'string' }, output: { type: 'string' } } });
  const file =
    values.settings ?? process.env.RECEIVING_SETTINGS ?? path.join(import.meta.dirname, 'settings.example.json');
  const outdir = process.env.CDK_OUTDIR ?? path.resolve(values.output ?? 'cdk.out.receiving');
  await synthReceiving(JSON.parse(readFileSync(file, 'utf8')), outdir);
  console.log(`The template is in ${path.relative(process.cwd(), outdir)}`);
}
