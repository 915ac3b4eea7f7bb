import { markRead, thread, triage, unread } from '../../interactions/messages/operations.ts';
import { ownOperation } from '../own-operation.ts';
import type { OwnRoutes } from '../routes.ts';

/** What can be asked of messages alone. */
export const communicationRoutes: OwnRoutes = {
  Communication: [
    ownOperation('GET', 'Communication/$unread', unread),
    ownOperation('GET', 'Communication/{id}/$thread', thread),
    // Support may not change a message otherwise: who may read it is shown it again.
    ownOperation('POST', 'Communication/{id}/$read', markRead, 'r'),
    ownOperation('POST', 'Communication/{id}/$triage', triage, 'u'),
  ],
};
