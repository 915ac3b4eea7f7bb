import type { CodeTable } from './profile.ts';

/** A code, and its system where the element has one. */
export interface Coded {
  readonly system?: string | undefined;
  readonly code?: string | undefined;
}

const has = (codes: string | null | undefined, code: string): boolean =>
  typeof codes === 'string' && codes.split(' ').includes(code);

/**
 * Whether a value set has a code.
 *
 * @param coded - a Coding or Quantity; of a code or a text, whose system the element implies, only `code`, with `isBare`.
 * @returns undefined if what is held of the set does not tell.
 */
export const isMember = (
  { systems, excluded = {}, open }: CodeTable,
  { system, code }: Coded,
  isBare = false,
): boolean | undefined => {
  if (code === undefined) return false;
  if (isBare) {
    const lists = Object.values(systems);
    if (lists.some((codes) => has(codes, code))) return true;
    return open || lists.includes(null) ? undefined : false;
  }
  if (system === undefined || has(excluded[system], code)) return false;
  const codes = systems[system];
  if (has(codes, code)) return true;
  return codes === null || open ? undefined : false;
};
