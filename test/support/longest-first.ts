import { existsSync } from 'node:fs';
import path from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const root = path.resolve(import.meta.dirname, '..');

/**
 * Files that take more than some five seconds of a core, the longest first. On a clean machine vitest knows no durations and goes by the size of a file, which begins
 * with tables of cases; these would come last, and one worker would end them alone.
 */
export const longest: readonly string[] = [
  'local/kills',
  'infra/synth',
  'model/staged-protocol',
  'local/demo',
  'infra/deployed',
  'http/inference',
  'unit/openapi-document',
  'infra/api-stack',
  'http/delete-races',
  'store/settle-transaction',
  'http/search-count',
  'http/search-agreement',
  'store/staged-transaction',
  'http/type-history',
  'http/large-records',
  'http/moves',
  'store/schedules',
  'http/largest-transaction',
  'http/mutated-requests',
  'http/hl7-v2-orders',
  'http/paging-under-change',
  'http/large-chart',
  'http/read-after-write',
  'store/large-bodies',
  'local/commands',
  'unit/generated',
  'http/validate-agreement',
].map((name) => path.join(root, `${name}.test.ts`));

const gone = longest.find((file) => !existsSync(file));
if (gone !== undefined) throw new Error(`There is no ${gone}: name the file that took its place`);

/** Runs the longest files first, and the rest as vitest does. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = longest.indexOf(moduleId);
      return at < 0 ? longest.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
