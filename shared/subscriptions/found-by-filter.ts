import { decideType } from '../access/decide.ts';
import type { Asking } from '../access/question.ts';
import { factsOfType } from '../record-types/subjects.ts';
import type { RecordChange } from '../store/feed/change.ts';
import type { Notification } from '../store/subscriptions/notifications.ts';

/**
 * Whether somebody may be told of an event, as far as a filter chose it: which records one finds tells what they say, so it is for who may read
 * records of the type. Whoever may write or read Subscriptions, and no such records, is not to be told what the filters of somebody else found.
 */
export const mayKnowFound = (
  asking: Asking,
  { filtered = false }: Pick<Notification, 'filtered'>,
  { type }: Pick<RecordChange, 'type'>,
): boolean => !filtered || decideType(asking, 'r', factsOfType(type)).permit;
