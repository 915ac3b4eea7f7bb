import { legalMoves } from './legal-moves.ts';

/** What may become of a message that should be sent. One that was sent, or is not to be, is asked for anew. https://hl7.org/fhir/R4/valueset-request-status.html */
export const communicationRequestMoves = legalMoves<fhir4.CommunicationRequest['status']>(
  'CommunicationRequest.status',
  {
    draft: ['active', 'on-hold', 'revoked', 'unknown'],
    active: ['on-hold', 'revoked', 'completed', 'unknown'],
    'on-hold': ['active', 'revoked', 'completed', 'unknown'],
    revoked: [],
    completed: [],
    unknown: ['draft', 'active', 'on-hold', 'revoked', 'completed'],
    'entered-in-error': [],
  },
);
