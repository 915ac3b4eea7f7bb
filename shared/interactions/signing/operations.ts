import type { Route } from '../../http/routes.ts';
import type { Interaction } from '../context.ts';

const operation =
  (name: keyof typeof import('./signing.lazy.ts')): Interaction =>
  async (context, target) =>
    (await import('./signing.lazy.ts'))[name](context, target);

/** `POST {type}/{id}/$sign` and `$retract`, of the types that are signed. */
export const signingRoutes = (type: string): Route[] =>
  (['sign', 'retract'] as const).map((name) => ({
    method: 'POST',
    path: ['{id}', `$${name}`],
    interaction: operation(name),
    name: 'operation',
    definition: `https://concord.example/fhir/OperationDefinition/${type}-${name}`,
  }));
