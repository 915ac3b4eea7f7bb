import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { builtInPack } from '../shared/order-checks/built-in.ts';
import { ownPack } from '../shared/order-checks/own-pack.ts';
import type { BundleFolder } from './bundle-function.ts';

/** Name of the file beside each function that checks orders. */
export const packFile = 'knowledge-pack.json';

/**
 * The text of a deployment's own pack, once it was found to be one: a wrong pack stops a deployment, and not a prescriber.
 *
 * @throws PackError with each row that is wrong; Error for a file that cannot be read.
 */
export const checkedPack = async (file: string): Promise<string> => {
  const content = await readFile(path.resolve(import.meta.dirname, '..', file), 'utf8');
  ownPack(content, await builtInPack());
  return content;
};

/** Puts the pack of a stage beside functions that were bundled. Nothing for a stage without one. */
export const addPack = async (
  file: string | undefined,
  entries: readonly string[],
  bundleFolder: BundleFolder,
): Promise<void> => {
  if (file === undefined) return;
  const content = await checkedPack(file);
  await Promise.all(entries.map((entry) => writeFile(path.join(bundleFolder(entry), packFile), content)));
};
