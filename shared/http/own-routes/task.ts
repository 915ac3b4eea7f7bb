import { decideAmendment } from '../../interactions/amendments/operations.ts';
import { progress } from '../../interactions/progress/operation.ts';
import type { OwnRoutes } from '../routes.ts';

/** What can be asked of a task alone. */
export const taskRoutes: OwnRoutes = {
  Task: [
    {
      method: 'POST',
      path: ['{id}', '$decide-amendment'],
      interaction: decideAmendment,
      name: 'operation',
      definition: 'https://concord.example/fhir/OperationDefinition/Task-decide-amendment',
    },
    {
      method: 'POST',
      path: ['{id}', '$progress'],
      interaction: progress,
      name: 'operation',
      definition: 'https://concord.example/fhir/OperationDefinition/Task-progress',
    },
  ],
};
