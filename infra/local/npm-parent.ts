import { isAlive, lookUp, readProc } from './processes.ts';

/** How often to look, in milliseconds. */
const everyMs = 250;

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
