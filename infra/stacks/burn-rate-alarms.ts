import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  AlarmRule,
  AlarmState,
  ComparisonOperator,
  CompositeAlarm,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { type BurnRate, badMinutes, badShare, burnRates, type Objective } from '../objectives.ts';
import { isOfRequests, type ObjectiveMetrics } from './objective-metrics.ts';

export interface BurnRateAlarmsProps {
  readonly objective: Objective;
  readonly metrics: ObjectiveMetrics;
  readonly topic: ITopic;
}

/** Alarms of one objective: for each burn rate, one that is raised while both of its windows burn. Windows tell nobody by themselves. */
export class BurnRateAlarms extends Construct {
  readonly objective: Objective;
  /** Those that tell somebody, fastest first. */
  readonly alarms: readonly CompositeAlarm[];
  readonly #metrics: ObjectiveMetrics;

  constructor(scope: Construct, id: string, { objective, metrics, topic }: BurnRateAlarmsProps) {
    super(scope, id);
    this.objective = objective;
    this.#metrics = metrics;
    this.alarms = burnRates.map((burnRate) => {
      const { name, longMinutes, shortMinutes, urgency } = burnRate;
      const alarm = new CompositeAlarm(this, name, {
        alarmDescription: `${objective.name} is missed: ${objective.says}. Look ${urgency} (docs/observability.md)`,
        alarmRule: AlarmRule.allOf(
          ...[longMinutes, shortMinutes].map((minutes) =>
            AlarmRule.fromAlarm(this.#window(burnRate, minutes), AlarmState.ALARM),
          ),
        ),
      });
      alarm.addAlarmAction(new SnsAction(topic));
      return alarm;
    });
  }

  #window(burnRate: BurnRate, minutes: number): Alarm {
    const { objective } = this;
    return new Alarm(this, `${burnRate.name}Over${minutes}m`, {
      alarmDescription: `${objective.name}: the last ${minutes} minutes use up the budget ${burnRate.rate} times too fast`,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      ...(isOfRequests(objective)
        ? {
            metric: this.#metrics.badShare(objective, Duration.minutes(minutes)),
            comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
            threshold: Number(badShare(objective, burnRate).toFixed(6)),
            evaluationPeriods: 1,
          }
        : {
            metric: this.#metrics.figure(objective),
            comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
            threshold: objective.limitSeconds,
            evaluationPeriods: minutes,
            datapointsToAlarm: badMinutes(objective, burnRate, minutes),
          }),
    });
  }
}
