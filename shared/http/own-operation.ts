import type { Interaction } from '../interactions/context.ts';
import type { Route } from './routes.ts';

/** The route of an operation that Concord defines itself, of a record or of its type. */
export const ownOperation = (
  method: Route['method'],
  at: `${string}/${'' | '{id}/'}$${string}`,
  interaction: Interaction,
  once?: Route['once'],
): Route => {
  const [type, ...path] = at.split('/');
  return {
    method,
    path,
    interaction,
    name: 'operation',
    definition: `https://concord.example/fhir/OperationDefinition/${type}-${path.at(-1)?.slice(1)}`,
    ...(once ? { once } : {}),
  };
};
