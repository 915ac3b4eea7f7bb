import type { Interaction } from '../context.ts';

const operation =
  (name: keyof typeof import('./signing.lazy.ts')): Interaction =>
  async (context, target) =>
    (await import('./signing.lazy.ts'))[name](context, target);

/** `POST {type}/{id}/$sign` */
export const sign = operation('sign');
/** `POST {type}/{id}/$retract` */
export const retract = operation('retract');
