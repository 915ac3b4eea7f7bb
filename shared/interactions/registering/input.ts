import type { InputDefinition } from '../operation-input.ts';

/** Input of `Patient/$register`: who it is, whether somebody has looked at who it may be already, and whose newborn it is. */
export const registerInput = {
  patient: { type: 'Resource', min: 1 },
  confirmed: { type: 'boolean' },
  mother: { type: 'Reference' },
} as const satisfies Readonly<Record<string, InputDefinition>>;
