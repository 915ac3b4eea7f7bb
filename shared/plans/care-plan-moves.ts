import { legalMoves, withReason } from '../work/legal-moves.ts';

/** What may become of a care plan. https://hl7.org/fhir/R4/valueset-request-status.html */
export const carePlanMoves = legalMoves<fhir4.CarePlan['status']>('CarePlan.status', {
  draft: ['active', 'revoked', 'unknown'],
  active: ['on-hold', 'revoked', 'completed', 'unknown'],
  'on-hold': ['active', 'revoked', 'completed', 'unknown'],
  revoked: [],
  completed: [withReason('active')],
  unknown: ['draft', 'active', 'on-hold', 'revoked', 'completed'],
  'entered-in-error': [],
});
