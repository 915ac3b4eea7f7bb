import { execFile } from 'node:child_process';
import { globSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { bundleFunctions, bundlesOf, type FunctionBundle } from '../../infra/bundle-function.ts';
import { median } from './median.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** A function as it is deployed. */
export interface Bundled {
  /** Its source, relative to the project. */
  readonly entry: string;
  /** Of its code. */
  readonly bytes: number;
  /** Of the data beside it, packed. */
  readonly dataBytes: number;
}

/** Sources of all functions. */
export const functionEntries = (): string[] =>
  globSync('functions/**/*.ts', { cwd: root })
    .map((entry) => entry.replaceAll('\\', '/'))
    .sort();

/** Serves one record type, and so has the smaller budget. */
export const servesOneType = (entry: string): boolean => entry.startsWith('functions/records/');

export const bundleSizes = async (entries: readonly string[]): Promise<Bundled[]> =>
  [...(await bundlesOf(entries))].map(([entry, bundle]) => sizeOf(entry, bundle));

export const sizeOf = (entry: string, { code, beside }: FunctionBundle): Bundled => ({
  entry,
  bytes: code.length,
  dataBytes: beside.reduce((sum, { contents }) => sum + contents.length, 0),
});

/** What loading a function costs a fresh process, as a multiple of the same packages without it. */
export interface Initialisation {
  readonly entry: string;
  /** CPU time. A load waits for nothing (test/infra/initialisation.test.ts), so on a machine of its own it is the time that passes. */
  readonly milliseconds: number;
  readonly toHelloWorld: number;
  readonly runs: number;
}

export interface Initialisations {
  readonly functions: readonly Initialisation[];
  /** The hello-world bundled by esbuild alone, without what the project leaves out of the SDK, as a multiple of the one bundled alike. */
  readonly plainHelloWorld: number;
}

export const helloWorld = 'test/bench/hello-world.ts';
/** Times that each function is loaded; the largest ones of a record type, which the budget is about, more often. */
export const initialisationRuns = { each: 9, largest: 31 } as const;
const largestCount = 3;

/** Loads a bundle as Lambda does, and prints how many milliseconds of CPU time that took. */
const loader = `const before = process.cpuUsage();
require(process.argv[1]);
const { user, system } = process.cpuUsage(before);
console.log((user + system) / 1_000);
process.exit(0)`;

const bundledPlainly = async (entry: string): Promise<Uint8Array> => {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [path.join(root, entry)],
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    mainFields: ['module', 'main'],
    legalComments: 'none',
    write: false,
  });
  return outputFiles[0]?.contents ?? new Uint8Array();
};

/** Loads functions in fresh processes, in turn, and compares medians. */
export const initialisations = async (entries: readonly string[]): Promise<Initialisations> => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'concord-bench-'));
  try {
    const plainly = path.join(folder, 'plain-hello-world.js');
    writeFileSync(plainly, await bundledPlainly(helloWorld));
    const folderOf = await bundleFunctions([helloWorld, ...entries], folder);
    const indexes = [helloWorld, ...entries].map((entry) => path.join(folderOf(entry), 'index.js'));
    const paths = [plainly, ...indexes];
    const sizes = entries.map((entry) =>
      servesOneType(entry) ? statSync(path.join(folderOf(entry), 'index.js')).size : 0,
    );
    const large = [...sizes].sort((a, b) => b - a)[largestCount - 1] ?? 0;
    const files = paths.map((file, index) => {
      const often = index < 2 || (sizes[index - 2] ?? 0) >= large;
      return { file, runs: often ? initialisationRuns.largest : initialisationRuns.each, taken: [] as number[] };
    });
    for (let run = 0; run < initialisationRuns.largest; run++) {
      for (const { file, runs, taken } of files) {
        if (run >= runs) continue;
        const { stdout } = await promisify(execFile)(process.execPath, ['-e', loader, file]);
        taken.push(Number(stdout));
      }
    }
    const [plain, hello, ...own] = files.map(({ taken }) => taken);
    // Of the same rounds: what else the machine does changes while the others are loaded.
    const toHelloWorld = (taken: readonly number[] = []) =>
      median(taken) / median((hello ?? []).slice(0, taken.length));
    const functions = entries.map((entry, index) => {
      const taken = own[index] ?? [];
      return { entry, milliseconds: median(taken), toHelloWorld: toHelloWorld(taken), runs: taken.length };
    });
    return { functions, plainHelloWorld: toHelloWorld(plain) };
  } finally {
    rmSync(folder, { recursive: true });
  }
};
