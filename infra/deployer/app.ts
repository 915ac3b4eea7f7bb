import { readFileSync } from 'node:fs';
import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { cdkContext } from '../cdk-context.ts';
import { DeployerStack } from './deployer-stack.ts';
import { parseSettings } from './settings.ts';

// The roles of a pipeline, deployed once an account by hand: npx cdk deploy --app 'node infra/deployer/app.ts <settings.json>'.

const [file] = process.argv.slice(2);
if (file === undefined) {
  console.error('Name a file of settings, such as a copy of infra/deployer/settings.example.json.');
  process.exitCode = 1;
} else {
  const settings = parseSettings(JSON.parse(readFileSync(path.resolve(file), 'utf8')));
  const app = new App({ context: cdkContext });
  new DeployerStack(app, `concord-${settings.stage}-deployer`, {
    settings,
    env: { region: settings.region },
    description: `Concord ${settings.stage}: who may deploy it from a pipeline`,
  });
  app.synth();
}
