import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { bundleFunction } from '../../infra/bundle-function.ts';
import * as types from '../../shared/fhir/generated/resource-types.ts';
import * as searches from '../../shared/fhir/generated/search-parameters/Observation.ts';
import * as units from '../../shared/fhir/generated/ucum-units.ts';
import * as nicknames from '../../shared/matching/nickname-groups.ts';
import { removedAfterTest } from '../support/removed-after-test.ts';

describe('a long text in a bundle', () => {
  it.each([
    ['shared/fhir/generated/ucum-units.ts', { ...units }, 0.9],
    ['shared/matching/nickname-groups.ts', { ...nicknames }, 0.9],
    ['shared/fhir/generated/resource-types.ts', { ...types }, 0.9],
    ['shared/fhir/generated/search-parameters/Observation.ts', { ...searches }, 0.9],
  ])('of %s is the same, in fewer bytes', async (source, texts: Record<string, string | readonly string[]>, most) => {
    const { code } = await bundleFunction(source);
    const file = path.join(removedAfterTest(), 'texts.cjs');
    writeFileSync(file, code);
    const loaded = createRequire(import.meta.url)(file) as Record<string, string | readonly string[]>;

    expect({ ...loaded }).toEqual(texts);
    expect(code.length).toBeLessThan(String(Object.values(texts)).length * most);
  });
});
