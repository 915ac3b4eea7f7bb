import { log } from '../../log.ts';
import { builtInPack } from '../../order-checks/built-in.ts';
import type { Pack } from '../../order-checks/knowledge.ts';

let own: { readonly file: string; readonly pack: Promise<Pack | undefined> } | undefined;

/**
 * The pack that orders are checked by: that of the deployment where it names one (`KNOWLEDGE_PACK`, a file), else the one that Concord brings along. It is read once in each process.
 *
 * @returns undefined if it cannot be used: then nothing is checked, and each answer says so. To check by another one would be to check by what nobody chose.
 */
export const knowledge = async (): Promise<Pack | undefined> => {
  const file = process.env['KNOWLEDGE_PACK'];
  if (!file) return builtInPack();
  if (own?.file !== file) own = { file, pack: readOwn(file) };
  return own.pack;
};

const readOwn = async (file: string): Promise<Pack | undefined> => {
  try {
    const { readOwnPack } = await import('./own-pack.lazy.ts');
    return await readOwnPack(file, await builtInPack());
  } catch (error) {
    log.fault('the pack of order checks cannot be used', error, {});
    return undefined;
  }
};
