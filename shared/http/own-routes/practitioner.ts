import type { Interaction } from '../../interactions/context.ts';
import { compartmentRoutes } from '../compartment-routes.ts';
import { ownOperation } from '../own-operation.ts';
import type { OwnRoutes } from '../routes.ts';

const revokeAccess: Interaction = async (...asked) =>
  (await import('../../interactions/revoke-access.lazy.ts')).revokeAccess(...asked);

/** What can be asked of a practitioner alone. */
export const practitionerRoutes: OwnRoutes = {
  Practitioner: [
    ownOperation('POST', 'Practitioner/{id}/$revoke-access', revokeAccess, 'u'),
    ...compartmentRoutes('Practitioner'),
  ],
};
