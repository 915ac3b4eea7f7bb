import { describe, expect, it } from 'vitest';
import { bundleFunction } from '../../infra/bundle-function.ts';
import type { DataFile } from '../../infra/lazy-data.ts';
import { fileNameOf, routes } from '../../infra/routes.ts';
import { ownRoutes } from '../../shared/http/own-routes/index.ts';
import { recordTypes } from '../../shared/record-types/index.ts';

const largestRecordFunction = 450_000;
const largestFunction = 1_000_000;

/** Functions that only follow the stream or the clock. */
const background = ['functions/publish-changes.ts', 'functions/index-audit.ts', 'functions/sweep-transactions.ts'];

/** Data beside functions: which read it, and how many bytes of it there may be, packed. */
const dataFiles: readonly {
  readonly name: string;
  readonly most: number;
  readonly readBy: (entry: string) => boolean;
}[] = [
  {
    name: 'shared-fhir-generated-search-parameters-all.data.br',
    most: 25_000,
    readBy: (entry) => !background.includes(entry),
  },
  {
    name: 'shared-fhir-generated-terminology.data.br',
    most: 165_000,
    readBy: (entry) => !background.includes(entry),
  },
];

const expectDataOf = (entry: string, found: readonly DataFile[]) => {
  const expected = dataFiles.filter(({ readBy }) => readBy(entry));
  expect(found.map(({ name }) => name).sort()).toEqual(expected.map(({ name }) => name).sort());
  for (const { name, contents } of found) {
    expect(contents.length, name).toBeLessThanOrEqual(expected.find((each) => each.name === name)?.most ?? 0);
  }
};

/** Generated files that belong to one resource type. */
const typesIn = (inputs: readonly string[]) => [
  ...new Set(
    inputs.flatMap(
      (input) => /generated\/(?:schemas|invariants|search-parameters)\/([A-Z]\w+)\.ts$/.exec(input)?.[1] ?? [],
    ),
  ),
];

describe('bundle of a function', () => {
  it.each(recordTypes.map(({ name }) => name))(
    'of %s holds what is generated for this type alone, in 450 KB',
    async (type) => {
      const entry = `functions/records/${fileNameOf(type)}.ts`;
      const { code, data, inputs } = await bundleFunction(entry);

      expect(typesIn(inputs).filter((name) => name !== 'Resource')).toEqual([type]);
      expect(inputs.filter((input) => input.includes('/event-streams/'))).toEqual([]);
      expect(inputs.filter((input) => input.includes('/own-routes/'))).toEqual(
        type in ownRoutes ? [`shared/http/own-routes/${fileNameOf(type)}.ts`] : [],
      );
      expect(code.length).toBeLessThanOrEqual(largestRecordFunction);
      expectDataOf(entry, data);
    },
  );

  it.each([...new Set(routes.map(({ entry }) => entry)), ...background])('%s stays below 1 MB', async (entry) => {
    const { code, data } = await bundleFunction(entry);

    expect(code.length).toBeLessThanOrEqual(largestFunction);
    expectDataOf(entry, data);
  });
});
