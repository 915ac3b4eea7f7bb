// Free times are looked for and booked by people at a desk: some times an hour each.
import type { Interaction } from '../context.ts';
import { lookAgain } from '../look-again.ts';
import * as attend from './attend.ts';
import * as booking from './book.ts';
import { bySupport, findBySupport } from './by-support.ts';
import * as change from './change.ts';
import { find as findTimes } from './find.ts';
import { decline as declineOffer } from './waitlist.ts';

/** What an appointment names may have become a visit to a programme. */
const again =
  (interaction: Interaction): Interaction =>
  (...asked) =>
    lookAgain(() => interaction(...asked));

export const find = findBySupport(findTimes);
export const hold = bySupport(again(booking.hold));
export const book = bySupport(again(booking.book));
export const reschedule = bySupport(again(change.reschedule));
export const cancel = bySupport(again(change.cancel));
export const decline = bySupport(again(declineOffer));
export const checkIn = again(attend.checkIn);
export const noShow = again(attend.noShow);
export { offerTime } from './waitlist.ts';
