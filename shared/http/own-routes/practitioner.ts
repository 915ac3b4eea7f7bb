import { compartmentRoutes } from '../compartment-routes.ts';
import type { OwnRoutes } from '../routes.ts';

/** What can be asked of a practitioner alone. */
export const practitionerRoutes: OwnRoutes = {
  Practitioner: [
    {
      method: 'POST',
      path: ['{id}', '$revoke-access'],
      interaction: async (context, target) =>
        (await import('../../interactions/revoke-access.lazy.ts')).revokeAccess(context, target),
      name: 'operation',
      definition: 'https://concord.example/fhir/OperationDefinition/Practitioner-revoke-access',
    },
    ...compartmentRoutes('Practitioner'),
  ],
};
