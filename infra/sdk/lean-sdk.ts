import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Plugin } from 'esbuild';

/** Packages of the SDK, and what takes their place in deployed bundles. Each says why. */
export const replacedPackages = {
  '@aws-sdk/credential-provider-node': path.join(import.meta.dirname, 'lambda-credentials.ts'),
  '@smithy/core/event-streams': path.join(import.meta.dirname, 'no-event-streams.ts'),
  '@aws-sdk/middleware-endpoint-discovery': path.join(import.meta.dirname, 'no-endpoint-discovery.ts'),
} as const;

/** The same of files in its packages. */
export const replacedFiles = {
  '@aws-sdk/client-dynamodb/dist-es/endpoint/endpointResolver.js': './dynamodb-endpoint.ts',
  '@aws/lambda-invoke-store/dist-es/invoke-store.js': './one-request-at-a-time.ts',
  '@smithy/core/dist-es/submodules/config/config-resolver/regionConfig/getInstanceMetadataRegion.js':
    './region-from-environment.ts',
  '@smithy/core/dist-es/submodules/retry/util-retry/DefaultRateLimiter.js': './no-adaptive-retry.ts',
  '@smithy/core/dist-es/submodules/checksum/sha256/Sha256Js.js': './no-hash-in-script.ts',
  '@smithy/signature-v4/dist-es/HeaderFormatter.js': './no-signed-events.ts',
  '@smithy/core/dist-es/submodules/serde/date-utils.js': './few-dates.ts',
} as const;

/** Keeps out of bundles what the SDK is never asked for: half of what it brings. */
export const leanSdk: Plugin = {
  name: 'lean-sdk',
  setup: (build) => {
    for (const [file, replacement] of Object.entries(replacedFiles)) {
      build.onLoad({ filter: endingIn(file) }, () => ({
        contents: `export * from '${replacement}';`,
        resolveDir: import.meta.dirname,
      }));
    }
    // Makes the rules of endpoints known, for whoever has such rules: EventBridge's client, which imports it for that.
    build.onResolve({ filter: /^\.\/util-endpoints\/aws$/ }, ({ path: named, resolveDir }) => ({
      path: path.join(resolveDir, `${named}.js`),
      sideEffects: false,
    }));
    build.onLoad({ filter: endingIn('@aws-sdk/client-dynamodb/dist-es/schemas/schemas_0.js') }, async ({ path }) => ({
      contents: ofUsedOperations(await readFile(path, 'utf8')),
    }));
    build.onLoad({ filter: /[\\/]@aws-sdk[\\/][^\\/]+[\\/]package\.json$/ }, async ({ path }) => {
      // The SDK bundles descriptions of its packages, 2.4 KB of each, of which it reads the version.
      const { version } = JSON.parse(await readFile(path, 'utf8')) as { version: string };
      return { contents: JSON.stringify({ version }), loader: 'json' };
    });
  },
};

const endingIn = (file: string): RegExp =>
  new RegExp(`[\\\\/]${file.replaceAll('.', '\\.').replaceAll('/', '[\\\\/]')}$`);

/** Exceptions of DynamoDB that say more than a name and a message: rows, reasons, or that the same call may be sent again. */
const keptExceptions = new Set([
  'ConditionalCheckFailedException',
  'ReplicatedWriteConflictException',
  'TransactionCanceledException',
]);

/**
 * The schemas of DynamoDB with a class for few of its 38 exceptions. The SDK itself makes a `DynamoDBServiceException` of what it has no class
 * for, with the same name and message. Names of properties are written out, since what is computed by them counts as used. With that, what
 * belongs to operations that are not called is left out: 14 KB.
 *
 * @throws Error if the SDK says which exceptions there are in another way than it did.
 */
const ofUsedOperations = (source: string): string => {
  const found = new Set<string>();
  const few = source.replaceAll(/^n0_registry\.registerError\((\w+)\$, \1\);$/gm, (registration, name: string) => {
    found.add(name);
    return keptExceptions.has(name) ? registration : '';
  });
  if (found.size <= keptExceptions.size || [...keptExceptions].some((name) => !found.has(name))) {
    throw new Error('The exceptions of @aws-sdk/client-dynamodb are not registered as they were');
  }
  const texts = new Map([...source.matchAll(/^const (_\w+) = ("[^"]*");$/gm)].map(([, name, text]) => [name, text]));
  return few.replaceAll(/\[(_\w+)\]:/g, (computed, name: string) => {
    const text = texts.get(name);
    return text === undefined ? computed : `${text}:`;
  });
};
