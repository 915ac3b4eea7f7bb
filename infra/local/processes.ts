import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Process {
  readonly parent: number;
  /** Name of the program, without its folder. */
  readonly command: string;
}

/** What runs under a process id; undefined if nothing does, or this system does not say. */
export const lookUp = (pid: number): Process | undefined => readProc(pid) ?? askPs(pid);

/** The same, only where a file tells it: costs nothing. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
export const readProc = (pid: number): Process | undefined => {
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

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};
