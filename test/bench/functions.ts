import { execFile } from 'node:child_process';
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { bundleFunction } from '../../infra/bundle-function.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** A function as it is deployed. */
export interface Bundled {
  /** Its source, relative to the project. */
  readonly entry: string;
  readonly bytes: number;
}

/** Sources of all functions. */
export const functionEntries = (): string[] =>
  globSync('functions/**/*.ts', { cwd: root })
    .map((entry) => entry.replaceAll('\\', '/'))
    .sort();

/** Serves one record type, and so has the smaller budget. */
export const servesOneType = (entry: string): boolean => entry.startsWith('functions/records/');

export const bundleSizes = async (entries: readonly string[]): Promise<Bundled[]> => {
  const sizes: Bundled[] = [];
  for (const entry of entries) sizes.push({ entry, bytes: (await bundleFunction(entry)).code.length });
  return sizes;
};

/** How long a fresh process takes to load a function, as a multiple of the same packages without it. */
export interface Initialisation {
  readonly entry: string;
  readonly milliseconds: number;
  readonly toHelloWorld: number;
}

export const helloWorld = 'test/bench/hello-world.ts';
const runs = 15;

/** Loads a bundle as Lambda does, and prints how many milliseconds that took. */
const loader =
  'const start = performance.now(); require(process.argv[1]); console.log(performance.now() - start); process.exit(0)';

/** Loads functions in fresh processes, in turn, and compares medians. */
export const initialisations = async (entries: readonly string[]): Promise<Initialisation[]> => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'concord-bench-'));
  try {
    const all = [helloWorld, ...entries];
    const files = await Promise.all(
      all.map(async (entry, index) => {
        const file = path.join(folder, `${index}.cjs`);
        writeFileSync(file, (await bundleFunction(entry)).code);
        return file;
      }),
    );
    const taken = all.map((): number[] => []);
    for (let run = 0; run < runs; run++) {
      for (const [index, file] of files.entries()) {
        const { stdout } = await promisify(execFile)(process.execPath, ['-e', loader, file]);
        taken[index]?.push(Number(stdout));
      }
    }
    const medians = taken.map((each) => each.sort((a, b) => a - b)[Math.floor(runs / 2)] ?? Number.NaN);
    const hello = medians[0] ?? Number.NaN;
    return entries.map((entry, index) => {
      const milliseconds = medians[index + 1] ?? Number.NaN;
      return { entry, milliseconds, toHelloWorld: milliseconds / hello };
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
};
