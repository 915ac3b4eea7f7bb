import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CommandFailed } from '../cli/command.ts';
import { stacksIn } from '../deploy/assembly.ts';
import { synthesiseInto } from '../deploy/run-cdk.ts';
import { type CountedResources, countResources } from './resources.ts';

interface RawResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

/**
 * Synthesises a stage and counts what costs something by being there.
 *
 * @throws CommandFailed if it does not synthesise.
 */
export const resourcesOfStage = async (stage: string): Promise<CountedResources> => {
  const folder = mkdtempSync(path.join(tmpdir(), 'concord-cost-'));
  try {
    if ((await synthesiseInto(folder, stage, undefined, 'quietly')) !== 0)
      throw new CommandFailed('The stage does not synthesise.');
    const resources = stacksIn(folder).flatMap(({ template }) =>
      Object.values(template.Resources as Readonly<Record<string, RawResource>>).map(({ Type, Properties = {} }) => ({
        type: Type,
        properties: Properties,
      })),
    );
    return countResources(resources);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
