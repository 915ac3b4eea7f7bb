import type { Again } from '../../http/routes.ts';
import type { Interaction } from '../context.ts';

const operation =
  (name: Exclude<keyof typeof import('./amendments.lazy.ts'), 'requestedAgain'>): Interaction =>
  async (context, target) =>
    (await import('./amendments.lazy.ts'))[name](context, target);

/** `POST Patient/{id}/$request-amendment` */
export const requestAmendment = operation('requestAmendment');
/** `POST Patient/{id}/$request-amendment`, sent again */
export const requestedAgain: Again = async (...asked) =>
  (await import('./amendments.lazy.ts')).requestedAgain(...asked);
/** `POST Task/{id}/$decide-amendment` */
export const decideAmendment = operation('decideAmendment');
