import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { cases, finds } from '../support/search-cases.ts';

const runCases = fileURLToPath(new URL('../support/run-search-cases.ts', import.meta.url));

for (const [paragraph, rows] of Object.entries(cases)) {
  describe(`https://hl7.org/fhir/R4/search.html#${paragraph}`, () => {
    for (const [query, resource, found] of rows) {
      const { resourceType, ...elements } = resource;
      it(`${resourceType}?${query} ${found ? 'finds' : 'does not find'} ${JSON.stringify(elements)}`, () => {
        expect(finds(query, resource)).toBe(found);
      });
    }
  });
}

describe('the same cases', () => {
  it.each(['America/New_York', 'Asia/Kolkata', 'Pacific/Apia'])(
    'have the same outcome on a server in %s',
    async (timeZone) => {
      const { stdout } = await promisify(execFile)(process.execPath, [runCases], {
        env: { ...process.env, TZ: timeZone },
      });

      expect(JSON.parse(stdout)).toEqual({
        timeZone: expect.stringMatching(timeZone.replace('Kolkata', '(Kolkata|Calcutta)')),
        failed: [],
      });
    },
  );
});
