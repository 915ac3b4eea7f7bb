import type { InputDefinition } from '../operation-input.ts';

/** Input of `Patient/$grant-proxy`. Evidence in words stands in the reference's `display`. */
export const grantProxyInput = {
  proxy: { type: 'Reference', min: 1 },
  basis: { type: 'code', min: 1 },
  evidence: { type: 'Reference', min: 1 },
  rights: { type: 'code' },
  period: { type: 'Period' },
  activated: { type: 'dateTime' },
} as const satisfies Readonly<Record<string, InputDefinition>>;

/** Input of `Patient/$end-proxy`. */
export const endProxyInput = {
  proxy: { type: 'Reference', min: 1 },
  evidence: { type: 'Reference', min: 1 },
} as const satisfies Readonly<Record<string, InputDefinition>>;

/** Input of `Patient/$emancipate`. */
export const emancipateInput = {
  evidence: { type: 'Reference', min: 1 },
  since: { type: 'date' },
} as const satisfies Readonly<Record<string, InputDefinition>>;

/** Input of any of these. */
export const recordedInput = {
  ...grantProxyInput,
  ...emancipateInput,
  proxy: { type: 'Reference' },
  basis: { type: 'code' },
} as const satisfies Readonly<Record<string, InputDefinition>>;
