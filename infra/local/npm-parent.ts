import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** How often to look, in milliseconds. */
const everyMs = 250;

interface Process {
  readonly parent: number;
  readonly command: string;
}

/**
 * Calls back once the npm that started this process is gone. npm killed by `kill -9` takes nobody with it, and the shell that it puts
 * in between would wait for this process for ever. Does nothing if npm did not start it: then it may outlive its shell.
 */
export const whenNpmEnds = (ended: () => void): void => {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const between = lookUp(parent);
  const shell = between !== undefined && /^-?(ba|da|z|k|a)?sh$/.test(between.command);
  const timer = setInterval(() => {
    const orphaned = process.ppid !== parent || !isAlive(parent);
    // Reading a file costs nothing; where there is none, the shell's own life has to do after the first look.
    const left = shell && (isAlive(between.parent) ? readProc(parent)?.parent : 0);
    if (!orphaned && (left === false || left === undefined || left === between?.parent)) return;
    clearInterval(timer);
    ended();
  }, everyMs);
  timer.unref();
};

const lookUp = (pid: number): Process | undefined => readProc(pid) ?? askPs(pid);

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
const readProc = (pid: number): Process | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command stands in brackets and may hold anything, brackets too.
    const [, command = '', rest = ''] = /^\d+ \((.*)\) (.*)$/s.exec(stat) ?? [];
    return { command, parent: Number(rest.split(' ')[1]) };
  } catch {
    return undefined;
  }
};

const askPs = (pid: number): Process | undefined => {
  try {
    const line = execFileSync('ps', ['-o', 'ppid=,comm=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    const [, parent = '', command = ''] = /^(\d+)\s+(?:.*\/)?(.+)$/.exec(line) ?? [];
    return { parent: Number(parent), command };
  } catch {
    return undefined;
  }
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};
