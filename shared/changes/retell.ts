import { log } from '../log.ts';
import { endPassedOver, type PassedOver, passedOverBehind, passedOverLayouts } from '../store/feed/passed-over.ts';
import { appendToSequence } from '../store/feed/sequence.ts';
import { versionsOf } from '../store/feed/versions.ts';
import { network } from '../store/keys.ts';
import { isAway } from './parking.ts';
import type { Publisher } from './publish.ts';

/** Notes that are read at once. */
const notesAtOnce = 100;

/** What became of changes that were passed over. */
export interface Retold {
  /** Changes that whoever missed them was told of once more, or that are not for them any more. */
  readonly retold: number;
  /** Changes that still cannot be read. */
  readonly left: number;
}

/**
 * Tells organisations once more of what they were told of and did not get to see, because it could not be read: in their sequence, so that it comes to who polls and to Subscriptions. On the bus it was told.
 * What is not for an organisation any more is dropped.
 *
 * @param proceed - whether there is time for one more.
 * @throws whatever says that a service is away.
 */
export const retell = async (publisher: Publisher, proceed: () => boolean): Promise<Retold> => {
  const { store } = publisher;
  let [retold, left] = [0, 0];
  let after: string | undefined;
  do {
    const { rows, next } = await passedOverBehind(store, after, notesAtOnce);
    for (const row of rows) {
      if (!proceed()) return { retold, left };
      try {
        await retellOne(publisher, passedOverLayouts.reader(row.layout)(row));
        await endPassedOver(store, row);
        retold++;
      } catch (error) {
        if (isAway(error)) throw error;
        log.fault('a version that was told cannot be read yet', error);
        left++;
      }
    }
    after = next;
  } while (after !== undefined);
  if (left > 0) log.count('ChangesUnpublished', left);
  return { retold, left };
};

const retellOne = async (
  { store, recipientsOf, wake }: Publisher,
  { organization, change }: PassedOver,
): Promise<void> => {
  const { versions } = await versionsOf(store, [change], { superseded: false, current: () => true });
  const [recipients = []] = versions.length > 0 ? await recipientsOf([{ change }]) : [];
  if (!recipients.includes(organization) && !recipients.includes(network)) return;
  await appendToSequence(store, organization, { changes: [change] }, { again: true });
  await wake?.([organization]);
};
