import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** The content of a JSON file, or undefined if there is none. Throws if it is not JSON. */
export const readJsonFile = (file: string): unknown => {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};

/** Writes a JSON file that only this user may read. Replaces it in one step, so a crash leaves the old or the new one. */
export const writeJsonFile = (file: string, content: unknown) => {
  mkdirSync(path.dirname(file), { recursive: true });
  const written = `${file}.${process.pid}.new`;
  writeFileSync(written, JSON.stringify(content), { mode: 0o600 });
  renameSync(written, file);
};
