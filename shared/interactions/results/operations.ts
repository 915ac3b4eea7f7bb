import type { Again } from '../../http/routes.ts';
import type { Interaction } from '../context.ts';

const operation =
  (name: Exclude<keyof typeof import('./results.lazy.ts'), 'reviewedAgain'>): Interaction =>
  async (context, target) =>
    (await import('./results.lazy.ts'))[name](context, target);

/** `POST Task/{id}/$acknowledge` */
export const acknowledge = operation('acknowledge');
/** `POST DiagnosticReport/{id}/$review`, `POST Observation/{id}/$review` */
export const review = operation('review');
/** The same, sent again */
export const reviewedAgain: Again = async (...asked) => (await import('./results.lazy.ts')).reviewedAgain(...asked);
