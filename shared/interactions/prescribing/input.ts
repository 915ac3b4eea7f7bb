import type { InputDefinition } from '../operation-input.ts';

type Input = Readonly<Record<string, InputDefinition>>;

/** Input of `MedicationRequest/{id}/$sign`: why it is signed in spite of what stands against it. */
export const signOrderInput = { overrideReason: { type: 'string' } } as const satisfies Input;

/** Input of `MedicationRequest/$take-order`: the order, how it was given, and whether it was read back to who gave it. */
export const takeOrderInput = {
  order: { type: 'Resource', min: 1 },
  given: { type: 'code', min: 1 },
  readBack: { type: 'boolean' },
} as const satisfies Input;

/** Input of `MedicationRequest/{id}/$renew`: the Task that asks for it, what is ordered instead, and why it is signed in spite of what stands against it. */
export const renewOrderInput = {
  task: { type: 'Reference' },
  order: { type: 'Resource' },
  overrideReason: { type: 'string' },
} as const satisfies Input;

/** Input of `MedicationRequest/{id}/$deny`. */
export const denyOrderInput = { reason: { type: 'string', min: 1 } } as const satisfies Input;
