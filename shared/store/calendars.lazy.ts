// What a commit does with the time of actors. Few types hold time.
export { Calendars } from './calendar-steps.ts';
