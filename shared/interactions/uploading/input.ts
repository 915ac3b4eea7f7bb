import type { InputDefinition } from '../operation-input.ts';

type Input = Readonly<Record<string, InputDefinition>>;

/** Input of `Binary/$upload`: what is going to be uploaded. */
export const uploadInput = {
  contentType: { type: 'string', min: 1 },
  size: { type: 'positiveInt', min: 1 },
  sha256: { type: 'string', min: 1 },
  securityContext: { type: 'Reference' },
} as const satisfies Input;

/** Input of `Binary/$complete`: what `$upload` gave. */
export const completeInput = { upload: { type: 'string', min: 1 } } as const satisfies Input;
