import { Duration } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
  MathExpression,
  Metric,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { objectives } from '../objectives.ts';
import type { BurnRateAlarms } from './burn-rate-alarms.ts';
import { isOfRequests, type ObjectiveMetrics } from './objective-metrics.ts';
import type { Watched } from './observability.ts';

export interface OperationsDashboardProps {
  readonly dashboardName: string;
  readonly watched: Watched;
  readonly metrics: ObjectiveMetrics;
  readonly alarms: readonly BurnRateAlarms[];
  readonly canary: IFunction | undefined;
}

const period = Duration.minutes(5);
const half = 12;
const whole = 24;

const graph = (title: string, left: IMetric[], right: IMetric[] = []) =>
  new GraphWidget({ title, left, right, width: half, height: 6, period });

/** One page for whoever looks after the deployment: first whether anything is wrong, then how the objectives stand, then what may be the reason. */
export class OperationsDashboard extends Construct {
  constructor(
    scope: Construct,
    id: string,
    { dashboardName, watched, metrics, alarms, canary }: OperationsDashboardProps,
  ) {
    super(scope, id);
    const rows: IWidget[][] = [
      [
        new TextWidget({
          width: whole,
          height: 2,
          markdown: `# ${dashboardName}\nWhat each objective means, and what to do when it is missed: docs/observability.md.`,
        }),
      ],
      [
        new AlarmStatusWidget({
          title: 'Objectives that are missed',
          alarms: alarms.flatMap((each) => each.alarms),
          width: whole,
          height: 4,
        }),
      ],
      // Two fill a row, and the next begins another.
      objectives.map((objective) =>
        isOfRequests(objective)
          ? graph(objective.says, [metrics.badShare(objective, period)], [metrics.all(objective, period)])
          : graph(objective.says, [metrics.figure(objective)]),
      ),
      [
        graph(
          'Requests',
          [metrics.gateway('Count', period, 'Sum')],
          [metrics.gateway('4XXError', period, 'Sum'), metrics.gateway('5XXError', period, 'Sum')],
        ),
        graph(
          'Time to answer, in ms',
          ['p50', 'p99'].map((statistic) => metrics.gateway('Latency', period, statistic)),
          [metrics.gateway('IntegrationLatency', period, 'p99')],
        ),
      ],
      [
        graph(
          'Functions of the account at work',
          [lambda('ConcurrentExecutions', 'Maximum'), lambda('UnreservedConcurrentExecutions', 'Maximum')],
          [lambda('Throttles', 'Sum'), lambda('Errors', 'Sum')],
        ),
        graph('Refused by the firewall', [
          new MathExpression({
            expression: `SEARCH('{AWS/WAFV2,Region,Rule,WebACL} MetricName="BlockedRequests" WebACL="${watched.firewallName}"', 'Sum', ${period.toSeconds()})`,
            label: '',
            period,
          }),
        ]),
      ],
      [
        graph(
          'Units of the table',
          [table(watched, 'ConsumedReadCapacityUnits'), table(watched, 'ConsumedWriteCapacityUnits')],
          [table(watched, 'ReadThrottleEvents'), table(watched, 'WriteThrottleEvents')],
        ),
        graph(
          'What waits to be told, in ms',
          watched.consumers.map((each) => each.metric('IteratorAge', { period, statistic: 'Maximum' })),
          [watched.wakes.metricApproximateNumberOfMessagesVisible({ period, statistic: 'Maximum' })],
        ),
      ],
    ];
    if (canary)
      rows.push([
        graph(
          'Days of the canary',
          [canary.metricInvocations({ period, statistic: 'Sum' }), canary.metricErrors({ period, statistic: 'Sum' })],
          [canary.metricDuration({ period, statistic: 'Maximum' })],
        ),
      ]);
    new Dashboard(this, 'Dashboard', {
      dashboardName,
      defaultInterval: Duration.hours(12),
      widgets: rows,
    });
  }
}

const lambda = (metricName: string, statistic: string) =>
  new Metric({ namespace: 'AWS/Lambda', metricName, statistic, period });

const table = ({ tableName }: Watched, metricName: string) =>
  new Metric({
    namespace: 'AWS/DynamoDB',
    metricName,
    dimensionsMap: { TableName: tableName },
    statistic: 'Sum',
    period,
  });
