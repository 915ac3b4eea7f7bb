import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

/** The commit that is checked out, and files that differ from it. */
export interface WorkingCopy {
  /** Undefined outside of git. */
  readonly commit: string | undefined;
  readonly changed: readonly string[];
}

const root = path.resolve(import.meta.dirname, '../..');

/** Asks git what is checked out in a folder. */
export const workingCopy = async (folder: string = root): Promise<WorkingCopy> => {
  const git = async (...args: readonly string[]) =>
    (await promisify(execFile)('git', ['-C', folder, ...args])).stdout.trim();
  try {
    const [commit, status] = await Promise.all([git('rev-parse', 'HEAD'), git('status', '--porcelain')]);
    return {
      commit,
      changed: status === '' ? [] : status.split('\n').map((line) => line.trim().replace(/^\S+\s+/, '')),
    };
  } catch {
    return { commit: undefined, changed: [] };
  }
};
