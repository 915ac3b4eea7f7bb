import { book, find } from '../../interactions/booking/operations.ts';
import type { OwnRoutes } from '../routes.ts';

/** What can be asked of appointments alone. */
export const appointmentRoutes: OwnRoutes = {
  Appointment: [
    {
      method: 'POST',
      path: ['$find'],
      interaction: find,
      name: 'operation',
      definition: 'https://concord.example/fhir/OperationDefinition/Appointment-find',
    },
    {
      method: 'POST',
      path: ['$book'],
      interaction: book,
      name: 'operation',
      once: true,
      definition: 'https://concord.example/fhir/OperationDefinition/Appointment-book',
    },
  ],
};
