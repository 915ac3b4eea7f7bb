// What `Patient/$match` needs, and no other request.

export { otherWayRound } from './compare.ts';
export { matchPatients } from './grade.ts';
export { namesOf } from './names.ts';
export { weightOfFinding } from './weights.ts';
