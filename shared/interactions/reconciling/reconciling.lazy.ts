// Medicines are reconciled when a patient comes and goes, and read at all times.
export { reconcile, reconciledAgain, toReconcile } from './reconcile.ts';
