/** From here on two names may be one, misspelt: one wrong letter in five, or two in other order. */
const alike = 0.9;
/** Shorter names differ by a letter without being the same: Ann and Ian. */
const shortest = 4;

/** Whether one text may be the other, misspelt. */
export const areSimilar = (a: string, b: string): boolean =>
  Math.min(a.length, b.length) >= shortest && jaroWinkler(a, b) >= alike;

/**
 * Similarity of two texts from 0 to 1: common letters near one another, fewer the more of them are in another order, more if the beginning is the
 * same. W. Winkler, "String Comparator Metrics and Enhanced Decision Rules in the Fellegi-Sunter Model" (1990).
 */
export const jaroWinkler = (a: string, b: string): number => {
  if (a === b) return 1;
  const reach = Math.max(0, Math.floor(Math.max(a.length, b.length) / 2) - 1);
  const taken = new Set<number>();
  const common: string[] = [];
  for (const [at, letter] of [...a].entries()) {
    for (let other = Math.max(0, at - reach); other <= Math.min(b.length - 1, at + reach); other++) {
      if (b[other] !== letter || taken.has(other)) continue;
      taken.add(other);
      common.push(letter);
      break;
    }
  }
  if (common.length === 0) return 0;
  const inB = [...taken].sort((x, y) => x - y).map((index) => b[index]);
  const moved = common.filter((letter, index) => letter !== inB[index]).length / 2;
  const jaro = (common.length / a.length + common.length / b.length + (common.length - moved) / common.length) / 3;
  let start = 0;
  while (start < 4 && start < a.length && a[start] === b[start]) start++;
  return jaro + start * 0.1 * (1 - jaro);
};
