import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { runCommand } from '../cli/command.ts';
import { countedUnits } from './counted-units.ts';
import { costPage } from './page.ts';
import { resourcesOfStage } from './templates.ts';

// Works out what production costs a month: `npm run cost` prints docs/cost.md, `npm run cost -- --write` renews it.

runCommand(async () => {
  const { values } = parseArgs({ options: { write: { type: 'boolean', default: false } } });
  const page = costPage(countedUnits(), await resourcesOfStage('production'));
  if (values.write) writeFileSync(path.resolve(import.meta.dirname, '../../docs/cost.md'), page);
  else process.stdout.write(page);
  return 0;
});
