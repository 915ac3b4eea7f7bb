import { markRead, thread, unread } from '../../interactions/messages/operations.ts';
import type { OwnRoutes, Route } from '../routes.ts';

const operation = (
  method: Route['method'],
  name: string,
  interaction: Route['interaction'],
  of: readonly string[] = ['{id}'],
): Route => ({
  method,
  path: [...of, `$${name}`],
  interaction,
  name: 'operation',
  definition: `https://concord.example/fhir/OperationDefinition/Communication-${name}`,
});

/** What can be asked of messages alone. */
export const communicationRoutes: OwnRoutes = {
  Communication: [
    operation('GET', 'unread', unread, []),
    operation('GET', 'thread', thread),
    operation('POST', 'read', markRead),
  ],
};
