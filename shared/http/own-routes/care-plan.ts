import { progressOfPlan } from '../../interactions/plans/operations.ts';
import { ownOperation } from '../own-operation.ts';
import type { OwnRoutes } from '../routes.ts';

/** What can be asked of a care plan alone. */
export const carePlanRoutes: OwnRoutes = {
  CarePlan: [ownOperation('GET', 'CarePlan/{id}/$progress', progressOfPlan)],
};
