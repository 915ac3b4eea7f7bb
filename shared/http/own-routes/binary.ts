import {
  readContent,
  readContentVersion,
  updateContent,
  updateContentByCondition,
} from '../../interactions/content.ts';
import type { OwnRoutes } from '../routes.ts';

/** A Binary is asked for and sent as what it is. https://hl7.org/fhir/R4/binary.html#rest */
export const binaryRoutes: OwnRoutes = {
  Binary: [
    { method: 'GET', path: ['{id}'], interaction: readContent, name: 'read' },
    { method: 'GET', path: ['{id}', '_history', '{version}'], interaction: readContentVersion, name: 'vread' },
    { method: 'PUT', path: ['{id}'], interaction: updateContent, name: 'update' },
    { method: 'PUT', path: [], interaction: updateContentByCondition, name: 'update' },
  ],
};
