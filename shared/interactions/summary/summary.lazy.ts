// The summary of a patient, which is asked for once where somebody takes a patient over.
export { summaryOf } from './summary.ts';
