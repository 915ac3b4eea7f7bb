import { Stack, type StackProps } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { objectives } from '../objectives.ts';
import type { FunctionSettings } from './bundled-function.ts';
import { BurnRateAlarms } from './burn-rate-alarms.ts';
import { Canary } from './canary.ts';
import { ObjectiveMetrics } from './objective-metrics.ts';
import { OperationsDashboard } from './operations-dashboard.ts';

/** What is watched, of the stacks before. */
export interface Watched {
  /** Name of the API and its stage, as the gateway's metrics name them. */
  readonly apiName: string;
  readonly gatewayStage: string;
  /** Base of FHIR. */
  readonly apiUrl: string;
  readonly accessLog: ILogGroup;
  readonly firewallName: string;
  readonly tableName: string;
  /** The consumers of the stream. */
  readonly consumers: readonly IFunction[];
  /** The queue of wakes. */
  readonly wakes: IQueue;
}

export interface ObservabilityStackProps extends StackProps, FunctionSettings {
  readonly watched: Watched;
  readonly dashboardName: string;
  /** Whether a canary runs here: only where the table may be written. */
  readonly works: boolean;
  /** Tells of all alarms. */
  readonly alarmTopic: ITopic;
}

/** How well the deployment does what it promises: objectives with alarms, a canary, and a dashboard. Figures and names of functions, nothing of patients. */
export class ObservabilityStack extends Stack {
  constructor(scope: Construct, id: string, props: ObservabilityStackProps) {
    super(scope, id, props);
    const { stage, bundleFolder, logKey, watched, alarmTopic, dashboardName, works } = props;
    const metrics = new ObjectiveMetrics(this, 'Metrics', { stage, watched });
    const alarms = objectives.map(
      (objective) => new BurnRateAlarms(this, objective.name, { objective, metrics, topic: alarmTopic }),
    );
    const canary =
      stage.canary &&
      new Canary(this, 'Canary', {
        stage,
        bundleFolder,
        logKey,
        everyMinutes: stage.canary.everyMinutes,
        apiUrl: watched.apiUrl,
        topic: alarmTopic,
        runs: works && stage.open !== false,
      }).canary;
    new OperationsDashboard(this, 'Dashboard', { dashboardName, watched, metrics, alarms, canary });
  }
}
