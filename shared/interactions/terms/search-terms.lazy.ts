// What a search asks of code systems and value sets. Few ask anything.
export { loadTerminology } from './search-terms.ts';
