import { legalMoves, withReason } from './legal-moves.ts';

/**
 * What may become of a task. Who has taken one on gives it back by asking for it again; what is over may go on only where somebody was wrong to say so.
 * Patients send what they have drafted, and take back what they have asked for. https://hl7.org/fhir/R4/task.html#statemachine
 */
export const taskMoves = legalMoves<fhir4.Task['status']>(
  'Task.status',
  {
    draft: ['requested', 'ready', 'in-progress', 'cancelled'],
    requested: [
      'received',
      'accepted',
      'rejected',
      'ready',
      'in-progress',
      'on-hold',
      'completed',
      'failed',
      'cancelled',
    ],
    received: [
      'requested',
      'accepted',
      'rejected',
      'ready',
      'in-progress',
      'on-hold',
      'completed',
      'failed',
      'cancelled',
    ],
    accepted: ['requested', 'ready', 'in-progress', 'on-hold', 'completed', 'failed', 'cancelled'],
    ready: ['requested', 'in-progress', 'on-hold', 'completed', 'failed', 'cancelled'],
    'in-progress': ['requested', 'on-hold', 'completed', 'failed', 'cancelled'],
    'on-hold': ['requested', 'accepted', 'ready', 'in-progress', 'completed', 'failed', 'cancelled'],
    rejected: [],
    cancelled: [],
    failed: [withReason('requested')],
    completed: [withReason('in-progress')],
    'entered-in-error': [],
  },
  {
    draft: ['requested', 'cancelled', 'entered-in-error'],
    requested: ['cancelled', 'entered-in-error'],
    received: ['cancelled', 'entered-in-error'],
    accepted: ['cancelled', 'entered-in-error'],
    ready: ['cancelled', 'entered-in-error'],
    'in-progress': ['cancelled', 'entered-in-error'],
    'on-hold': ['cancelled', 'entered-in-error'],
  },
);
