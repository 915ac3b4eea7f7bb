// Patients are registered some hundred times a day, by few callers.
export { register } from './register.ts';
