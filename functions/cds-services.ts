import { serveCdsServices } from '../shared/http/serve-cds-services.ts';

/** `/cds-services`: order checks for other systems, as CDS Hooks. */
export const handler = serveCdsServices();
