import { describe, expect, it } from 'vitest';
import { bundleFunction } from '../../infra/bundle-function.ts';
import { fileNameOf, routes } from '../../infra/routes.ts';
import { recordTypes } from '../../shared/record-types/index.ts';

const largestRecordFunction = 450_000;
const largestFunction = 1_000_000;

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
      const { code, inputs } = await bundleFunction(`functions/records/${fileNameOf(type)}.ts`);

      expect(typesIn(inputs).filter((name) => name !== 'Resource')).toEqual([type]);
      expect(inputs.filter((input) => input.includes('/event-streams/'))).toEqual([]);
      expect(code.length).toBeLessThanOrEqual(largestRecordFunction);
    },
  );

  it.each([
    ...new Set(routes.map(({ entry }) => entry)),
    'functions/publish-changes.ts',
    'functions/index-audit.ts',
    'functions/sweep-transactions.ts',
  ])('%s stays below 1 MB', async (entry) => {
    const { code } = await bundleFunction(entry);

    expect(code.length).toBeLessThanOrEqual(largestFunction);
  });
});
