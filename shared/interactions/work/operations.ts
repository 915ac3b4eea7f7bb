import type { Interaction } from '../context.ts';

const operation =
  (name: keyof typeof import('./work.lazy.ts')): Interaction =>
  async (context, target) =>
    (await import('./work.lazy.ts'))[name](context, target);

/** `GET Task/$inbox` */
export const inbox = operation('inbox');
/** `GET Task/$overdue` */
export const overdue = operation('overdue');
/** `POST Task/{id}/$claim` */
export const claim = operation('claim');
/** `POST Task/{id}/$unclaim` */
export const unclaim = operation('unclaim');
