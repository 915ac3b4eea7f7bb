import path from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { type FileBeside, fileBeside } from './lazy-data.ts';
import { borrowedBy, borrowing, lending } from './lent-code.ts';

const namespace = 'lazy-code';
const root = path.resolve(import.meta.dirname, '..');

/**
 * Code that few requests need: a module named `….lazy.ts`, imported by `await import(…)` alone. It becomes a file beside a function's code, with
 * whatever it imports and the function does not lend (infra/lent-code.ts), and is compiled when it is first needed. Of what is not lent both
 * files hold their own, so it may keep nothing in mind: what the two must share, such as the spelling of decimals, is lent, or shared by the
 * process (shared/fhir/json.ts).
 */
export const lazyCode: Plugin = {
  name: namespace,
  setup: (bundling) => {
    bundling.onResolve({ filter: /\.lazy\.ts$/ }, ({ path: named, resolveDir, kind }) => {
      if (kind === 'entry-point') return undefined;
      if (kind === 'dynamic-import') return { path: path.join(resolveDir, named), namespace };
      return { errors: [{ text: `${named} is code that is imported when it is needed: await import('${named}')` }] };
    });
    bundling.onLoad({ filter: /.*/, namespace }, ({ path: source }) => ({
      contents: `
        const { join } = require('node:path');
        module.exports = require(join(__dirname, '${fileName(source)}'));`,
    }));
  },
};

const fileName = (source: string): string => fileBeside(source, '.js');

/** A name of an input, as esbuild tells it: `lazy-code:` and the path of the source. */
const sourceOf = (input: string): string | undefined =>
  input.startsWith(`${namespace}:`) ? input.slice(namespace.length + 1) : undefined;

/** A file of code beside the code of a function, and what is left in it of which sources. */
export interface CodeBeside extends FileBeside {
  readonly inputs: readonly string[];
}

/**
 * The files of code that a bundle may load, by its inputs: those that it loads itself, and those that these load in turn.
 *
 * @throws Error if one borrows what the bundle does not have.
 */
export const codeBeside = async (inputs: readonly string[], options: BuildOptions): Promise<CodeBeside[]> => {
  const files = new Map<string, CodeBeside>();
  const add = async (loading: readonly string[]): Promise<void> => {
    const sources = loading.flatMap((input) => sourceOf(input) ?? []).filter((source) => !files.has(source));
    const found = await Promise.all(
      sources.map(async (source) => [source, await (made.get(source) ?? make(source, options))] as const),
    );
    for (const [source, file] of found) files.set(source, file);
    for (const [, file] of found) await add(file.inputs);
  };
  await add(inputs);
  for (const { name, inputs: used } of files.values()) {
    const missing = borrowedBy(used).filter((module) => !inputs.includes(module));
    if (missing.length > 0)
      throw new Error(`${name} borrows ${missing.join(', ')} of a function that has no such module`);
  }
  return [...files.values()];
};

/** Nearly all functions have the same files. */
const made = new Map<string, Promise<CodeBeside>>();

const make = (source: string, options: BuildOptions): Promise<CodeBeside> => {
  const making = bundled(source, options);
  made.set(source, making);
  return making;
};

const bundled = async (source: string, options: BuildOptions): Promise<CodeBeside> => {
  const { outputFiles, metafile } = await build({
    ...options,
    plugins: [borrowing, ...(options.plugins ?? []).filter((plugin) => plugin !== lending)],
    entryPoints: [source],
    write: false,
    metafile: true,
  });
  const [file] = outputFiles;
  if (!file) throw new Error(`esbuild made nothing of ${path.relative(root, source)}`);
  const inputs = Object.values(metafile.outputs).flatMap(({ inputs: used }) =>
    Object.entries(used).flatMap(([name, { bytesInOutput }]) => (bytesInOutput > 0 ? [name] : [])),
  );
  return { name: fileName(source), contents: file.contents, inputs };
};
