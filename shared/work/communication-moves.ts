import { legalMoves } from './legal-moves.ts';

/** What may become of a message. What was sent cannot be unsent: who answers or corrects writes another one. https://hl7.org/fhir/R4/valueset-event-status.html */
export const communicationMoves = legalMoves<fhir4.Communication['status']>('Communication.status', {
  preparation: ['in-progress', 'on-hold', 'not-done', 'completed', 'unknown'],
  'in-progress': ['on-hold', 'stopped', 'completed', 'unknown'],
  'on-hold': ['preparation', 'in-progress', 'not-done', 'stopped', 'completed', 'unknown'],
  'not-done': [],
  stopped: [],
  completed: [],
  unknown: ['preparation', 'in-progress', 'on-hold', 'not-done', 'stopped', 'completed'],
  'entered-in-error': [],
});
