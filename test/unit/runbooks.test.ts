import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { verbNamed } from '../../infra/cli/admin/run-admin.ts';
import { verbs } from '../../infra/cli/admin/verbs.ts';

const docs = path.resolve(import.meta.dirname, '../../docs');
const pages = readdirSync(docs, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'));

/** Words of a command as a shell has them. */
const wordsOf = (command: string): string[] =>
  [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, plain]) => single ?? double ?? plain ?? '',
  );

/** What stands behind `npm run admin --` wherever a page has it as code, up to a comment. */
const commandsIn = (page: string): string[] =>
  [...readFileSync(path.join(docs, page), 'utf8').matchAll(/npm run (?:-s )?admin -- ([^`\n]+)/g)]
    .map(([, command = '']) => command.replace(/\s#.*/, '').trim())
    .filter((command) => !command.startsWith('<')); // stands for any

const commands = pages.flatMap((page) => commandsIn(page).map((command): [string, string] => [page, command]));

describe('a command of a runbook', () => {
  it.each(commands)('is understood: %s: %s', (_, command) => {
    const { verb, rest } = verbNamed(verbs, wordsOf(command));

    expect(() => verb.understand(rest, Date.parse('2026-11-27T12:00Z'))).not.toThrow();
  });

  it('is found in all of them', () => {
    const runbooks = new Set(commands.map(([page]) => page).filter((page) => page.startsWith('runbooks/')));
    const own = [
      'add-organisation',
      'breach',
      'deprovision-staff',
      'redrive',
      'revoke-a-partner',
      'rotate-keys',
      'snooping',
    ];

    expect([...runbooks]).toEqual(expect.arrayContaining(own.map((name) => `runbooks/${name}.md`)));
  });
});

describe('docs/admin.md', () => {
  const page = readFileSync(path.join(docs, 'admin.md'), 'utf8').replace(/ +/g, ' ');
  const rows = [...(page.split('## ')[0] ?? '').matchAll(/^\| `([a-z -]+)` \| (.+) \|$/gm)].map(
    ([, name = '', words = '']) => ({
      name,
      words,
    }),
  );

  it('says of each verb what its help does', () => {
    const said = new Map(verbs.map(({ name, summary }) => [name, summary]));

    expect(rows.length).toBeGreaterThan(10);
    for (const { name, words } of rows) expect([name, words]).toEqual([name, said.get(name)]);
  });

  it('leads to runbooks that there are', () => {
    const led = [...page.matchAll(/\]\((runbooks\/[^)]+)\)/g)].map(([, to]) => to);

    expect(pages).toEqual(expect.arrayContaining(led));
  });
});
