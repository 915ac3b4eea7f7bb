import type { $ZodType } from 'zod/v4/core';

/** A zod schema that is set up when a value first meets it. */
class LazySchema {
  readonly #make: () => $ZodType;

  constructor(make: () => $ZodType, own: object) {
    this.#make = make;
    Object.assign(this, own);
  }

  get _zod(): $ZodType['_zod'] {
    const { _zod } = this.#make();
    Object.defineProperty(this, '_zod', { value: _zod });
    return _zod;
  }
}

/**
 * Puts off setting up a schema, which zod does in some 20 µs: a function has a hundred of them when it is loaded, the one for bundles over a
 * thousand, and a request meets a few.
 *
 * @param own - what the schema shows besides, at hand at once.
 */
export const lazySchema = <S extends $ZodType>(make: () => $ZodType, own: Omit<S, keyof $ZodType>): S =>
  new LazySchema(make, own) as unknown as S;
