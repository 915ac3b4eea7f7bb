import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { evidencePage, isLike, resourcesLike, safeguards } from '../../infra/compliance/evidence/page.ts';
import { ownRules } from '../../infra/compliance/own-rules.ts';
import { resourcesIn } from '../../infra/compliance/rules/rule.ts';
import { stageNamed } from '../../infra/stages.ts';
import { stackTemplates } from '../support/synthesised.ts';

const root = path.resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const production = resourcesIn(stackTemplates());

/** https://www.ecfr.gov/current/title-45/section-164.312 and https://www.ecfr.gov/current/title-45/section-170.315#p-170.315(d) */
const citations = [
  ...['(a)(1)', '(a)(2)(i)', '(a)(2)(ii)', '(a)(2)(iii)', '(a)(2)(iv)', '(b)', '(c)(1)', '(c)(2)', '(d)'].map(
    (part) => `164.312${part}`,
  ),
  ...['(e)(1)', '(e)(2)(i)', '(e)(2)(ii)'].map((part) => `164.312${part}`),
  ...Array.from({ length: 13 }, (_, at) => `170.315(d)(${at + 1})`),
];

describe('the page of evidence', () => {
  it('is what the templates of production come to: npm run evidence writes it', () => {
    expect(read('docs/evidence.md')).toBe(evidencePage(production, stageNamed('production')));
  });

  it('is about every technical safeguard, and every criterion of privacy and security', () => {
    expect(safeguards.map(({ citation }) => citation)).toEqual(citations);
  });

  it.each(safeguards.map((each) => [each.citation, each] as const))(
    'has for %s resources and tests that there are',
    (_, each) => {
      expect(each.constructs.filter((construct) => resourcesLike(construct, production).length === 0)).toEqual([]);
      expect(each.constructs.length).toBeGreaterThan(0);
      expect(each.tests.filter(([file, name]) => !read(file).includes(`'${name}'`))).toEqual([]);
      expect(each.tests.length).toBeGreaterThan(0);
    },
  );

  it('names no rule of our own that there is not, and each at least once', () => {
    const named = safeguards.flatMap(({ rules }) => rules).filter((rule) => rule.startsWith('Concord-'));

    expect([...new Set(named)].sort()).toEqual(ownRules.map(({ name }) => name).sort());
  });
});

describe('isLike', () => {
  it.each([
    [{ a: 1, b: 2 }, { a: 1 }, true],
    [{ a: 1 }, { a: 1, b: 2 }, false],
    [[{ a: 1, b: 2 }, { a: 3 }], [{ a: 3 }], true],
    [[{ a: 1 }], [{ a: 1 }, { a: 2 }], false],
    [undefined, { a: 1 }, false],
    ['1', 1, false],
  ])('%j, asked for %j: %s', (value, expected, like) => {
    expect(isLike(value, expected)).toBe(like);
  });
});
