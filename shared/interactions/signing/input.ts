import type { InputDefinition } from '../operation-input.ts';

type Input = Readonly<Record<string, InputDefinition>>;

/** Input of `{type}/{id}/$sign`: who is to sign besides. */
export const signInput = { cosigner: { type: 'Reference' } } as const satisfies Input;
/** Input of `{type}/{id}/$retract`. */
export const retractInput = { reason: { type: 'string', min: 1 } } as const satisfies Input;
