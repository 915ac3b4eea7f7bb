import type { InputDefinition } from '../operation-input.ts';

/** Input of `Patient/{id}/$merge` and `$unmerge`: the other record of the person. */
export const mergeInput = { source: { type: 'Reference', min: 1 } } as const satisfies Readonly<
  Record<string, InputDefinition>
>;
