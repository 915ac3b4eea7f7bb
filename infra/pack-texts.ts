import { brotliCompressSync } from 'node:zlib';
import type { Plugin } from 'esbuild';
import { exportedTexts } from './exported-texts.ts';

/** The store's dictionaries, the units of measure, short forms of names, the compartments: modules that export nothing but long texts. */
const longTexts =
  /[\\/](?:dictionaries[\\/]dictionary-\d+|ucum-units|nickname-groups|search-parameters[\\/]compartments)\.ts$/;

/**
 * Packs long texts into deployed bundles, which unpack them when they are loaded, in a fifth of a millisecond: 24 KB become 10. The
 * sources stay as they are, and so do the bytes that a function works with.
 */
export const packTexts: Plugin = {
  name: 'pack-texts',
  setup: (build) => {
    build.onLoad({ filter: longTexts }, async ({ path }) => {
      const exported = Object.entries(await exportedTexts(path)).map(([name, text]) => {
        const packed = brotliCompressSync(text).toString('base64');
        return `export const ${name} = brotliDecompressSync(Buffer.from('${packed}', 'base64')).toString();`;
      });
      return { contents: [`import { brotliDecompressSync } from 'node:zlib';`, ...exported].join('\n'), loader: 'js' };
    });
  },
};
