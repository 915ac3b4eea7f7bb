import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { filesIn, generate, generatedDirectory, invariantDocs } from '../../infra/generate/generate.ts';
import { generateInvariantDocs } from '../../infra/generate/invariants.ts';

describe('shared/fhir/generated', () => {
  it('is what `npm run generate` makes of the definitions', () => {
    const fresh = generate();
    const committed = filesIn(generatedDirectory);

    const stale = Object.keys({ ...fresh, ...committed }).filter((path) => fresh[path] !== committed[path]);

    expect(stale, 'stale files: run `npm run generate`').toEqual([]);
    expect(Object.keys(fresh).length).toBeGreaterThan(300);
  });
});

describe('docs/invariants.md', () => {
  it('is what `npm run generate` makes of the definitions', () => {
    expect(readFileSync(invariantDocs, 'utf8')).toBe(generateInvariantDocs());
  });
});
