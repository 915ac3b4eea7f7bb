import { legalMoves, withReason } from './legal-moves.ts';

/** What may become of an order. https://hl7.org/fhir/R4/valueset-request-status.html */
export const serviceRequestMoves = legalMoves<fhir4.ServiceRequest['status']>('ServiceRequest.status', {
  draft: ['active', 'revoked', 'unknown'],
  active: ['on-hold', 'revoked', 'completed', 'unknown'],
  'on-hold': ['active', 'revoked', 'completed', 'unknown'],
  revoked: [],
  completed: [withReason('active')],
  unknown: ['draft', 'active', 'on-hold', 'revoked', 'completed'],
  'entered-in-error': [],
});
