import path from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { bundleFunction } from '../../infra/bundle-function.ts';
import { borrowedBy, borrowing, lentModules } from '../../infra/lent-code.ts';
import { deployedFunctions } from '../support/deployed-functions.ts';

const root = path.resolve(import.meta.dirname, '../..');

describe('code that a function lends', () => {
  it('is in the function, and not in the files that it loads', async () => {
    const { beside, inputs } = (await deployedFunctions()).bundleOf('functions/records/appointment.ts');
    const code = beside.flatMap((file) => ('inputs' in file ? [file.inputs as readonly string[]] : []));

    expect(lentModules.filter((module) => !inputs.includes(module))).toEqual([]);
    expect(code.flat().filter((input) => lentModules.includes(input))).toEqual([]);
    expect(code.flatMap(borrowedBy).filter((module) => !lentModules.includes(module))).toEqual([]);
    expect(new Set(code.flatMap(borrowedBy)).size).toBeGreaterThan(5);
  });

  it('is refused to a function that has none', async () => {
    await expect(bundleFunction('test/support/lazy-code/borrow-nothing.ts')).rejects.toThrow(
      'test-support-lazy-code-refuse.lazy.js borrows shared/errors.ts',
    );
  });

  it('is known by its names before it is loaded', async () => {
    const bundling = build({
      stdin: {
        contents: `import { NoSuchError } from './errors.ts'; throw NoSuchError;`,
        resolveDir: `${root}/shared`,
      },
      bundle: true,
      write: false,
      plugins: [borrowing],
      logLevel: 'silent',
    });

    await expect(bundling).rejects.toThrow('No matching export');
  });
});
