import type { InputDefinition } from '../operation-input.ts';

/** Input of `Patient/$reconcile-medications`: a List whose entries name what is decided on, with the decision and its reason as `flag`. */
export const reconcileInput = {
  list: { type: 'Resource', min: 1 },
} as const satisfies Readonly<Record<string, InputDefinition>>;
