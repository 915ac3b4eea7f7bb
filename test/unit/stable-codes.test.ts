import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { closedAnswer, tooManyAnswer } from '../../infra/firewall.ts';
import { gatewayResponses } from '../../infra/gateway-responses.ts';
import { RecordError, type RecordErrorKind } from '../../shared/errors.ts';
import { refusal } from '../../shared/fhir/operation-outcome.ts';
import { otherCodes, type RefusalCode, refusalCodes } from '../../shared/stable-codes.ts';

const root = path.resolve(import.meta.dirname, '../..');
const textOf = (file: string): string => readFileSync(path.join(root, file), 'utf8');

/** Each kind of refusal, with the codes that it may bear beside its own name; a kind that is missing here does not compile. */
const codesByKind: { readonly [Kind in RecordErrorKind]: readonly RefusalCode<Kind>[] } = {
  'method-not-allowed': [],
  'not-acceptable': [],
  'version-conflict': [],
  'multiple-matches': [],
  'unsupported-media-type': [],
  throttled: [],
  incomplete: [],
  ...refusalCodes,
};

const kinds = Object.keys(codesByKind) as RecordErrorKind[];
const statusOf = (kind: RecordErrorKind): number => refusal(new RecordError(kind, 'Because'), 'r-1').statusCode;

/** The code that can refuse, without its comments and without the list of codes. */
const code = globSync('{shared,functions}/**/*.ts', { cwd: root })
  .filter((file) => !/generated|stable-codes\.ts$/.test(file))
  .concat('infra/gateway-responses.ts', 'infra/firewall.ts')
  .map((file) => textOf(file).replaceAll(/\/\*[\s\S]*?\*\/|\/\/ .*/g, ''))
  .join('\n');

/** What stands between the parentheses that open at a place. */
const argumentsAt = (start: number): string => {
  let depth = 0;
  let end = start;
  do {
    if (code[end] === '(') depth += 1;
    if (code[end] === ')') depth -= 1;
    end += 1;
  } while (depth > 0 && end < code.length);
  return code.slice(start, end);
};

/** Kinds of which a refusal is made that has no other code, and so bears the kind's own name. */
const bySelf = new Set(
  [...code.matchAll(/RecordError(?=\(\s*'([a-z-]+)')/g)].flatMap(({ index, 1: kind }) =>
    /\breason\b/.test(argumentsAt(index + 'RecordError'.length)) ? [] : [kind as RecordErrorKind],
  ),
);

/** Each code with the statuses that it comes with, as the documents write them. */
const said = new Map<string, Set<number>>();
const say = (code: string, status: number): void => {
  said.set(code, (said.get(code) ?? new Set()).add(status));
};
for (const kind of kinds)
  for (const code of [...(bySelf.has(kind) ? [kind] : []), ...codesByKind[kind]]) say(code, statusOf(kind));

/** What the gateway and the firewall before it say by themselves, of the statuses that they do not leave as they are. */
const byGateway = [
  ...gatewayResponses,
  ...[closedAnswer, tooManyAnswer].map(({ body, statusCode }) => ({ template: body, statusCode })),
].flatMap(({ template, statusCode }) => {
  const { issue } = JSON.parse(template) as fhir4.OperationOutcome;
  return issue.map(({ details }) => ({ code: details?.coding?.[0]?.code ?? '', statusCode }));
});
for (const { code, statusCode } of byGateway) if (statusCode !== undefined) say(code, statusCode);

/** Codes of what is told in an answer that is no refusal. */
const told = ['valid', 'not-checked', 'no-single-match', 'more-exists', 'withheld'];
for (const code of told) say(code, 200);

/** Rows of a document's tables of three columns whose cells meet a pattern: code or codes, and statuses. */
const tableIn = (file: string, row: RegExp): { readonly codes: string[]; readonly statuses: number[] }[] =>
  textOf(file)
    .split('\n')
    .flatMap((line) => {
      const cells = row.exec(line)?.groups;
      return cells
        ? [
            {
              codes: [...(cells['codes'] ?? '').matchAll(/`([a-z-]+)`/g)].map(([, code = '']) => code),
              statuses: (cells['statuses'] ?? '').split(', ').map(Number),
            },
          ]
        : [];
    });

const statuses = String.raw`(?<statuses>\d{3}(?:, \d{3})*)`;

describe('the stable codes', () => {
  it('are in docs/api.md, each once, with its statuses, and no others', () => {
    const rows = tableIn('docs/api.md', new RegExp(String.raw`^\| (?<codes>\`[a-z-]+\`) +\| ${statuses} +\| \S`));

    const documented = rows.map((row) => [row.codes[0], row.statuses] as const);
    const expected = [...said].map(([code, of]) => [code, [...of].sort()] as const);
    const byCode = (left: readonly [unknown, unknown], right: readonly [unknown, unknown]) =>
      String(left[0]).localeCompare(String(right[0]));
    expect(documented.sort(byCode)).toEqual(expected.sort(byCode));
  });

  it('are each said somewhere in the code', () => {
    const literals = new Set([...code.matchAll(/'([a-z-]+)'/g)].map(([, literal]) => literal));

    expect(bySelf.size).toBeGreaterThan(10);
    expect([...said.keys()].filter((each) => !literals.has(each))).toEqual([]);
  });

  it('are the ones that the gateway and notices have, beside those of refusals', () => {
    const ofRefusals = new Set(kinds.flatMap((kind) => [kind, ...codesByKind[kind]]) as string[]);

    const others = [...said.keys()].filter((code) => !ofRefusals.has(code));
    expect(others.sort()).toEqual([...otherCodes].sort());
  });
});

describe('the refusals of access in docs/access.md', () => {
  const rows = tableIn(
    'docs/access.md',
    new RegExp(String.raw`^\| \S[^|]*\| ${statuses} +\| (?<codes>\`[a-z-]+\`.*)\|$`),
  );
  const documented = new Set(rows.flatMap(({ codes }) => codes));

  it('are codes that there are, with a status that they come with', () => {
    const wrong = rows.flatMap((row) =>
      row.codes.filter((code) => !row.statuses.every((status) => said.get(code)?.has(status))),
    );

    expect(rows.length).toBeGreaterThan(25);
    expect(wrong).toEqual([]);
  });

  it.each(['unauthenticated', 'forbidden', 'unavailable'] as const)('have every code of %s', (kind) => {
    const own = byGateway.some(({ code }) => code === kind) ? [kind] : [];

    expect([...own, ...codesByKind[kind]].filter((code) => !documented.has(code))).toEqual([]);
  });

  it.each(['proxy-', 'review-', 'delegation', 'not-originator', 'originator-'])('have every code of %s…', (start) => {
    expect([...said.keys()].filter((code) => code.startsWith(start) && !documented.has(code))).toEqual([]);
  });
});
