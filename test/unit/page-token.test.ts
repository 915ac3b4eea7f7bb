import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { RecordError } from '../../shared/errors.ts';
import { openPage, sealPage } from '../../shared/http/page-token.ts';

const key = randomBytes(32);
const now = Date.UTC(2026, 10, 24);
const by = { path: 'Observation', subject: 'sub-1', now };
const page = { query: [['patient', 'p-1']], position: [0, 'Observation#0001'] } as const;

const refusalOf = (token: string, opener = by, openedWith = key): unknown => {
  try {
    return openPage(openedWith, token, opener);
  } catch (error) {
    return error;
  }
};

const expectRefused = (outcome: unknown) => {
  expect(outcome).toBeInstanceOf(RecordError);
  expect(outcome).toMatchObject({ kind: 'invalid', reason: 'page-link', details: [{ expression: '_page' }] });
};

describe('a page link', () => {
  it('leads its caller on', () => {
    expect(openPage(key, sealPage(key, page, by), by)).toEqual(page);
  });

  it('takes less room than a long query does, and as much for a position whatever the query repeats of it', () => {
    const long = [['_id', Array.from({ length: 100 }, () => randomBytes(16).toString('hex')).join()]] as const;
    const withPosition = (query: string) =>
      sealPage(key, { query: [['name', query]], position: 'secret-key' }, by).length;

    expect(sealPage(key, { query: long, position: [] }, by).length).toBeLessThan(long[0][1].length);
    expect(withPosition('secret-key')).toBe(withPosition('a-b-c-d-e-'));
  });

  it('shows nothing of what it holds, and is never the same twice', () => {
    const first = sealPage(key, page, by);
    const second = sealPage(key, page, by);

    expect(Buffer.from(first, 'base64url').toString('latin1')).not.toContain('p-1');
    expect(first).not.toBe(second);
  });

  it('is refused with any byte altered', () => {
    const bytes = Buffer.from(sealPage(key, page, by), 'base64url');

    for (const at of bytes.keys()) {
      const altered = Buffer.from(bytes);
      altered[at] = (altered[at] ?? 0) ^ 1;
      expectRefused(refusalOf(altered.toString('base64url')));
    }
  });

  it.each(['', 'abc', 'x'.repeat(200)])('is refused where it is "%s"', (token) => {
    expectRefused(refusalOf(token));
  });

  it('is refused cut short or made longer', () => {
    const token = sealPage(key, page, by);

    expectRefused(refusalOf(token.slice(0, -4)));
    expectRefused(refusalOf(`${token}AAAA`));
  });

  it.each([
    ['another caller', { ...by, subject: 'sub-2' }],
    ['another path', { ...by, path: 'Encounter' }],
    ['the day after', { ...by, now: now + 24 * 3600_000 + 1 }],
  ])('is refused to %s', (_name, opener) => {
    expectRefused(refusalOf(sealPage(key, page, by), opener));
  });

  it('is refused by another deployment', () => {
    expectRefused(refusalOf(sealPage(key, page, by), by, randomBytes(32)));
  });

  it('holds for a day', () => {
    expect(openPage(key, sealPage(key, page, by), { ...by, now: now + 24 * 3600_000 })).toEqual(page);
  });
});
