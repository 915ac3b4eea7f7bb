// What a search by value set or by a hierarchy of codes needs, and no other.

export { readCodeSystem } from './code-system.ts';
export { TerminologyGap } from './gap.ts';
export { heldTerminology } from './held.ts';
export { membersOf, neededFor } from './members.ts';
