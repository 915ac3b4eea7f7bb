import type { RecordTypeDefinition } from '../record-types/define-record-type.ts';
import { answerRequests } from '../work/referral-answers.ts';
import { tellOfAddenda } from './addenda.ts';
import { askForCosignature } from './cosignature.ts';
import { keepMarks, requireUnchanged } from './signature.ts';

/** What holds for records that are signed: notes and reports. Table in docs/signing.md. */
export const signable: Required<Pick<RecordTypeDefinition, 'keeps' | 'requireChange' | 'raises'>> = {
  keeps: keepMarks,
  requireChange: requireUnchanged,
  raises: (change) => [...tellOfAddenda(change), ...askForCosignature(change), ...answerRequests(change)],
};
