import type { Interaction } from '../../interactions/context.ts';
import { backport } from '../../subscriptions/backport.ts';
import { ownOperation } from '../own-operation.ts';
import type { OwnRoutes, Route } from '../routes.ts';

type Operation = keyof typeof import('../../interactions/subscriptions/operations.lazy.ts');

const operation =
  (name: Operation): Interaction =>
  async (...asked) =>
    (await import('../../interactions/subscriptions/operations.lazy.ts'))[name](...asked);

/** Operations of the guide, by GET and by POST. https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/artifacts.html#behavior-operation-definitions */
const ofGuide = (path: readonly string[], interaction: Interaction): Route[] =>
  (['GET', 'POST'] as const).map((method) => ({
    method,
    path,
    interaction,
    name: 'operation',
    definition: `${backport}/OperationDefinition/backport-subscription-${path.at(-1)?.slice(1)}`,
  }));

/** What can be asked of Subscriptions alone. */
export const subscriptionRoutes: OwnRoutes = {
  Subscription: [
    ...ofGuide(['$status'], operation('statusOfAll')),
    ...ofGuide(['{id}', '$status'], operation('status')),
    ...ofGuide(['{id}', '$events'], operation('events')),
    ownOperation('POST', 'Subscription/{id}/$redrive', operation('redrive'), 'u'),
  ],
};
