import type { Interaction } from '../context.ts';

const operation =
  (name: keyof typeof import('./merging.lazy.ts')): Interaction =>
  async (context, target) =>
    (await import('./merging.lazy.ts'))[name](context, target);

/** `POST Patient/{id}/$merge` */
export const merge = operation('merge');
/** `POST Patient/{id}/$unmerge` */
export const unmerge = operation('unmerge');
