import {
  readContent,
  readContentVersion,
  updateContent,
  updateContentByCondition,
} from '../../interactions/content.ts';
import type { Interaction } from '../../interactions/context.ts';
import { ownOperation } from '../own-operation.ts';
import type { OwnRoutes } from '../routes.ts';

const uploading =
  (name: 'upload' | 'complete' | 'download'): Interaction =>
  async (...asked) =>
    (await import('../../interactions/uploading/uploading.lazy.ts'))[name](...asked);

/** A Binary is asked for and sent as what it is. https://hl7.org/fhir/R4/binary.html#rest */
export const binaryRoutes: OwnRoutes = {
  Binary: [
    { method: 'GET', path: ['{id}'], interaction: readContent, name: 'read' },
    { method: 'GET', path: ['{id}', '_history', '{version}'], interaction: readContentVersion, name: 'vread' },
    { method: 'PUT', path: ['{id}'], interaction: updateContent, name: 'update' },
    { method: 'PUT', path: [], interaction: updateContentByCondition, name: 'update' },
    ownOperation('POST', 'Binary/$upload', uploading('upload')),
    ownOperation('POST', 'Binary/$complete', uploading('complete')),
    ownOperation('GET', 'Binary/{id}/$download', uploading('download')),
  ],
};
