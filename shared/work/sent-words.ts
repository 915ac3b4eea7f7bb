import { isDeepStrictEqual } from 'node:util';
import type { Caller } from '../access/caller.ts';
import { RecordError } from '../errors.ts';
import type { Resource } from '../fhir/resource.ts';
import { checkOf } from './check-state.ts';
import { type RecordFlag, withFlag } from './flags.ts';
import { receiptsOf } from './receipts.ts';

// https://hl7.org/fhir/R4/communication.html

/** States of a message that somebody may have read. */
const sent: ReadonlySet<string> = new Set(['completed', 'stopped', 'entered-in-error']);

/** Whether somebody has, or may have, read it: a receipt is for the words that its reader saw. */
const wasSent = (message: Resource): boolean =>
  sent.has((message as unknown as fhir4.Communication).status) || receiptsOf(message).length > 0;

/** What of a message is said, to whom, by whom, in answer to what. What is done with it, such as its category, may change. */
const said = [
  'payload',
  'contained',
  'recipient',
  'sender',
  '_sender',
  'sent',
  '_sent',
  'about',
  'inResponseTo',
  'medium',
] as const;

/** The first element of what was sent that reads otherwise. When it was sent may be told later. */
const changedIn = (before: Resource | undefined, next: Resource): string | undefined =>
  before && wasSent(before)
    ? said.find(
        (element) =>
          !isDeepStrictEqual(before[element], next[element]) && !(element === 'sent' && before[element] === undefined),
      )
    : undefined;

/**
 * Requires that a message stays as it was sent: who was wrong says that it was entered in error, and writes another one in response to it. A deletion would let its id
 * say something else. An organisation's own system tells what others have kept, and is not refused: see `withRewritingFlagged`.
 *
 * @throws RecordError `business-rule` naming the element.
 */
export const requireSentWords = (
  before: Resource | undefined,
  next: Resource | undefined,
  { roles }: Pick<Caller, 'roles'>,
): void => {
  if (!before || roles.includes('system') || !wasSent(before)) return;
  const changed = next ? changedIn(before, next) : 'status';
  if (changed === undefined) return;
  throw new RecordError(
    'business-rule',
    'What was sent stays as it is. Say that it was entered in error, and write another message in response to it',
    { reason: 'words-sent', expression: `Communication.${changed}` },
  );
};

/** A version says itself that it is not what was sent. */
export const rewritten: RecordFlag = {
  system: 'https://concord.example/fhir/CodeSystem/work',
  code: 'rewritten',
  display: 'It reads otherwise than what was sent',
};

/** A version with a flag if it, or an earlier one, is not what was sent: facts are stored all the same. */
export const withRewritingFlagged = (before: Resource | undefined, next: Resource): Resource =>
  withFlag(rewritten, { before, next, earned: changedIn(before, next) !== undefined });

/** A message that an interface has written anew is looked at by somebody. */
export const checkOfWords = checkOf(
  rewritten,
  'This message reads otherwise than it was sent. Check it, then take its flag off',
);
