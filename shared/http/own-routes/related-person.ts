import { compartmentRoutes } from '../compartment-routes.ts';
import type { OwnRoutes } from '../routes.ts';

/** What can be asked of a related person alone. */
export const relatedPersonRoutes: OwnRoutes = { RelatedPerson: compartmentRoutes('RelatedPerson') };
