import { decideAmendment } from '../../interactions/amendments/operations.ts';
import { progress } from '../../interactions/progress/operation.ts';
import { acknowledge } from '../../interactions/results/operations.ts';
import { claim, inbox, overdue, unclaim } from '../../interactions/work/operations.ts';
import { ownOperation } from '../own-operation.ts';
import type { OwnRoutes } from '../routes.ts';

/** What can be asked of a task alone. */
export const taskRoutes: OwnRoutes = {
  Task: [
    ownOperation('GET', 'Task/$inbox', inbox),
    ownOperation('GET', 'Task/$overdue', overdue),
    ownOperation('POST', 'Task/{id}/$claim', claim, 'u'),
    ownOperation('POST', 'Task/{id}/$unclaim', unclaim, 'u'),
    ownOperation('POST', 'Task/{id}/$acknowledge', acknowledge, 'u'),
    ownOperation('POST', 'Task/{id}/$decide-amendment', decideAmendment, 'u'),
    // Support may not change a Task otherwise: who may read it is shown it again.
    ownOperation('POST', 'Task/{id}/$progress', progress, 'r'),
  ],
};
