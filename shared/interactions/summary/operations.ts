import { linkedPage } from '../../store/linked-page.ts';
import type { Interaction } from '../context.ts';

/** `Patient/{id}/$summary`. https://hl7.org/fhir/uv/ips/OperationDefinition-summary.html */
export const summaryOfPatient: Interaction = async (context, { id }) =>
  (await import('./summary.lazy.ts')).summaryOf(context, id, linkedPage);
