import type { Again } from '../../http/routes.ts';
import type { Interaction } from '../context.ts';

const operation =
  (name: Exclude<keyof typeof import('./retention.lazy.ts'), 'officersAgain'>): Interaction =>
  async (context, target) =>
    (await import('./retention.lazy.ts'))[name](context, target);

/** `POST Patient/{id}/$legal-hold` */
export const legalHold = operation('holdChart');
/** `POST Patient/{id}/$release-hold` */
export const releaseHold = operation('releaseChart');
/** `POST Patient/{id}/$purge` */
export const purge = operation('purgeChart');
/** Any of these, sent again */
export const officersAgain: Again = async (...asked) => (await import('./retention.lazy.ts')).officersAgain(...asked);
/** `GET Patient/$purge-due` */
export const chartsDue = operation('purgeDue');
