import { legalMoves, withReason } from '../work/legal-moves.ts';

/**
 * What may become of a visit. One that begins in an emergency is in progress from its first version on; one that has begun is finished and not
 * cancelled. https://hl7.org/fhir/R4/valueset-encounter-status.html
 */
export const encounterMoves = legalMoves<fhir4.Encounter['status']>('Encounter.status', {
  planned: ['arrived', 'triaged', 'in-progress', 'cancelled', 'unknown'],
  arrived: ['triaged', 'in-progress', 'cancelled', 'unknown'],
  triaged: ['in-progress', 'cancelled', 'unknown'],
  'in-progress': ['onleave', 'finished', 'unknown'],
  onleave: ['in-progress', 'finished', 'unknown'],
  finished: [withReason('in-progress')],
  cancelled: [],
  unknown: ['planned', 'arrived', 'triaged', 'in-progress', 'onleave', 'finished', 'cancelled'],
  'entered-in-error': [],
});
