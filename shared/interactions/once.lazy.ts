// Requests that bear a key and are carried out once. Few clients send one.
export { interactOnce } from './once.ts';
