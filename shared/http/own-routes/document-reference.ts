import { documentReferences } from '../../interactions/docref.ts';
import type { OwnRoutes } from '../routes.ts';
import { signingRoutes } from '../signing-routes.ts';

const docref = 'http://hl7.org/fhir/us/core/OperationDefinition/docref';

/** What US Core asks of references to documents alone. */
export const documentReferenceRoutes: OwnRoutes = {
  DocumentReference: [
    { method: 'GET', path: ['$docref'], interaction: documentReferences, name: 'operation', definition: docref },
    { method: 'POST', path: ['$docref'], interaction: documentReferences, name: 'operation', definition: docref },
    ...signingRoutes('DocumentReference'),
  ],
};
