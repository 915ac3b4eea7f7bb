import { decideAmendment } from '../../interactions/amendments/operations.ts';
import { progress } from '../../interactions/progress/operation.ts';
import { claim, inbox, unclaim } from '../../interactions/work/operations.ts';
import type { OwnRoutes, Route } from '../routes.ts';

const taskOperation = (
  method: Route['method'],
  name: string,
  interaction: Route['interaction'],
  of: readonly string[] = ['{id}'],
): Route => ({
  method,
  path: [...of, `$${name}`],
  interaction,
  name: 'operation',
  definition: `https://concord.example/fhir/OperationDefinition/Task-${name}`,
});

/** What can be asked of a task alone. */
export const taskRoutes: OwnRoutes = {
  Task: [
    taskOperation('GET', 'inbox', inbox, []),
    taskOperation('POST', 'claim', claim),
    taskOperation('POST', 'unclaim', unclaim),
    taskOperation('POST', 'decide-amendment', decideAmendment),
    taskOperation('POST', 'progress', progress),
  ],
};
