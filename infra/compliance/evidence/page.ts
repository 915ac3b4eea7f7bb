import type { StageConfig } from '../../stages.ts';
import { acknowledgements } from '../acknowledged.ts';
import { ownRules } from '../own-rules.ts';
import { nameOf, type TemplateResource } from '../rules/rule.ts';
import { hipaaSafeguards } from './hipaa.ts';
import { oncCriteria } from './onc.ts';
import type { Construct, Safeguard } from './safeguard.ts';

/** Every standard, specification and criterion that the page is about. */
export const safeguards: readonly Safeguard[] = [...hipaaSafeguards, ...oncCriteria];

/** Whether a value has all that another one says: of an object these fields, of a list an item like each of these. */
export const isLike = (value: unknown, expected: unknown): boolean => {
  if (Array.isArray(expected))
    return Array.isArray(value) && expected.every((item) => value.some((each) => isLike(each, item)));
  if (typeof expected !== 'object' || expected === null) return value === expected;
  if (typeof value !== 'object' || value === null) return false;
  const fields = value as Readonly<Record<string, unknown>>;
  return Object.entries(expected).every(([name, of]) => isLike(fields[name], of));
};

/** The resources that a safeguard rests on. */
export const resourcesLike = (
  { stack, type, has = {} }: Construct,
  resources: readonly TemplateResource[],
): readonly TemplateResource[] =>
  resources.filter((each) => each.stack === stack && each.type === type && isLike(each.properties, has));

/**
 * The page of evidence, docs/evidence.md, as Markdown.
 *
 * @param resources - of the stage that it is about: production.
 * @throws Error naming a construct that is not in the stacks.
 */
export const evidencePage = (resources: readonly TemplateResource[], stage: StageConfig): string =>
  [
    '# Evidence: which safeguard is met by what',
    '',
    `Written by \`npm run evidence\` from the templates of ${stage.name}; a test fails if it is out of date. Each safeguard has the resources that it rests on, found in the templates, the rules that \`npm run synth\` holds them to, and tests that show it. **Yours** is what no software can do: the duty of the network that deploys it.`,
    '',
    'Rules that begin with `AwsSolutions` and `HIPAA.Security` are those of [cdk-nag](https://github.com/cdklabs/cdk-nag/blob/main/RULES.md); `Concord` are our own, below. It is evidence for a risk analysis (45 CFR 164.308(a)(1)(ii)(A)), and not one; and Concord is not certified.',
    '',
    '## Technical safeguards of the HIPAA Security Rule, 45 CFR 164.312',
    '',
    ...hipaaSafeguards.flatMap((each) => sectionOf(each, resources)),
    '## Privacy and security criteria of ONC, 45 CFR 170.315(d)',
    '',
    ...oncCriteria.flatMap((each) => sectionOf(each, resources)),
    '## Our own rules',
    '',
    ...table(
      ['rule', 'asks for', 'what the packs do not see'],
      ownRules.map(({ name, asks, because }) => [`\`${name}\``, asks, because]),
    ),
    '',
    '## Findings that stay, and why',
    '',
    'Everything else that the packs and our own rules ask for is met. A finding that is not here fails `npm run synth`, and so does a line here that no finding needs. Some are of stages or settings that differ from production.',
    '',
    ...table(
      ['rule', 'where', 'reason'],
      acknowledgements.map(({ rule, finding, where, reason }) => [
        `\`${finding === undefined ? rule : `${rule}[${finding}]`}\``,
        where.map((each) => `\`${each}\``).join(', '),
        reason,
      ]),
    ),
    '',
  ].join('\n');

const sectionOf = (
  { citation, title, kind, met, constructs, rules, tests, yours }: Safeguard,
  resources: readonly TemplateResource[],
): string[] => [
  `### ${citation} ${title}${kind === undefined || kind === 'standard' ? '' : ` (${kind})`}`,
  '',
  met,
  '',
  ...constructs.map((construct) => `- ${lineOf(construct, resources)}`),
  ...(rules.length === 0 ? [] : [`- Rules: ${rules.map((rule) => `\`${rule}\``).join(', ')}`]),
  ...tests.map(([file, name]) => `- Test: \`${file}\`, “${name}”`),
  ...(yours === undefined ? [] : [`- **Yours**: ${yours}`]),
  '',
];

/** So many resources are named; of more, one. */
const named = 3;

const lineOf = (construct: Construct, resources: readonly TemplateResource[]): string => {
  const names = resourcesLike(construct, resources).map(nameOf).sort();
  const [first] = names;
  if (first === undefined)
    throw new Error(`There is no ${construct.type} in ${construct.stack} that is ${construct.says}`);
  const told = names.length > named ? `\`${first}\` and others` : names.map((name) => `\`${name}\``).join(', ');
  return `${capital(construct.says)}: ${told} of \`${construct.stack}\` (\`${construct.type}\`)`;
};

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string[] => {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = head.map((_, at) => Math.max(...cells.map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]) => `| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  return [
    line(cells[0] ?? []),
    `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`,
    ...cells.slice(1).map(line),
  ];
};
