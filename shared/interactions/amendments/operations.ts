import type { Interaction } from '../context.ts';

const operation =
  (name: keyof typeof import('./amendments.lazy.ts')): Interaction =>
  async (context, target) =>
    (await import('./amendments.lazy.ts'))[name](context, target);

/** `POST Patient/{id}/$request-amendment` */
export const requestAmendment = operation('requestAmendment');
/** `POST Task/{id}/$decide-amendment` */
export const decideAmendment = operation('decideAmendment');
