// Free times are looked for and booked by people at a desk: some times an hour each.
import * as booking from './book.ts';
import { bySupport, findBySupport } from './by-support.ts';
import * as change from './change.ts';
import { find as findTimes } from './find.ts';
import { decline as declineOffer } from './waitlist.ts';

export const find = findBySupport(findTimes);
export const hold = bySupport(booking.hold);
export const book = bySupport(booking.book);
export const reschedule = bySupport(change.reschedule);
export const cancel = bySupport(change.cancel);
export const decline = bySupport(declineOffer);
export { checkIn, noShow } from './attend.ts';
export { offerTime } from './waitlist.ts';
