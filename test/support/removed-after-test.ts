import { rmSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import { scratchFolder } from './dynamodb.ts';

/** A new folder that is removed when the test ends. */
export const removedAfterTest = (): string => {
  const folder = scratchFolder();
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};
