import type { Interaction } from '../context.ts';

const operation =
  (name: keyof typeof import('./retention.lazy.ts')): Interaction =>
  async (context, target) =>
    (await import('./retention.lazy.ts'))[name](context, target);

/** `POST Patient/{id}/$legal-hold` */
export const legalHold = operation('holdChart');
/** `POST Patient/{id}/$release-hold` */
export const releaseHold = operation('releaseChart');
/** `POST Patient/{id}/$purge` */
export const purge = operation('purgeChart');
/** `GET Patient/$purge-due` */
export const chartsDue = operation('purgeDue');
