import { acknowledgedInApi } from './acknowledged/api.ts';
import { acknowledgedInBackups } from './acknowledged/backups.ts';
import { acknowledgedInDocuments } from './acknowledged/documents.ts';
import { acknowledgedOfFunctions } from './acknowledged/functions.ts';
import { acknowledgedInObservability } from './acknowledged/observability.ts';
import { acknowledgedInSharing } from './acknowledged/sharing.ts';
import { acknowledgedInSignIn } from './acknowledged/sign-in.ts';
import type { Acknowledgement } from './acknowledgement.ts';

/** Every finding that stays, with its reason. One that nothing needs any more is an error, like a finding that is not here. */
export const acknowledgements: readonly Acknowledgement[] = [
  ...acknowledgedOfFunctions,
  ...acknowledgedInDocuments,
  ...acknowledgedInBackups,
  ...acknowledgedInSignIn,
  ...acknowledgedInSharing,
  ...acknowledgedInApi,
  ...acknowledgedInObservability,
];
