// How far goals are reached, asked for when somebody looks at a plan.
export { progressOfGoal } from './of-goal.ts';
export { progressOfPlan } from './of-plan.ts';
