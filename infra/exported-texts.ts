import { pathToFileURL } from 'node:url';

/**
 * What a module exports that holds texts and nothing else.
 *
 * @param path - of its source.
 * @throws Error naming an export that is no text.
 */
export const exportedTexts = async (path: string): Promise<Readonly<Record<string, string>>> => {
  const texts = { ...((await import(pathToFileURL(path).href)) as Record<string, unknown>) };
  for (const [name, text] of Object.entries(texts)) {
    if (typeof text !== 'string') throw new Error(`${path}: ${name} is no text`);
  }
  return texts as Record<string, string>;
};
