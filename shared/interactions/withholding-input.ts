import type { InputDefinition } from './operation-input.ts';

/** Input of `{type}/{id}/$withhold`. A reviewer in words stands in the reference's `display`. */
export const withholdInput = {
  ground: { type: 'code', min: 1 },
  reason: { type: 'string', min: 1 },
  reviewer: { type: 'Reference', min: 1 },
} as const satisfies Readonly<Record<string, InputDefinition>>;
