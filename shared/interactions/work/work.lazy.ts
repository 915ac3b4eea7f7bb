// Who has which work: asked for a few times a day by each clinician.
export { claim, unclaim } from './claim.ts';
export { inbox } from './inbox.ts';
export { overdue } from './overdue.ts';
