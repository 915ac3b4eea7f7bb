import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type BuildOptions, build, type Metafile } from 'esbuild';
import { codeBeside, lazyCode } from './lazy-code.ts';
import { dataFilesOf, type FileBeside, lazyData } from './lazy-data.ts';
import { lending } from './lent-code.ts';
import { packTexts } from './pack-texts.ts';
import { leanSdk, replacedPackages } from './sdk/lean-sdk.ts';

const root = path.resolve(import.meta.dirname, '..');

/** One CommonJS file, minified: it initialises faster than an ES module, which would load `undici` with `node:http`. */
const deployed = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  mainFields: ['module', 'main'],
  alias: replacedPackages,
  plugins: [packTexts, lazyData, lazyCode, lending, leanSdk],
  legalComments: 'none',
} as const satisfies BuildOptions;

/** What a function is deployed as. */
export interface FunctionBundle {
  /** `index.js` */
  readonly code: Uint8Array;
  /** What it reads and loads beside it, when it first needs it. */
  readonly beside: readonly FileBeside[];
  /** The sources in it, relative to the project. */
  readonly inputs: readonly string[];
}

/**
 * Bundles functions as they are deployed, and keeps them in memory. One run for all is much quicker than one for each, because they share
 * most of their sources.
 *
 * @param entries - such as `functions/records/patient.ts`.
 */
export const bundlesOf = async <Entry extends string>(
  entries: readonly Entry[],
): Promise<ReadonlyMap<Entry, FunctionBundle>> => {
  const { outputFiles, metafile } = await build({
    ...deployed,
    entryPoints: entries.map((entry, index) => ({ in: path.join(root, entry), out: String(index) })),
    outdir: path.join(root, 'never-written'),
    write: false,
    metafile: true,
  });
  const files = new Map(outputFiles.map((file) => [path.basename(file.path), file.contents]));
  const outputs = Object.entries(metafile.outputs).map(([file, output]) => [path.basename(file), output] as const);
  return new Map(
    await Promise.all(
      outputs.map(async ([name, output]): Promise<[Entry, FunctionBundle]> => {
        const [entry, code] = [entries[Number.parseInt(name, 10)], files.get(name)];
        if (entry === undefined || !code) throw new Error(`esbuild made ${name} of nothing`);
        const inputs = usedIn(output);
        return [entry, { code, beside: await filesBeside(inputs), inputs }];
      }),
    ),
  );
};

/** One of them alone. */
export const bundleFunction = async (entry: string): Promise<FunctionBundle> => {
  const bundle = (await bundlesOf([entry])).get(entry);
  if (!bundle) throw new Error(`esbuild made nothing of ${entry}`);
  return bundle;
};

/** The sources of which something is left in a bundle. */
const usedIn = ({ inputs }: Metafile['outputs'][string]): string[] =>
  Object.entries(inputs).flatMap(([name, { bytesInOutput }]) => (bytesInOutput > 0 ? [name] : []));

/** What lies beside a bundle, by its inputs: code, and the data that it or that code reads. */
const filesBeside = async (inputs: readonly string[]): Promise<FileBeside[]> => {
  const code = await codeBeside(inputs, deployed);
  const data = await dataFilesOf([...new Set([inputs, ...code.map((file) => file.inputs)].flat())]);
  return [...code, ...data];
};

/** Finds the folder with the bundle of an entry such as `functions/records/patient.ts`: `index.js`, and the data that it reads. */
export type BundleFolder = (entry: string) => string;

/** Writes a bundle into a folder of its own, as a function is deployed. */
export const writeBundle = ({ code, beside }: FunctionBundle, folder: string): void => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'index.js'), code);
  for (const { name, contents } of beside) writeFileSync(path.join(folder, name), contents);
};

/**
 * Bundles functions as they are deployed, each into a folder of its own.
 *
 * @returns finds the folder of an entry; throws Error for one that was not bundled.
 */
export const bundleFunctions = async (entries: readonly string[], folder: string): Promise<BundleFolder> => {
  const outputs = new Map(entries.map((entry) => [entry, path.join(folder, entry.replace(/^functions\/|\.ts$/g, ''))]));
  for (const [entry, bundle] of await bundlesOf(entries)) writeBundle(bundle, outputs.get(entry) ?? '');
  return (entry) => {
    const output = outputs.get(entry);
    if (output === undefined) throw new Error(`${entry} was not bundled`);
    return output;
  };
};
