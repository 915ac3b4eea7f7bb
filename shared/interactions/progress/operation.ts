import type { Interaction } from '../context.ts';

/** `POST Task/{id}/$progress` */
export const progress: Interaction = async (context, target) =>
  (await import('./progress.lazy.ts')).progressOwnTask(context, target);
