import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { runCommand } from '../cli/command.ts';
import { countedUnits } from '../cost/counted-units.ts';
import { stageNamed } from '../stages.ts';
import { world } from './assumptions.ts';
import { simulateMorning } from './morning.ts';
import { scalePage } from './page.ts';

// Simulates the morning of a large network: `npm run simulate` prints docs/scale.md, `npm run simulate -- --write` renews it, `--seed 7` draws another morning.

runCommand(async () => {
  const { values } = parseArgs({
    options: { write: { type: 'boolean', default: false }, seed: { type: 'string', default: '1' } },
  });
  const counted = countedUnits();
  const { throttling } = stageNamed('production');
  const morning = simulateMorning(world, counted, throttling.requestsPerSecond, Number(values.seed));
  const page = scalePage(world, morning, counted);
  if (values.write) writeFileSync(path.resolve(import.meta.dirname, '../../docs/scale.md'), page);
  else process.stdout.write(page);
  return 0;
});
