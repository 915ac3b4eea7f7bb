import type { Question, Verdict } from '../question.ts';
import { reads } from '../scopes.ts';

/** What another organisation keeps is read as far as the patient shares it, and not written. */
export const sharing = ({ asking, action, type, record, sharing: shares }: Question): Verdict =>
  reads(action) && shares?.(asking.caller, type, record) ? 'permit' : 'custodian';
