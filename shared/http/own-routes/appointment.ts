import { book, cancel, find, hold, reschedule } from '../../interactions/booking/operations.ts';
import type { OwnRoutes, Route } from '../routes.ts';

const operation = (name: string, interaction: Route['interaction'], of: readonly string[] = []): Route => ({
  method: 'POST',
  path: [...of, `$${name}`],
  interaction,
  name: 'operation',
  definition: `https://concord.example/fhir/OperationDefinition/Appointment-${name}`,
  books: true,
});

/** What can be asked of appointments alone. */
export const appointmentRoutes: OwnRoutes = {
  Appointment: [
    operation('find', find),
    { ...operation('hold', hold), once: true },
    { ...operation('book', book), once: true },
    { ...operation('reschedule', reschedule, ['{id}']), once: true },
    { ...operation('cancel', cancel, ['{id}']), once: true },
  ],
};
