import { review, reviewedAgain } from '../../interactions/results/operations.ts';
import { lastObservations, series } from '../../interactions/trends/operations.ts';
import { ownOperation } from '../own-operation.ts';
import type { OwnRoutes } from '../routes.ts';

/** What can be asked of observations alone. https://hl7.org/fhir/R4/observation-operations.html */
export const observationRoutes: OwnRoutes = {
  Observation: [
    { method: 'GET', path: ['$lastn'], interaction: lastObservations, name: 'operation' },
    { method: 'POST', path: ['$lastn'], interaction: lastObservations, name: 'operation' },
    ownOperation('GET', 'Observation/$series', series),
    ownOperation('POST', 'Observation/{id}/$review', review, reviewedAgain),
  ],
};
