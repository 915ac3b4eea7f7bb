import { expand } from '../../interactions/terms/expand.ts';
import { validateInSet } from '../../interactions/terms/validate-code.ts';
import type { OwnRoutes } from '../routes.ts';

/** What can be asked of value sets alone. https://hl7.org/fhir/R4/valueset-operations.html */
export const valueSetRoutes: OwnRoutes = {
  ValueSet: [
    { method: 'GET', path: ['$expand'], interaction: expand, name: 'operation' },
    { method: 'POST', path: ['$expand'], interaction: expand, name: 'operation' },
    { method: 'GET', path: ['{id}', '$expand'], interaction: expand, name: 'operation' },
    { method: 'POST', path: ['{id}', '$expand'], interaction: expand, name: 'operation' },
    { method: 'GET', path: ['$validate-code'], interaction: validateInSet, name: 'operation' },
    { method: 'POST', path: ['$validate-code'], interaction: validateInSet, name: 'operation' },
    { method: 'GET', path: ['{id}', '$validate-code'], interaction: validateInSet, name: 'operation' },
    { method: 'POST', path: ['{id}', '$validate-code'], interaction: validateInSet, name: 'operation' },
  ],
};
