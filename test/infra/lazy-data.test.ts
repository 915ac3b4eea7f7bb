import { execFile } from 'node:child_process';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { bundleFunction, bundleFunctions } from '../../infra/bundle-function.ts';
import { lazyData } from '../../infra/lazy-data.ts';
import * as dictionaries from '../../shared/store/dictionaries/dictionary-1.ts';
import * as source from '../support/lazy-data/greetings.data.ts';
import { removedAfterTest } from '../support/removed-after-test.ts';

const entry = 'test/support/lazy-data/greet.ts';
const dataFile = 'test-support-lazy-data-greetings.data.br';
const probe = path.resolve(import.meta.dirname, '../support/io-probe.ts');

const deployed = async (): Promise<string> => (await bundleFunctions([entry], removedAfterTest()))(entry);

type Greet = () => Promise<Record<string, string>>;
const loaded = (folder: string) =>
  createRequire(import.meta.url)(path.join(folder, 'index.js')) as { greet: Greet; stayQuiet: Greet };

/** What a fresh process reaches for that loads the function and may call what it exports. */
const reachedBy = async (folder: string, called?: string): Promise<unknown> => {
  const file = path.join(folder, 'index.js');
  const run = await promisify(execFile)(process.execPath, [probe, called === undefined ? file : `${file}#${called}`]);
  return JSON.parse(run.stdout) as unknown;
};

describe('data beside a function', () => {
  it('is a file of its own, packed, and not in the code', async () => {
    const { code, beside: data } = await bundleFunction(entry);
    const [file] = data;

    expect(data.map(({ name }) => name)).toEqual([dataFile]);
    expect(file?.contents.length).toBeLessThan(source.greetings.length / 10);
    expect(Buffer.from(code).toString()).not.toContain('Good day');
  });

  it('holds a dictionary of the store byte for byte, and has it in hand as it is loaded', async () => {
    const ofDictionary = 'shared/store/dictionaries/dictionary-1.ts';
    const folder = (await bundleFunctions([ofDictionary], removedAfterTest()))(ofDictionary);
    const { code } = await bundleFunction(ofDictionary);

    expect({ ...createRequire(import.meta.url)(path.join(folder, 'index.js')) }).toEqual({ ...dictionaries });
    expect(code.length).toBeLessThan(dictionaries.dictionary1.length / 10);
  });

  it('is deployed in the folder of the function', async () => {
    const folder = await deployed();
    const { beside: data } = await bundleFunction(entry);

    expect(readdirSync(folder).sort()).toEqual(['index.js', dataFile]);
    expect(statSync(path.join(folder, dataFile)).size).toBe(data[0]?.contents.length);
  });

  it('is what its source exports', async () => {
    const { greet } = loaded(await deployed());

    expect(await greet()).toEqual({ ...source });
  });

  it('is read when it is first needed, not before', async () => {
    const folder = await deployed();

    expect(await reachedBy(folder)).toEqual([]);
    expect(await reachedBy(folder, 'stayQuiet')).toEqual([]);
    expect(await reachedBy(folder, 'greet')).toContain('fs.readFileSync');
  });

  it('is read once', async () => {
    const folder = await deployed();
    const { greet } = loaded(folder);
    await greet();
    rmSync(path.join(folder, dataFile));

    expect(await greet()).toEqual({ ...source });
  });

  it('fails each time where the file is missing', async () => {
    const folder = await deployed();
    rmSync(path.join(folder, dataFile));
    const { greet, stayQuiet } = loaded(folder);

    await expect(greet()).rejects.toThrow('ENOENT');
    await expect(greet()).rejects.toThrow('ENOENT');
    expect(await stayQuiet()).toEqual({});
  });

  it('is refused where an import would have it in the code', async () => {
    const bundling = build({
      entryPoints: [path.resolve(import.meta.dirname, '../support/lazy-data/greet-eagerly.ts')],
      bundle: true,
      write: false,
      plugins: [lazyData],
      logLevel: 'silent',
    });

    await expect(bundling).rejects.toThrow("await import('./greetings.data.ts')");
  });
});
