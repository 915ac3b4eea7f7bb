import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';

/** Removes what an earlier synthesis wrote, or else the templates of another stage would stay. A folder of anything else is left alone. */
export const removeAssembly = (folder: string): void => {
  if (existsSync(path.join(folder, 'manifest.json'))) rmSync(folder, { recursive: true });
};
