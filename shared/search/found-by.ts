import type { Lookup, RecordFacts } from './facts.ts';
import { unsupportedParameter } from './refusal.ts';

/** Name of the parameter that a lookup stands for, for a refusal. */
export const lookupName = (lookup: Lookup): string => ('name' in lookup ? lookup.name : '_list');

/**
 * What a lookup has found.
 *
 * @throws RecordError `not-supported` if it was not made.
 */
export const foundBy = (
  lookup: Lookup,
  { lookups }: Pick<RecordFacts, 'lookups'>,
): { has(reference: string): boolean } => {
  const found = lookups?.get(lookup);
  if (!found) throw unsupportedParameter(lookupName(lookup), 'This parameter is not supported here');
  return found;
};
