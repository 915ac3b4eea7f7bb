import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { inject, vi } from 'vitest';
import { bundlesOf, type FunctionBundle, writeBundle } from '../../infra/bundle-function.ts';
import { functionEntries } from '../../infra/concord-stacks.ts';

export interface DeployedFunctions {
  /** The folder of a function such as `functions/records/patient.ts`: `index.js`, and what it reads beside it. */
  readonly folderOf: (entry: string) => string;
  readonly bundleOf: (entry: string) => FunctionBundle;
}

/** What is known of a bundle besides its files. */
interface Listed extends Pick<FunctionBundle, 'inputs'> {
  readonly beside: readonly Omit<FunctionBundle['beside'][number], 'contents'>[];
}
type List = Readonly<Record<string, Listed>>;

/**
 * All functions as they are deployed, to be read. The worker that needs them first bundles them for all others of this run, which wait for
 * it: that takes some ten seconds of a core.
 *
 * @throws Error where they were not bundled.
 */
export const deployedFunctions = async (): Promise<DeployedFunctions> => {
  const folder = path.join(inject('folderOfRun'), 'functions');
  const list = `${folder}.json`;
  if (isFirst(folder)) await bundleAll(folder, list);
  const text = await vi.waitFor(() => readFileSync(list, 'utf8'), { timeout: 280_000, interval: 100 });
  const { listed, failed } = JSON.parse(text) as { readonly listed?: List; readonly failed?: string };
  if (!listed) throw new Error(`The functions were not bundled: ${failed}`);

  const folderOf = (entry: string) => path.join(folder, indexOf(entry));
  const bundleOf = (entry: string): FunctionBundle => {
    const { inputs, beside } = listed[entry] ?? missing(entry);
    const contentsOf = (name: string) => readFileSync(path.join(folderOf(entry), name));
    return {
      code: contentsOf('index.js'),
      inputs,
      beside: beside.map((file) => ({ ...file, contents: contentsOf(file.name) })),
    };
  };
  return { folderOf, bundleOf };
};

const missing = (entry: string): never => {
  throw new Error(`${entry} is no function that is deployed`);
};

const indexOf = (entry: string): string => {
  const index = functionEntries.indexOf(entry);
  return index < 0 ? missing(entry) : String(index);
};

/** Whether nobody else has made this folder before. */
const isFirst = (folder: string): boolean => {
  try {
    mkdirSync(folder);
    return true;
  } catch {
    return false;
  }
};

const bundleAll = async (folder: string, list: string): Promise<void> => {
  const told = await bundledInto(folder).catch((error: unknown) => ({ failed: String(error) }));
  writeFileSync(`${list}.new`, JSON.stringify(told));
  renameSync(`${list}.new`, list); // whole or not at all
};

const bundledInto = async (folder: string): Promise<{ readonly listed: List }> => {
  const listed: Record<string, Listed> = {};
  for (const [entry, bundle] of await bundlesOf(functionEntries)) {
    writeBundle(bundle, path.join(folder, indexOf(entry)));
    const { inputs, beside } = bundle;
    listed[entry] = { inputs, beside: beside.map((file) => ({ ...file, contents: undefined })) };
  }
  return { listed };
};
