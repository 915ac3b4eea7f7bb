import {
  book,
  cancel,
  checkIn,
  decline,
  find,
  hold,
  noShow,
  offerTime,
  reschedule,
} from '../../interactions/booking/operations.ts';
import { ownOperation } from '../own-operation.ts';
import type { OwnRoutes, Route } from '../routes.ts';

/** What books may be asked for by support staff, too. Who comes and who does not, those tell who are there. */
const booking = (...what: Parameters<typeof ownOperation>): Route => ({ ...ownOperation(...what), books: true });

/** What can be asked of appointments alone. */
export const appointmentRoutes: OwnRoutes = {
  Appointment: [
    booking('GET', 'Appointment/$find', find),
    booking('POST', 'Appointment/$find', find),
    booking('POST', 'Appointment/$hold', hold, 'c'),
    booking('POST', 'Appointment/$book', book, 'c'),
    booking('POST', 'Appointment/{id}/$reschedule', reschedule, 'u'),
    booking('POST', 'Appointment/{id}/$cancel', cancel, 'u'),
    booking('POST', 'Appointment/{id}/$decline', decline, 'u'),
    ownOperation('POST', 'Appointment/$offer', offerTime, 'u'),
    ownOperation('POST', 'Appointment/{id}/$check-in', checkIn, 'u'),
    ownOperation('POST', 'Appointment/{id}/$no-show', noShow, 'u'),
  ],
};
