import { Stack, type StackProps } from 'aws-cdk-lib';
import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import type { Construct } from 'constructs';
import type { Budget } from '../budget.ts';

export interface CostStackProps extends StackProps {
  readonly name: string;
  readonly budget: Budget;
}

/** When somebody is told, as a percentage of the month's budget. */
const thresholds = [
  { notificationType: 'ACTUAL', threshold: 50 },
  { notificationType: 'ACTUAL', threshold: 80 },
  { notificationType: 'ACTUAL', threshold: 100 },
  { notificationType: 'FORECASTED', threshold: 100 },
] as const;

/**
 * Tells by e-mail what a month costs before it costs too much. Nothing is switched off: a record that cannot be read costs more than a bill. Not by the topic of alarms: Budgets would need the right to its key.
 * https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-managing-costs.html
 */
export class CostStack extends Stack {
  constructor(scope: Construct, id: string, { name, budget, ...props }: CostStackProps) {
    super(scope, id, props);
    new CfnBudget(this, 'Budget', {
      budget: {
        budgetName: `concord-${name}`,
        budgetType: 'COST',
        timeUnit: 'MONTHLY',
        budgetLimit: { amount: budget.usdPerMonth, unit: 'USD' },
      },
      notificationsWithSubscribers: thresholds.map((each) => ({
        notification: { ...each, comparisonOperator: 'GREATER_THAN', thresholdType: 'PERCENTAGE' },
        subscribers: budget.emails.map((address) => ({ subscriptionType: 'EMAIL', address })),
      })),
    });
  }
}
