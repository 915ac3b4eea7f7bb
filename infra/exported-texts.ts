import { pathToFileURL } from 'node:url';

/**
 * What a module exports that holds texts and nothing else.
 *
 * @param path - of its source.
 * @throws Error naming an export that is no text.
 */
export const exportedTexts = async (path: string): Promise<Readonly<Record<string, string>>> => {
  const texts = await exportedTextsAndLists(path);
  for (const [name, text] of Object.entries(texts)) {
    if (typeof text !== 'string') throw new Error(`${path}: ${name} is no text`);
  }
  return texts as Record<string, string>;
};

/**
 * The same of a module that may also export lists of words.
 *
 * @throws Error naming an export that is neither.
 */
export const exportedTextsAndLists = async (
  path: string,
): Promise<Readonly<Record<string, string | readonly string[]>>> => {
  const exported = { ...((await import(pathToFileURL(path).href)) as Record<string, unknown>) };
  const isWord = (item: unknown) => typeof item === 'string' && /^\S+$/.test(item);
  for (const [name, value] of Object.entries(exported)) {
    if (typeof value !== 'string' && !(Array.isArray(value) && value.every(isWord))) {
      throw new Error(`${path}: ${name} is neither a text nor a list of words`);
    }
  }
  return exported as Record<string, string | readonly string[]>;
};
