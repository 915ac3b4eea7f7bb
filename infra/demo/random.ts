/**
 * A stream of pseudo-random numbers that a seed decides: sfc32, small and fast, with a period of at least 2^32 for each seed.
 * Not for secrets.
 *
 * @see https://pracrand.sourceforge.net/RNG_engines.txt
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /**
   * @param seed - a whole number from 0 to 2^53 - 1.
   * @param stream - tells apart streams of the same seed, so that drawing more from one changes nothing in another.
   */
  constructor(seed: number, stream = 0) {
    this.#a = seed | 0;
    this.#b = Math.floor(seed / 2 ** 32) | 0;
    this.#c = stream | 0;
    for (let round = 0; round < 15; round += 1) this.bits(); // until every bit of the state depends on every bit of the seed
  }

  /** 32 random bits, as a number from 0 to 2^32 - 1. */
  bits(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** A number from `min` up to but not including `max`. */
  between(min: number, max: number): number {
    return min + (this.bits() / 2 ** 32) * (max - min);
  }

  /** A whole number from `min` to `max`, both included. */
  whole(min: number, max: number): number {
    return Math.floor(this.between(min, max + 1));
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.between(0, 1) < probability;
  }

  /** One of the members. Throws RangeError if there is none. */
  pick<T>(members: readonly T[]): T {
    const picked = members[this.whole(0, members.length - 1)];
    if (picked === undefined) throw new RangeError('there is nothing to pick from');
    return picked;
  }

  /** Normally distributed, never further than three deviations from the mean. Box and Muller's method. */
  normal(mean: number, deviation: number): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.between(0, 1)));
    const standard = radius * Math.cos(2 * Math.PI * this.between(0, 1));
    return mean + deviation * Math.max(-3, Math.min(3, standard));
  }

  /** A UUID of version 8, whose bits are the maker's own: RFC 9562, section 5.8. */
  uuid(): string {
    const hex = Array.from({ length: 4 }, () => this.bits().toString(16).padStart(8, '0')).join('');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
  }
}
