import { marshall } from '@aws-sdk/util-dynamodb';
import type { LockedObjects } from '../../store/locked-objects.ts';
import { rowHash } from '../chain/row-hash.ts';
import type { WasHeld } from '../chain/verify.ts';
import { heldPrefix, rowHeld } from './held-access.ts';

/** Whether a row of the log is the very one that was held where it says. */
export const isHeld = async (locked: LockedObjects, { held, ...row }: Parameters<WasHeld>[0]): Promise<boolean> => {
  const object = typeof held === 'string' && held.startsWith(heldPrefix) ? await locked.get(held) : undefined;
  return object !== undefined && rowHash(marshall(rowHeld(object))) === rowHash(marshall(row));
};
