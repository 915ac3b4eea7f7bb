import path from 'node:path';
import { build } from 'esbuild';

const root = path.resolve(import.meta.dirname, '..');

/** What a function is deployed as. */
export interface FunctionBundle {
  /** One CommonJS file, minified: it initialises faster than an ES module, which would load `undici` with `node:http`. */
  readonly code: Uint8Array;
  /** The sources in it, relative to the project. */
  readonly inputs: readonly string[];
}

/**
 * Bundles a function as it is deployed.
 *
 * @param entry - such as `functions/records/patient.ts`.
 */
export const bundleFunction = async (entry: string): Promise<FunctionBundle> => {
  const { outputFiles, metafile } = await build({
    entryPoints: [path.join(root, entry)],
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    mainFields: ['module', 'main'],
    alias: { '@aws-sdk/credential-provider-node': path.join(root, 'infra/lambda-credentials.ts') },
    legalComments: 'none',
  });
  const [file] = outputFiles;
  if (!file) throw new Error(`esbuild made nothing of ${entry}`);
  const inputs = Object.values(metafile.outputs).flatMap(({ inputs: used }) =>
    Object.entries(used).flatMap(([name, { bytesInOutput }]) => (bytesInOutput > 0 ? [name] : [])),
  );
  return { code: file.contents, inputs };
};
