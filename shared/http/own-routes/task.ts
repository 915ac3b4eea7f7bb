import { decideAmendment } from '../../interactions/amendments/operations.ts';
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
  ],
};
