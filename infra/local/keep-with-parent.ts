/**
 * Runs a command for as long as the process that started this one lives, even if that one ends by `kill -9`.
 *
 * Usage: `node keep-with-parent.ts [--remove <folder>] <command> [argument]…`, with a pipe as standard input that the parent keeps open
 * and never writes to. The system closes it when the parent ends, however it ends. The first line of standard output is the command's
 * process id; the rest is what the command prints. `--remove` deletes a folder of scratch data once the command has ended.
 */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';

const [first, second, ...rest] = process.argv.slice(2);
const removed = first === '--remove' ? second : undefined;
const [command, ...commandArguments] = removed === undefined ? [first, second, ...rest] : rest;

/** Time that the command has to end by itself, in milliseconds. */
const graceMs = 1_000;

// The parent may be gone while the command still prints.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);
// The parent decides when the command ends, not the terminal: what is under way shall be finished first.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM'] as const) process.on(signal, () => undefined);

const child = spawn(
  command ?? '',
  commandArguments.filter((argument) => argument !== undefined),
  { stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true },
);

const finish = (code: number): never => {
  if (removed !== undefined) rmSync(removed, { recursive: true, force: true, maxRetries: 3 });
  process.exit(code);
};

child.on('error', ({ message }) => {
  process.stderr.write(`${message}\n`, () => finish(1));
});
child.on('spawn', () => process.stdout.write(`${child.pid}\n`));
child.stdout.on('data', (chunk: Buffer) => process.stdout.write(chunk));
child.stderr.on('data', (chunk: Buffer) => process.stderr.write(chunk));
child.on('close', (code) => finish(code ?? 1));

const end = () => {
  child.kill('SIGTERM');
  setTimeout(() => child.kill('SIGKILL'), graceMs);
};
process.stdin.on('end', end).on('error', end).resume();
