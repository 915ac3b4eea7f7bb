import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type EventPattern, matchesPattern } from '../../infra/local/event-pattern.ts';
import { quarantinePrefix } from '../../shared/store/content-objects.ts';

const events = path.resolve(import.meta.dirname, '../../events');
const sample = (file: string) =>
  JSON.parse(readFileSync(path.join(events, 'object-store', file), 'utf8')) as {
    readonly source: string;
    readonly detail: { readonly object?: { readonly key: string }; readonly s3ObjectDetails?: { objectKey: string } };
  };

describe('what a scanner of uploads is told, and tells', () => {
  // That the result of a scan reaches the topic of alarms: test/infra/sharing-stack.test.ts.
  it('has a file for each event that is known', () => {
    expect(readdirSync(path.join(events, 'object-store')).toSorted()).toEqual([
      'object-created.json',
      'scan-result.json',
    ]);
  });

  it('is about uploads, and reaches a scanner by the rule that is written down', () => {
    const rules = [...readFileSync(path.join(events, 'README.md'), 'utf8').matchAll(/^```json\n(.*?)\n```$/gms)];
    const rule = rules
      .map(([, text = '']) => JSON.parse(text) as EventPattern)
      .find(({ source }) => JSON.stringify(source) === '["aws.s3"]');
    const created = sample('object-created.json');
    const { key = '' } = created.detail.object ?? {};

    expect(rule && matchesPattern(rule, created)).toBe(true);
    expect(rule && matchesPattern(rule, { ...created, detail: { object: { key: `record_Binary/1/${key}` } } })).toBe(
      false,
    );
    for (const told of [key, sample('scan-result.json').detail.s3ObjectDetails?.objectKey ?? ''])
      expect(told).toMatch(new RegExp(`^${quarantinePrefix}[0-9a-v]{26}$`));
  });
});
