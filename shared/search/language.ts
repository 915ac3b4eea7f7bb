import { loadUnits, type Units } from './units.ts';

/** What few searches need in order to be read. */
export interface SearchLanguage {
  /** The grammar of `_filter`. */
  readonly parseFilter?: typeof import('./parse/filter.lazy.ts')['parseFilter'] | undefined;
  /** For distances. */
  readonly units?: Units | undefined;
}

/** Loads what these names and values need beyond the language that all searches have in common. */
export const languageOf = async (
  sent: readonly (readonly [name: string, value: string])[],
): Promise<SearchLanguage> => ({
  ...(sent.some(([name]) => /^_filter\b/.test(name))
    ? { parseFilter: (await import('./parse/filter.lazy.ts')).parseFilter }
    : {}),
  ...(sent.some(([name]) => /\bnear\b/.test(name)) ? { units: await loadUnits() } : {}),
});
