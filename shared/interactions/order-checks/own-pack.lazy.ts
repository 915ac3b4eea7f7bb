// Few deployments have a pack of their own, and those read it once in each process.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Pack } from '../../order-checks/knowledge.ts';
import { ownPack } from '../../order-checks/own-pack.ts';

/**
 * Reads the pack of a deployment.
 *
 * @param file - beside the function, or anywhere by its whole path.
 * @throws PackError; what reading a file throws.
 */
export const readOwnPack = async (file: string, builtIn: Pack): Promise<Pack> =>
  ownPack(await readFile(path.resolve(process.env['LAMBDA_TASK_ROOT'] ?? '.', file), 'utf8'), builtIn);
