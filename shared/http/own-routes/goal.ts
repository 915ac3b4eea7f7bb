import { progressOfGoal } from '../../interactions/plans/operations.ts';
import { ownOperation } from '../own-operation.ts';
import type { OwnRoutes } from '../routes.ts';

/** What can be asked of a goal alone. */
export const goalRoutes: OwnRoutes = { Goal: [ownOperation('GET', 'Goal/{id}/$progress', progressOfGoal)] };
