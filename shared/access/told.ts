import type { RefusalCode } from '../stable-codes.ts';
import type { Reason } from './question.ts';

/** What a refusal says that may be told of. */
export type Told = 'scope' | 'role' | 'delegation' | 'proxy' | 'custodian';

/** What is told of a reason; whatever concerns the one record is told as its custodian's business. */
export const toldOf = (reason: Reason): Told =>
  reason === 'not-own-record' || reason === 'originator' || reason === 'withheld' || reason === 'misfiled'
    ? 'custodian'
    : reason;

/** The stable code of a refusal that tells why. docs/access.md, "What a refusal looks like" */
export const codeOf = (told: Told): RefusalCode<'forbidden'> => codes[told];

const codes = {
  scope: 'forbidden-scope',
  role: 'forbidden-role',
  delegation: 'no-delegation',
  proxy: 'forbidden-proxy',
  custodian: 'forbidden-custodian',
} as const satisfies Readonly<Record<Told, string>>;
