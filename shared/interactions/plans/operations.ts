import type { Interaction } from '../context.ts';

const operation =
  (name: keyof typeof import('./plans.lazy.ts')): Interaction =>
  async (context, target) =>
    (await import('./plans.lazy.ts'))[name](context, target);

/** `GET Goal/{id}/$progress` */
export const progressOfGoal = operation('progressOfGoal');
/** `GET CarePlan/{id}/$progress` */
export const progressOfPlan = operation('progressOfPlan');
