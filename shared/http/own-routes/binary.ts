import {
  readContent,
  readContentVersion,
  updateContent,
  updateContentByCondition,
} from '../../interactions/content.ts';
import type { Interaction } from '../../interactions/context.ts';
import type { OwnRoutes, Route } from '../routes.ts';

const operation = (
  method: Route['method'],
  path: readonly string[],
  name: 'upload' | 'complete' | 'download',
): Route => ({
  method,
  path: [...path, `$${name}`],
  interaction: (async (...asked) =>
    (await import('../../interactions/uploading/uploading.lazy.ts'))[name](...asked)) satisfies Interaction,
  name: 'operation',
  definition: `https://concord.example/fhir/OperationDefinition/Binary-${name}`,
});

/** A Binary is asked for and sent as what it is. https://hl7.org/fhir/R4/binary.html#rest */
export const binaryRoutes: OwnRoutes = {
  Binary: [
    { method: 'GET', path: ['{id}'], interaction: readContent, name: 'read' },
    { method: 'GET', path: ['{id}', '_history', '{version}'], interaction: readContentVersion, name: 'vread' },
    { method: 'PUT', path: ['{id}'], interaction: updateContent, name: 'update' },
    { method: 'PUT', path: [], interaction: updateContentByCondition, name: 'update' },
    operation('POST', [], 'upload'),
    operation('POST', [], 'complete'),
    operation('GET', ['{id}'], 'download'),
  ],
};
