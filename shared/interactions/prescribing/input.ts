import type { InputDefinition } from '../operation-input.ts';

/** Input of `MedicationRequest/{id}/$sign`: why it is signed in spite of what stands against it. */
export const signOrderInput = { overrideReason: { type: 'string' } } as const satisfies Readonly<
  Record<string, InputDefinition>
>;
