import { builtInPack } from './built-in.ts';
import type { Pack } from './knowledge.ts';

/** The pack that orders are checked by. */
export const knowledge = async (): Promise<Pack | undefined> => builtInPack();
