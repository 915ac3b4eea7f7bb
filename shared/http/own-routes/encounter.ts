import { everythingOfEncounter } from '../../interactions/everything/operations.ts';
import { compartmentRoutes } from '../compartment-routes.ts';
import type { OwnRoutes } from '../routes.ts';

/** What can be asked of a visit alone. https://hl7.org/fhir/R4/encounter-operations.html */
export const encounterRoutes: OwnRoutes = {
  Encounter: [
    { method: 'GET', path: ['{id}', '$everything'], interaction: everythingOfEncounter, name: 'operation' },
    { method: 'POST', path: ['{id}', '$everything'], interaction: everythingOfEncounter, name: 'operation' },
    ...compartmentRoutes('Encounter'),
  ],
};
