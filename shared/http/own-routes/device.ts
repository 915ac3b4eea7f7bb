import { compartmentRoutes } from '../compartment-routes.ts';
import type { OwnRoutes } from '../routes.ts';

/** What can be asked of a device alone. */
export const deviceRoutes: OwnRoutes = { Device: compartmentRoutes('Device') };
