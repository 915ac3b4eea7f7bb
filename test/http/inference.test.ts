import { describe, expect, it } from 'vitest';
import { inferenceAttack } from '../support/inference/attack.ts';

// `npm run prove -- --inference 5000` sends as many as one likes.
describe('two stores that differ only in records that the caller may not see', () => {
  it('answer alike', async () => {
    const { requests, differences, statuses } = await inferenceAttack({ seed: 5, requests: 100 });
    expect(differences).toEqual([]);
    expect(requests).toBe(100);
    // Requests of every outcome are among them: found, created, refused, missing.
    for (const status of [200, 201, 400, 403, 404])
      expect(statuses.get(status) ?? 0, String(status)).toBeGreaterThan(0);
  });

  it('is an attack that would find them: to who may see them, the answers differ', async () => {
    const { requests, differences } = await inferenceAttack({ seed: 5, requests: 25, control: true });
    expect(differences.length).toBeGreaterThan(requests / 5);
  });
});
