import { inOrder, postings } from '../../infra/cli/import-plan.ts';
import { findFiles, inspect } from '../../infra/cli/import-sources.ts';
import { accessToken } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestResponse } from '../support/fhir-server.ts';
import { allRows } from '../support/test-store.ts';
import { type Cost, storedBy } from './counts.ts';
import { itemSize } from './item-size.ts';

/** What loading charts cost, everything included: also what the stream consumer writes behind. */
export interface Load extends Cost {
  readonly resources: number;
  /** JSON as sent, without the bundle around it. */
  readonly jsonBytes: number;
  readonly unitsBehind: number;
  readonly bytes: number;
  /** Bytes by kind of row. */
  readonly bytesByKind: Readonly<Record<string, number>>;
}

/** Charts to load, one bundle after the other. */
export type Bundles = AsyncIterable<fhir4.Bundle> | Iterable<fhir4.Bundle>;

/** The bundles and resources in a folder, in the order in which `npm run import` would post them. */
export async function* bundlesIn(folder: string): AsyncGenerator<fhir4.Bundle> {
  const sources = await Promise.all((await findFiles([folder])).map(inspect));
  for await (const posting of postings(inOrder(sources))) {
    if ('reason' in posting) throw new Error(`${posting.place} ${posting.reason}`);
    yield { resourceType: 'Bundle', type: posting.type, entry: posting.entries.map(({ entry }) => entry) };
  }
}

/** Posts bundles to an empty server of their own and counts. */
export const load = async (bundles: Bundles): Promise<Load> => {
  const server = await fhirServer();
  const token = await accessToken({ role: 'system' });
  server.calls.reset();
  let [calls, sequential, readUnits, writeUnits, resources, jsonBytes] = [0, 0, 0, 0, 0, 0];
  const stored = await storedBy(server, async () => {
    for await (const bundle of bundles) {
      server.calls.reset();
      const response = await server.post('', bundle, { token });
      calls += server.calls.names.length;
      sequential += server.calls.sequential();
      readUnits += server.calls.readUnits;
      writeUnits += server.calls.writeUnits;
      resources += writtenIn(response);
      for (const { resource } of bundle.entry ?? []) jsonBytes += Buffer.byteLength(JSON.stringify(resource ?? {}));
    }
  });
  return {
    calls,
    sequential,
    readUnits,
    writeUnits,
    resources,
    jsonBytes,
    ...stored,
    bytesByKind: await bytesByKind(server),
  };
};

/** @throws Error if an entry was refused: what is not stored costs nothing. */
const writtenIn = ({ status, text }: TestResponse): number => {
  const { entry = [] } = JSON.parse(text) as fhir4.Bundle;
  const refused = entry.find(({ response }) => !response?.status?.startsWith('2'));
  if (status !== 200 || refused) throw new Error(`Refused: ${JSON.stringify(refused ?? text).slice(0, 2_000)}`);
  return entry.length;
};

const kinds: readonly (readonly [kind: string, key: RegExp])[] = [
  ['records', /^C#.*\n[A-Z]/],
  ['earlier versions', /^C#.*\n~H#/],
  ['registry', /^X#/],
  ['identifiers', /^U#/],
  ['locators', /^L#/],
  ['log by chart', /^A#[^#]+\n/],
  ['chain of the log', /^A#[^#]+#chain\n/],
  ['log by day', /^A#[^#]+#/],
  ['logs chained on a day', /^A~/],
  ['feed', /^F#/],
  ['what was told', /^Q#/],
  ['finished transactions', /^T/],
];

const bytesByKind = async ({ store }: FhirServer): Promise<Record<string, number>> => {
  const bytes: Record<string, number> = {};
  for (const row of await allRows(store)) {
    const kind = kinds.find(([, key]) => key.test(`${row.pk}\n${row.sk}`))?.[0] ?? 'other';
    bytes[kind] = (bytes[kind] ?? 0) + itemSize(row);
  }
  return bytes;
};
