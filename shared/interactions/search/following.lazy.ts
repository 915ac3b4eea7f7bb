// Following references, for searches that ask for what other records say, or that include them.

export { included, readAheadOf } from './includes.ts';
export { Joins } from './joins.ts';
