type TaskStatus = fhir4.Task['status'];

/**
 * Where support staff may take a task of their own, of the moves that there are (task-moves.ts): on, and not back; what is over stays over. A draft becomes a request, and a request is
 * cancelled, by whoever asks for the work. https://hl7.org/fhir/R4/task.html#statemachine
 */
export const ownMoves: Readonly<Partial<Record<TaskStatus, readonly TaskStatus[]>>> = {
  requested: ['received', 'accepted', 'rejected', 'in-progress'],
  received: ['accepted', 'rejected', 'in-progress'],
  accepted: ['in-progress', 'on-hold', 'completed', 'failed'],
  ready: ['in-progress', 'on-hold', 'completed', 'failed'],
  'in-progress': ['on-hold', 'completed', 'failed'],
  'on-hold': ['in-progress', 'completed', 'failed'],
};

const over: ReadonlySet<TaskStatus> = new Set(['completed', 'failed', 'rejected']);

/** Whether the owner may say more of a task in this state: where it can still go on. */
export const isUnderWay = (status: TaskStatus): boolean => status in ownMoves;

/** A task that its owner has taken on, with when that began and ended; undefined where the owner may not. Pure. */
export const movedOn = (task: fhir4.Task, status: TaskStatus, now: number): fhir4.Task | undefined => {
  if (!ownMoves[task.status]?.includes(status)) return undefined;
  const time = new Date(now).toISOString();
  const { executionPeriod = {} } = task;
  const start = executionPeriod.start ?? (status === 'in-progress' ? time : undefined);
  const period = {
    ...executionPeriod,
    ...(start === undefined ? {} : { start }),
    ...(over.has(status) ? { end: time } : {}),
  };
  return { ...task, status, ...(Object.keys(period).length === 0 ? {} : { executionPeriod: period }) };
};
