// Free times are looked for and booked by people at a desk: some times an hour each.
export { book } from './book.ts';
export { find } from './find.ts';
