import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { cdkContext } from '../cdk-context.ts';
import { addConcord } from '../concord-stacks.ts';
import type { StageConfig } from '../stages.ts';
import { placeOf } from './acknowledgement.ts';

/** The templates of a stage by the name of their stack, such as `records`, for who reads them: in place of their code the functions hold next to nothing. */
export const templatesOf = (stage: StageConfig): Readonly<Record<string, unknown>> => {
  const folder = mkdtempSync(path.join(tmpdir(), 'concord-templates-'));
  try {
    const code = path.join(folder, 'code');
    mkdirSync(code);
    writeFileSync(path.join(code, 'index.js'), 'exports.handler = () => undefined;');
    const app = new App({ outdir: path.join(folder, 'out'), context: cdkContext });
    addConcord(app, stage, () => code);
    return Object.fromEntries(
      app.synth().stacks.map(({ stackName, template }) => [placeOf(stackName, stage), template as unknown]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
