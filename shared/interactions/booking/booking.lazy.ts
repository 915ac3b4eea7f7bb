// Free times are looked for and booked by people at a desk: some times an hour each.
export { book, hold } from './book.ts';
export { cancel, reschedule } from './change.ts';
export { find } from './find.ts';
