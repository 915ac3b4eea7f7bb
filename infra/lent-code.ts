import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Plugin } from 'esbuild';

const namespace = 'borrowed-code';
const root = path.resolve(import.meta.dirname, '..');

/**
 * Modules that a function lends to the code that it loads later (infra/lazy-code.ts), so that the process has one of each: what keeps something
 * in mind, what knows its own instances, and what would be much of a file. Any other module that such code imports is in its file once more.
 */
export const lentModules: readonly string[] = [
  'shared/access/decide.ts',
  'shared/errors.ts',
  'shared/fhir/check-invariants.ts',
  'shared/fhir/complex-type.ts',
  'shared/fhir/json.ts',
  'shared/fhir/operation-outcome.ts',
  'shared/fhir/references.ts',
  'shared/fhir/validate.ts',
  'shared/interactions/conditional-match.ts',
  'shared/interactions/parse-body.ts',
  'shared/interactions/plan-write.ts',
  'shared/interactions/require-access.ts',
  'shared/interactions/save.ts',
  'shared/interactions/searchset.ts',
  'shared/interactions/search/matching.ts',
  'shared/interactions/search/open.ts',
  'shared/interactions/search/trace.ts',
  'shared/interactions/security-context.ts',
  'shared/interactions/update.ts',
  'shared/interactions/version-of.ts',
  'shared/log.ts',
  'shared/record-types/homes.ts',
  'shared/record-types/subjects.ts',
  'shared/store/body.ts',
  'shared/store/commit-conditions.ts',
  'shared/store/commit-refusal.ts',
  'shared/store/commit-steps.ts',
  'shared/store/commit.ts',
  'shared/store/keys.ts',
  'shared/store/rows.ts',
  'shared/store/transact-steps.ts',
  'shared/store/transact.ts',
  'shared/store/visibility.ts',
];

/** The commands of DynamoDB come with a module that all have who read or write rows. */
const sdk = '@aws-sdk/lib-dynamodb';
const withSdk = 'shared/store/visibility.ts';
const commands = [
  'BatchGetCommand',
  'BatchWriteCommand',
  'DeleteCommand',
  'GetCommand',
  'PutCommand',
  'QueryCommand',
  'TransactWriteCommand',
  'UpdateCommand',
];

const lent = `globalThis[Symbol.for('concord.lent')]`;
const lends = (name: string, members: readonly string[]): string =>
  `\n(${lent} ??= {})['${name}'] = { ${members.join(', ')} };\n`;

const nameOf = (file: string): string => path.relative(root, file).replaceAll('\\', '/');
const ofModules = (names: readonly string[]): RegExp =>
  new RegExp(`[\\\\/](?:${names.map((name) => name.replaceAll('.', '\\.').replaceAll('/', '[\\\\/]')).join('|')})$`);

/**
 * Values that a module exports.
 *
 * @throws Error for a module that exports otherwise than where it declares, whose exports are not seen here.
 */
const exportsOf = (source: string, name: string): string[] => {
  if (/^export (?:default|\{|\*)/m.test(source)) throw new Error(`${name} can be lent if it exports what it declares`);
  return [...source.matchAll(/^export (?:abstract |async )?(?:const|let|class|function\*?) (\w+)/gm)].map(
    ([, exported = '']) => exported,
  );
};

/** In the code of a function: each of these modules, where the function has it, is there for what comes later. */
export const lending: Plugin = {
  name: 'lending',
  setup: (build) => {
    build.onLoad({ filter: ofModules(lentModules), namespace: 'file' }, async ({ path: file }) => {
      const name = nameOf(file);
      const source = await readFile(file, 'utf8');
      const sdkToo =
        name === withSdk
          ? `import * as sdk from '${sdk}';${lends(
              sdk,
              commands.map((command) => `${command}: sdk.${command}`),
            )}`
          : '';
      const contents = `${source}\n${sdkToo}${lends(name, exportsOf(source, name))}`;
      return { contents, loader: 'ts', resolveDir: path.dirname(file) };
    });
  },
};

/** In code that is loaded later: they are those of the function. */
export const borrowing: Plugin = {
  name: namespace,
  setup: (build) => {
    build.onResolve({ filter: new RegExp(`^${sdk}$`) }, () => ({ path: sdk, namespace }));
    build.onResolve({ filter: /^\..*\.ts$/ }, ({ path: named, resolveDir }) => {
      const name = nameOf(path.join(resolveDir, named));
      return lentModules.includes(name) ? { path: name, namespace } : undefined;
    });
    build.onLoad({ filter: /.*/, namespace }, async ({ path: name }) => {
      const members = name === sdk ? commands : exportsOf(await readFile(path.join(root, name), 'utf8'), name);
      return { contents: `export const { ${members.join(', ')} } = ${lent}['${name}'];` };
    });
  },
};

/** The modules that a file of code borrows, by its inputs. */
export const borrowedBy = (inputs: readonly string[]): string[] =>
  inputs
    .filter((input) => input.startsWith(`${namespace}:`))
    .map((input) => input.slice(namespace.length + 1))
    .map((name) => (name === sdk ? withSdk : name));
