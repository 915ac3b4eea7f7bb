import type { Interaction } from '../context.ts';

const operation =
  (name: keyof typeof import('./trends.lazy.ts')): Interaction =>
  async (context, target) =>
    (await import('./trends.lazy.ts'))[name](context, target);

/** `Observation/$lastn` */
export const lastObservations = operation('lastObservations');
/** `GET Observation/$series` */
export const series = operation('series');
