import { thread } from '../../interactions/messages/operations.ts';
import type { OwnRoutes } from '../routes.ts';

/** What can be asked of messages alone. */
export const communicationRoutes: OwnRoutes = {
  Communication: [
    {
      method: 'GET',
      path: ['{id}', '$thread'],
      interaction: thread,
      name: 'operation',
      definition: 'https://concord.example/fhir/OperationDefinition/Communication-thread',
    },
  ],
};
