import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { refusalCodes } from '../../shared/stable-codes.ts';
import { backportExtensions, signingSecretExtension } from '../../shared/subscriptions/backport.ts';
import { requestedIn } from '../../shared/subscriptions/requested.ts';
import { topicOf } from '../../shared/subscriptions/topics.ts';

const root = path.resolve(import.meta.dirname, '../..');
const document = readFileSync(path.join(root, 'docs/subscriptions.md'), 'utf8');

/** First cells of the table that begins with a heading, without their marks. */
const firstCells = (heading: string): string[] => {
  const lines = document.split('\n');
  const first = lines.findIndex((line) => line.startsWith(`| ${heading} `));
  const end = lines.findIndex((line, index) => index > first && !line.startsWith('|'));
  return lines.slice(first + 2, end).map((line) => /`([^`]+)`/.exec(line)?.[1] ?? line);
};

describe('docs/subscriptions.md', () => {
  it('has each extension that is read', () => {
    const urls = [...Object.values(backportExtensions), signingSecretExtension];

    expect(firstCells('extension').sort()).toEqual(urls.map((url) => url.slice(url.lastIndexOf('/') + 1)).sort());
    expect(document).toContain(`\`${signingSecretExtension}\``);
  });

  it('has each code by which a Subscription is refused', () => {
    const code = globSync('shared/{subscriptions,interactions/subscriptions}/*.ts', { cwd: root })
      .filter((file) => !file.endsWith('redrive.ts'))
      .map((file) => readFileSync(path.join(root, file), 'utf8'))
      .join('\n');
    const said = refusalCodes['business-rule'].filter((each) => code.includes(`'${each}'`));

    expect(said.length).toBeGreaterThan(5);
    expect(firstCells('code').sort()).toEqual([...said].sort());
  });

  it('has an example that is served', () => {
    const [, example = ''] = /```json\n([^]*?)```/.exec(document) ?? [];

    expect(requestedIn(JSON.parse(example) as fhir4.Subscription)).toMatchObject({
      topic: topicOf('Observation'),
      content: 'id-only',
      filters: [{ text: 'Observation?code=http://loinc.org|85354-9&status=final' }],
    });
  });
});
