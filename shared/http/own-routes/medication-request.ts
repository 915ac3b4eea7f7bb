import type { Interaction } from '../../interactions/context.ts';
import { ownOperation } from '../own-operation.ts';
import type { OwnRoutes } from '../routes.ts';

const prescribing =
  (name: keyof typeof import('../../interactions/prescribing/prescribing.lazy.ts')): Interaction =>
  async (...asked) =>
    (await import('../../interactions/prescribing/prescribing.lazy.ts'))[name](...asked);

/** What can be asked of a prescription alone. */
export const medicationRequestRoutes: OwnRoutes = {
  MedicationRequest: [
    ownOperation('POST', 'MedicationRequest/$take-order', prescribing('takeOrder'), 'r'),
    ownOperation('POST', 'MedicationRequest/{id}/$sign', prescribing('sign'), 'u'),
    ownOperation('GET', 'MedicationRequest/{id}/$dispenses', async (...asked) =>
      (await import('../../interactions/order-use/order-use.lazy.ts')).dispensesOfOrder(...asked),
    ),
    ownOperation('POST', 'MedicationRequest/{id}/$renew', prescribing('renew'), 'u'),
    ownOperation('POST', 'MedicationRequest/{id}/$deny', prescribing('deny'), 'r'),
  ],
};
