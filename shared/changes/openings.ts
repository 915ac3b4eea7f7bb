import { chartIn, directivePrefix } from '../store/keys.ts';
import { type BreakGlassOpened, breakGlassOpenedType, breakGlassOpenedV1 } from './break-glass-opened.ts';
import { breakGlassesIn } from './break-glasses-in.ts';
import { type ConsentChanged, consentChangedType, consentChangedV1 } from './consent-changed.ts';
import { type AccessRowChange, consentChangesIn } from './consent-changes-in.ts';
import type { Telling } from './recipients.ts';
import type { ToldSights } from './told-sights.ts';

/** An event that tells of a chart being opened or closed. */
export type Opening =
  | { readonly type: typeof consentChangedType; readonly detail: ConsentChanged }
  | { readonly type: typeof breakGlassOpenedType; readonly detail: BreakGlassOpened };

/** Whether a row stands for what opens a chart or closes it. */
export const isOpening = ({ before, after }: Pick<AccessRowChange, 'before' | 'after'>): boolean => {
  const row = after ?? before;
  return row !== undefined && chartIn(row.pk) !== undefined && row.sk.startsWith(directivePrefix);
};

/**
 * What became of a row that opens a chart or closes it, as events for whom it concerns. Whatever else opens one, such as a visit, tells nobody.
 *
 * @param sights - what was told before; takes in what this tells.
 * @param place - of the change in its batch.
 * @throws WrittenByNewerRelease.
 */
export const openingsTold = async (
  telling: Telling,
  change: AccessRowChange,
  sights: ToldSights,
  place: number,
): Promise<readonly Opening[]> =>
  isOpening(change)
    ? [
        ...(await consentChangesIn(telling, change, sights, place)).map(
          (detail): Opening => ({ type: consentChangedType, detail: consentChangedV1.parse(detail) }),
        ),
        ...(await breakGlassesIn(telling, change)).map(
          (detail): Opening => ({ type: breakGlassOpenedType, detail: breakGlassOpenedV1.parse(detail) }),
        ),
      ]
    : [];
