import { documentOf } from '../../interactions/document.ts';
import type { OwnRoutes } from '../routes.ts';
import { signingRoutes } from '../signing-routes.ts';

/** What can be asked of a composition alone. https://hl7.org/fhir/R4/composition-operations.html */
export const compositionRoutes: OwnRoutes = {
  Composition: [
    { method: 'GET', path: ['$document'], interaction: documentOf, name: 'operation' },
    { method: 'POST', path: ['$document'], interaction: documentOf, name: 'operation' },
    { method: 'GET', path: ['{id}', '$document'], interaction: documentOf, name: 'operation' },
    { method: 'POST', path: ['{id}', '$document'], interaction: documentOf, name: 'operation' },
    ...signingRoutes('Composition'),
  ],
};
