import { legalMoves, withReason } from './legal-moves.ts';

/** What any task under way may become, whoever has it. */
const anytime = ['on-hold', 'completed', 'failed', 'cancelled'] as const;
const takenBack = ['cancelled', 'entered-in-error'] as const;

/**
 * What may become of a task. Who has taken one on gives it back by asking for it again; what is over may go on only where somebody was wrong to say so.
 * Patients send what they have drafted, and take back what they have asked for. https://hl7.org/fhir/R4/task.html#statemachine
 */
export const taskMoves = legalMoves<fhir4.Task['status']>(
  'Task.status',
  {
    draft: ['requested', 'ready', 'in-progress', 'cancelled'],
    requested: ['received', 'accepted', 'rejected', 'ready', 'in-progress', ...anytime],
    received: ['requested', 'accepted', 'rejected', 'ready', 'in-progress', ...anytime],
    accepted: ['requested', 'ready', 'in-progress', ...anytime],
    ready: ['requested', 'in-progress', ...anytime],
    'in-progress': ['requested', ...anytime],
    'on-hold': ['requested', 'accepted', 'ready', 'in-progress', 'completed', 'failed', 'cancelled'],
    rejected: [],
    cancelled: [],
    failed: [withReason('requested')],
    completed: [withReason('in-progress')],
    'entered-in-error': [],
  },
  {
    draft: ['requested', ...takenBack],
    requested: takenBack,
    received: takenBack,
    accepted: takenBack,
    ready: takenBack,
    'in-progress': takenBack,
    'on-hold': takenBack,
  },
);
