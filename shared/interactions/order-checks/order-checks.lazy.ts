// Orders, allergies and medicines are a small part of what is written.
export { raisedByChecks } from './raised-by-checks.ts';
