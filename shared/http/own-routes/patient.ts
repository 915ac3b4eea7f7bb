import { everything } from '../../interactions/everything.ts';
import type { OwnRoutes } from '../routes.ts';

/** What can be asked of a patient alone. https://hl7.org/fhir/R4/patient-operations.html */
export const patientRoutes: OwnRoutes = {
  Patient: [{ method: 'GET', path: ['{id}', '$everything'], interaction: everything, name: 'operation' }],
};
