import { book, cancel, checkIn, find, hold, noShow, reschedule } from '../../interactions/booking/operations.ts';
import type { OwnRoutes, Route } from '../routes.ts';

const operation = (name: string, interaction: Route['interaction'], of: readonly string[] = []): Route => ({
  method: 'POST',
  path: [...of, `$${name}`],
  interaction,
  name: 'operation',
  definition: `https://concord.example/fhir/OperationDefinition/Appointment-${name}`,
});

/** What books may be asked for by support staff, too. Who comes and who does not, those tell who are there. */
const booking = (...what: Parameters<typeof operation>): Route => ({ ...operation(...what), books: true });

/** What can be asked of appointments alone. */
export const appointmentRoutes: OwnRoutes = {
  Appointment: [
    booking('find', find),
    { ...booking('hold', hold), once: true },
    { ...booking('book', book), once: true },
    { ...booking('reschedule', reschedule, ['{id}']), once: true },
    { ...booking('cancel', cancel, ['{id}']), once: true },
    { ...operation('check-in', checkIn, ['{id}']), once: true },
    { ...operation('no-show', noShow, ['{id}']), once: true },
  ],
};
