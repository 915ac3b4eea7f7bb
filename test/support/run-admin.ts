import { runAdmin } from '../../infra/cli/admin/run-admin.ts';
import { verbs } from '../../infra/cli/admin/verbs.ts';
import type { Concord } from '../../infra/local/concord.ts';

/** What came of a command. */
export interface Administered {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of `npm run admin` in this process, at a server of this process. */
export const administer = async ({ port }: Pick<Concord, 'port'>, ...words: string[]): Promise<Administered> => {
  const [stdout, stderr]: [string[], string[]] = [[], []];
  const before = process.env.PORT;
  process.env.PORT = String(port);
  try {
    const output = { print: (text: string) => stdout.push(text), say: (text: string) => stderr.push(text) };
    const status = await runAdmin(verbs, words, output);
    return { status, stdout: stdout.join('\n'), stderr: stderr.join('\n') };
  } finally {
    if (before === undefined) delete process.env.PORT;
    else process.env.PORT = before;
  }
};
