// The matching of patients, which registration desks ask for.
export { matchPatient } from './match.ts';
