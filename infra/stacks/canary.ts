import { CfnOutput, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Key } from 'aws-cdk-lib/aws-kms';
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { canaryEntry, canaryTimeoutSeconds } from '../canary.ts';
import { statementsFor } from '../grants/grants.ts';
import { observabilityGrants } from '../grants/observability-grants.ts';
import { BundledFunction, describeEntry, type FunctionSettings } from './bundled-function.ts';

export interface CanaryProps extends FunctionSettings {
  readonly everyMinutes: number;
  /** Base of FHIR. */
  readonly apiUrl: string;
  readonly topic: ITopic;
  /** Not behind a closed door, nor where the table may not be written. */
  readonly runs: boolean;
}

/** What lives a synthetic patient's day through the API, again and again, and tells when it cannot. */
export class Canary extends Construct {
  readonly canary: BundledFunction;

  constructor(scope: Construct, id: string, { everyMinutes, apiUrl, topic, runs, ...settings }: CanaryProps) {
    super(scope, id);
    const { stage } = settings;
    const key = new Key(this, 'Key', {
      description: `Concord ${stage.name}: secret of the canary`,
      enableKeyRotation: true,
      removalPolicy: stage.protected ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    // Random until somebody fills it: then it holds the credentials of an application (docs/observability.md).
    // Not CDK's own construct, which would let the account use the key in more ways.
    const secret = new CfnSecret(this, 'Secret', {
      description: `Concord ${stage.name}: credentials of the canary`,
      kmsKeyId: key.keyArn,
      generateSecretString: {},
    });
    this.canary = new BundledFunction(this, 'Function', {
      ...settings,
      entry: canaryEntry,
      description: describeEntry(stage, canaryEntry),
      timeout: Duration.seconds(canaryTimeoutSeconds),
      environment: { API_URL: apiUrl, CANARY_SECRET: secret.ref },
      statements: statementsFor(observabilityGrants, canaryEntry, {
        secretArn: secret.ref,
        secretKeyArn: key.keyArn,
        region: stage.region,
      }),
    });
    this.canary.configureAsyncInvoke({ retryAttempts: 0 }); // the next day comes soon
    new Rule(this, 'Schedule', {
      enabled: runs,
      schedule: Schedule.rate(Duration.minutes(everyMinutes)),
      targets: [new LambdaFunction(this.canary, { retryAttempts: 0 })],
    });
    new CfnOutput(this, 'SecretArn', {
      value: secret.ref,
      description: 'To be filled with credentials of an application',
    });
    if (runs) this.#watch(Duration.minutes(everyMinutes), topic);
  }

  /** One day may fail by itself, as when a release is under way; of three no two. */
  #watch(period: Duration, topic: ITopic): void {
    const alarms = [
      new Alarm(this, 'Failing', {
        alarmDescription:
          'The canary could not live two of its last three days; its log names the steps (docs/observability.md)',
        metric: this.canary.metricErrors({ period, statistic: 'Sum' }),
        comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
        threshold: 0,
        evaluationPeriods: 3,
        datapointsToAlarm: 2,
        treatMissingData: TreatMissingData.NOT_BREACHING,
      }),
      new Alarm(this, 'Missing', {
        alarmDescription: 'The canary has not run for three of its days',
        metric: this.canary.metricInvocations({ period, statistic: 'Sum' }),
        comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
        threshold: 1,
        evaluationPeriods: 3,
        treatMissingData: TreatMissingData.BREACHING,
      }),
    ];
    for (const alarm of alarms) alarm.addAlarmAction(new SnsAction(topic));
  }
}
