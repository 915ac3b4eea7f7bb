import type { Question, Verdict } from '../question.ts';

/** Staff reach what their own organisation keeps. */
export const custodian = ({ asking, record }: Question): Verdict =>
  record.custodian === asking.caller.organization ? 'permit' : undefined;
