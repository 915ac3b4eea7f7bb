// What clinicians do with results: asked for when a result has come.
export { acknowledge } from './acknowledge.ts';
export { review, reviewedAgain } from './review.ts';
