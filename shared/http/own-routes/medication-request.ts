import { ownOperation } from '../own-operation.ts';
import type { OwnRoutes } from '../routes.ts';

/** What can be asked of a prescription alone. */
export const medicationRequestRoutes: OwnRoutes = {
  MedicationRequest: [
    ownOperation(
      'POST',
      'MedicationRequest/{id}/$sign',
      async (...asked) => (await import('../../interactions/prescribing/prescribing.lazy.ts')).sign(...asked),
      'u',
    ),
  ],
};
