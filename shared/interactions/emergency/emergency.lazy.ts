// What is asked when a patient comes in an emergency whom the organisation does not know.

export { breakGlass, brokenAgain } from './break-glass.ts';
export { emergencyMatch } from './emergency-match.ts';
