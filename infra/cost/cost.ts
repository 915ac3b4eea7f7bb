import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { runCommand } from '../cli/command.ts';
import { stacksIn } from '../deploy/assembly.ts';
import { synthesiseInto } from '../deploy/run-cdk.ts';
import { countedUnits } from './counted-units.ts';
import { costPage } from './page.ts';
import { countResources } from './resources.ts';

// Works out what production costs a month: `npm run cost` prints docs/cost.md, `npm run cost -- --write` renews it.

interface RawResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

runCommand(async () => {
  const { values } = parseArgs({ options: { write: { type: 'boolean', default: false } } });
  const folder = mkdtempSync(path.join(tmpdir(), 'concord-cost-'));
  try {
    const status = await synthesiseInto(folder, 'production', 'quietly');
    if (status !== 0) return status;
    const resources = stacksIn(folder).flatMap(({ template }) =>
      Object.values(template.Resources as Readonly<Record<string, RawResource>>).map(({ Type, Properties = {} }) => ({
        type: Type,
        properties: Properties,
      })),
    );
    const page = costPage(countedUnits(), countResources(resources));
    if (values.write) writeFileSync(path.resolve(import.meta.dirname, '../../docs/cost.md'), page);
    else process.stdout.write(page);
    return 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
