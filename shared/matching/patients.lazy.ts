// What `Patient/$match` needs, and no other request.

export { searchOf } from './evidence.ts';
export { matchPatients } from './grade.ts';
export { searchesFor } from './searches.ts';
