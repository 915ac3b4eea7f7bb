import { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { FilterPattern, MetricFilter } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import {
  type MinuteObjective,
  type Objective,
  objectives,
  type RequestObjective,
  toleratedBadRequests,
} from '../objectives.ts';
import type { StageConfig } from '../stages.ts';
import type { Watched } from './observability.ts';

/** The figures that objectives are judged by, and the filters of the access log that count those which AWS does not count by itself. */
export class ObjectiveMetrics extends Construct {
  readonly #watched: Watched;
  readonly #namespace: string;

  constructor(
    scope: Construct,
    id: string,
    { stage, watched }: { readonly stage: StageConfig; readonly watched: Watched },
  ) {
    super(scope, id);
    this.#watched = watched;
    this.#namespace = `Concord/${stage.name}`;
    for (const objective of objectives) if (objective.of === 'requests') this.#filter(objective);
  }

  /** Requests that the objective is about, in a period. */
  all({ name, requests }: RequestObjective, period: Duration): Metric {
    return requests === undefined ? this.gateway('Count', period, 'Sum') : this.#counted(name, period);
  }

  /** Those that were bad. */
  bad({ name, bad }: RequestObjective, period: Duration): Metric {
    return bad === undefined ? this.gateway('5XXError', period, 'Sum') : this.#counted(`${name}Bad`, period);
  }

  /** Share of bad requests in a period; nought while there are too few of them to say anything. */
  badShare(objective: RequestObjective, period: Duration): MathExpression {
    return new MathExpression({
      expression: `IF(FILL(bad, 0) > ${toleratedBadRequests}, bad / all, 0)`,
      usingMetrics: { bad: this.bad(objective, period), all: this.all(objective, period) },
      period,
      label: `Share of bad requests: ${objective.name}`,
    });
  }

  /** The figure of a minute that is good up to a limit, in seconds. */
  figure({ figure, name }: MinuteObjective): IMetric {
    const period = Duration.minutes(1);
    if (figure === 'age-of-oldest-wake')
      return this.#watched.wakes.metricApproximateAgeOfOldestMessage({ period, statistic: 'Maximum' });
    const ages = this.#watched.consumers.map((consumer, index): [string, IMetric] => [
      `age${index}`,
      consumer.metric('IteratorAge', { period, statistic: 'Maximum' }),
    ]);
    return new MathExpression({
      expression: `MAX([${ages.map(([age]) => `FILL(${age}, 0)`).join(', ')}]) / 1000`,
      usingMetrics: Object.fromEntries(ages),
      period,
      label: name,
    });
  }

  /** What the gateway counts by itself. https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html */
  gateway(metricName: string, period: Duration, statistic: string): Metric {
    const { apiName, gatewayStage } = this.#watched;
    return new Metric({
      namespace: 'AWS/ApiGateway',
      metricName,
      dimensionsMap: { ApiName: apiName, Stage: gatewayStage },
      period,
      statistic,
    });
  }

  #counted(metricName: string, period: Duration): Metric {
    return new Metric({ namespace: this.#namespace, metricName, period, statistic: 'Sum' });
  }

  /** Faults of ours count for availability alone, however fast or slow they are. */
  #filter({ name, requests, bad }: RequestObjective): void {
    if (requests === undefined || bad === undefined) return;
    const count = (id: string, condition: string) =>
      new MetricFilter(this, id, {
        logGroup: this.#watched.accessLog,
        filterPattern: FilterPattern.literal(`{ ${condition} }`),
        metricNamespace: this.#namespace,
        metricName: id,
        metricValue: '1',
      });
    const answered = `${requests} && $.status < 500`;
    count(name, answered);
    count(`${name}Bad`, `${answered} && ${bad}`);
  }
}

/** Whether an objective is judged by requests. */
export const isOfRequests = (objective: Objective): objective is RequestObjective => objective.of === 'requests';
