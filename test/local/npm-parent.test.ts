import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

const program = path.resolve(import.meta.dirname, '../support/ends-with-npm.ts');

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** The program below a shell below a stand-in of npm, as `npm start` arranges it. Windows has no such shell. */
const startedBy = async (environment: Record<string, string>) => {
  // The last command keeps the shell from putting the program in its own place.
  const command = `"${process.execPath}" "${program}"; true`;
  const script = `require('node:child_process').spawn('sh', ['-c', ${JSON.stringify(command)}], { stdio: 'inherit' });`;
  const { npm_lifecycle_event: _, ...inherited } = process.env;
  const npm = spawn(process.execPath, ['-e', script], {
    env: { ...inherited, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [printed] = (await once(npm.stdout, 'data')) as [Buffer];
  const pid = Number(String(printed));
  onTestFinished(() => {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  });
  return { npm, pid };
};

describe.skipIf(process.platform === 'win32')('whenNpmEnds', () => {
  it('tells when npm is killed, although the shell in between lives on', async () => {
    const { npm, pid } = await startedBy({ npm_lifecycle_event: 'start' });
    const before = isAlive(pid);

    npm.kill('SIGKILL');

    expect(before).toBe(true);
    await expect.poll(() => isAlive(pid)).toBe(false);
  });
});
