import path from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import type { Plugin } from 'esbuild';
import { exportedTexts } from './exported-texts.ts';

const namespace = 'lazy-data';
const root = path.resolve(import.meta.dirname, '..');

/** What every function needs that reads stored bodies, when it is loaded: in a file its bytes are fewer than in code, and nothing has to parse them. */
const dictionaries = /[\\/]dictionaries[\\/]dictionary-\d+\.ts$/;

/**
 * Data that few requests need: a module named `….data.ts`, which exports texts and nothing else and is imported by `await import(…)` alone. It
 * becomes a file beside a function's code, which reads and unpacks it when it first comes to that import, not when it is loaded. The store's
 * dictionaries lie beside the code likewise, and are read as it is loaded.
 */
export const lazyData: Plugin = {
  name: namespace,
  setup: (build) => {
    build.onResolve({ filter: /\.data\.ts$/ }, ({ path: named, resolveDir, kind }) => {
      if (kind === 'dynamic-import') return { path: path.join(resolveDir, named), namespace };
      return { errors: [{ text: `${named} is data that is imported when it is needed: await import('${named}')` }] };
    });
    build.onResolve({ filter: dictionaries }, ({ path: named, resolveDir }) => ({
      path: path.join(resolveDir, named),
      namespace,
    }));
    build.onLoad({ filter: /.*/, namespace }, ({ path: source }) => ({ contents: readsBeside(fileName(source)) }));
  },
};

/** CommonJS: what fails to be read is tried again at the next import, and never taken for read. */
const readsBeside = (name: string): string => `
  const { readFileSync } = require('node:fs');
  const { join } = require('node:path');
  const { brotliDecompressSync } = require('node:zlib');
  module.exports = JSON.parse(brotliDecompressSync(readFileSync(join(__dirname, '${name}'))).toString());`;

/** The way to the source is in the name, so that no two are called the same: `shared-search-units.data.br`. */
export const fileBeside = (source: string, extension: string): string =>
  path.relative(root, source).replaceAll(/[\\/]/g, '-').replace(/\.ts$/, extension);

const fileName = (source: string): string => fileBeside(source, '.br');

/** A file beside the code of a function. */
export interface FileBeside {
  readonly name: string;
  /** Code, or the texts of a source as JSON, `{ [export]: text }`, packed with Brotli. */
  readonly contents: Uint8Array;
}

/** A name of an input, as esbuild tells it: `lazy-data:` and the path of the source. */
const sourceOf = (input: string): string | undefined =>
  input.startsWith(`${namespace}:`) ? input.slice(namespace.length + 1) : undefined;

/** The files that a bundle reads, by its inputs. */
export const dataFilesOf = async (inputs: readonly string[]): Promise<FileBeside[]> => {
  const sources = inputs.flatMap((input) => sourceOf(input) ?? []);
  return Promise.all(
    sources.map(async (source) => ({ name: fileName(source), contents: await (packed.get(source) ?? pack(source)) })),
  );
};

/** Nearly all functions read the same files, and packing one well takes half a second a megabyte. */
const packed = new Map<string, Promise<Uint8Array>>();

const pack = (source: string): Promise<Uint8Array> => {
  const packing = exportedTexts(source).then((texts) => {
    // Half of the time packs to within three hundredths of what the best quality does: 11, which takes a second a megabyte.
    const params = { [constants.BROTLI_PARAM_QUALITY]: 10 };
    return brotliCompressSync(JSON.stringify(texts), { params });
  });
  packed.set(source, packing);
  return packing;
};
