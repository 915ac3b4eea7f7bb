import { lookUp } from '../../interactions/terms/lookup.ts';
import { subsumes } from '../../interactions/terms/subsumes.ts';
import { validateInSystem } from '../../interactions/terms/validate-code.ts';
import type { OwnRoutes } from '../routes.ts';

/** What can be asked of code systems alone. https://hl7.org/fhir/R4/codesystem-operations.html */
export const codeSystemRoutes: OwnRoutes = {
  CodeSystem: [
    { method: 'GET', path: ['$lookup'], interaction: lookUp, name: 'operation' },
    { method: 'POST', path: ['$lookup'], interaction: lookUp, name: 'operation' },
    { method: 'GET', path: ['$validate-code'], interaction: validateInSystem, name: 'operation' },
    { method: 'POST', path: ['$validate-code'], interaction: validateInSystem, name: 'operation' },
    { method: 'GET', path: ['{id}', '$validate-code'], interaction: validateInSystem, name: 'operation' },
    { method: 'POST', path: ['{id}', '$validate-code'], interaction: validateInSystem, name: 'operation' },
    { method: 'GET', path: ['$subsumes'], interaction: subsumes, name: 'operation' },
    { method: 'POST', path: ['$subsumes'], interaction: subsumes, name: 'operation' },
    { method: 'GET', path: ['{id}', '$subsumes'], interaction: subsumes, name: 'operation' },
    { method: 'POST', path: ['{id}', '$subsumes'], interaction: subsumes, name: 'operation' },
  ],
};
