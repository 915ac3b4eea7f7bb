export { events } from './events.ts';
export { redrive } from './redrive.ts';
export { status, statusOfAll } from './status.ts';
