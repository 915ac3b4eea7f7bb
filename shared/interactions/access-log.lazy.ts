// How a log is told to people, what it inherits of what it describes, and what of it is not told to its patient for a time.

export { withheldOf } from '../audit/disclosure-rows.ts';
export { described } from './described.ts';
export { toldInWords } from './told-in-words.ts';
export { withoutWithheld } from './without-withheld.ts';
