import { foldText } from '../search/fold.ts';

/**
 * Whether texts have all words of a filter, each at the beginning of a word of theirs: `acut ast` finds `Acute asthma`. A filter of signs alone,
 * which folding would leave nothing of, is looked for as it stands.
 */
export const wordFilter = (filter: string): ((texts: readonly string[]) => boolean) => {
  const folded = foldText(filter);
  if (folded === '') {
    const signs = filter.trim();
    return (texts) => texts.some((text) => text.includes(signs));
  }
  const words = [...new Set(folded.split(' '))];
  return (texts) => {
    const all = ` ${texts.map(foldText).join(' ')}`;
    return words.every((word) => all.includes(` ${word}`));
  };
};
