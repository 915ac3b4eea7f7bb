import type { Again } from '../../http/routes.ts';
import { searchTypes } from '../../record-types/search-types.ts';
import type { Interaction } from '../context.ts';
import { newPlace, planCreate } from '../plan-write.ts';
import { save } from '../save.ts';
import { matching } from '../search/matching.ts';
import { openSearch } from '../search/open.ts';

const searching = { matching, openSearch, searchTypes };
const writing = { newPlace, planCreate, save };

/** What the operations take of the function that has it: their own file comes when it is needed. */
export type Searching = typeof searching;
export type Writing = typeof writing;

/** `Patient/$emergency-match`. */
export const emergencyMatch: Interaction = async (context) =>
  (await import('./emergency.lazy.ts')).emergencyMatch(context, searching);

/** `Patient/{id}/$break-glass`, sent again. */
export const brokenAgain: Again = async (...asked) => (await import('./emergency.lazy.ts')).brokenAgain(...asked);

/** `Patient/{id}/$break-glass`. */
export const breakGlass: Interaction = async (context, { id }) =>
  (await import('./emergency.lazy.ts')).breakGlass(context, id, writing);

/** `Patient/$verify-caller`. */
export const verifyCaller: Interaction = async (context) =>
  (await import('../calls/verify-caller.lazy.ts')).verifyCaller(context, searching);
