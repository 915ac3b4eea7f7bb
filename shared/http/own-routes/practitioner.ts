import { compartmentRoutes } from '../compartment-routes.ts';
import type { OwnRoutes } from '../routes.ts';

/** What can be asked of a practitioner alone. */
export const practitionerRoutes: OwnRoutes = { Practitioner: compartmentRoutes('Practitioner') };
