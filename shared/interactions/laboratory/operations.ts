import type { Interaction } from '../context.ts';

const operation =
  (name: keyof typeof import('./laboratory.lazy.ts')): Interaction =>
  async (context, target) =>
    (await import('./laboratory.lazy.ts'))[name](context, target);

/** `POST DiagnosticReport/$file` */
export const file = operation('file');
/** `POST DiagnosticReport/{id}/$resolve` */
export const resolve = operation('resolve');
