import { Aws } from 'aws-cdk-lib';
import { CfnLogDeliveryConfiguration, type UserPool } from 'aws-cdk-lib/aws-cognito';
import { CfnPermission, type IFunction } from 'aws-cdk-lib/aws-lambda';
import { FilterPattern, LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { LambdaDestination } from 'aws-cdk-lib/aws-logs-destinations';
import { Construct } from 'constructs';
import type { StageConfig } from '../stages.ts';
import { keptOnceMade } from './kept-once-made.ts';

interface FailedSignInsProps {
  readonly stage: StageConfig;
  readonly pool: UserPool;
  /** Names the log. */
  readonly kind: 'staff' | 'patients';
  /** Is told of each that failed. */
  readonly follow: IFunction;
}

/**
 * Passes on what a pool logs of sign-ins that failed, those at its own pages included, of which CloudTrail tells nothing of use. Cognito does so by best effort.
 *
 * Its log has no key of ours: Cognito refuses one. So it is kept for a week, and what is to be kept of it stands in the access log.
 * https://docs.aws.amazon.com/cognito/latest/developerguide/exporting-quotas-and-usage.html
 */
export class FailedSignIns extends Construct {
  constructor(scope: Construct, id: string, { stage, pool, kind, follow }: FailedSignInsProps) {
    super(scope, id);
    // A name of this form spares the account's policy of logs, which has room for ten services.
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html
    const logGroupName = `/aws/vendedlogs/concord-${stage.name}-${kind}`;
    const log = new LogGroup(this, 'Log', {
      logGroupName,
      retention: RetentionDays.ONE_WEEK,
      removalPolicy: keptOnceMade(stage),
    });
    const exported = new CfnLogDeliveryConfiguration(this, 'Export', {
      userPoolId: pool.userPoolId,
      logConfigurations: [
        {
          eventSource: 'userAuthEvents',
          logLevel: 'INFO',
          // Without the asterisk that ends the name of a group elsewhere.
          cloudWatchLogsConfiguration: {
            logGroupArn: `arn:${Aws.PARTITION}:logs:${stage.region}:${Aws.ACCOUNT_ID}:log-group:${logGroupName}`,
          },
        },
      ],
    });
    exported.node.addDependency(log);
    const permission = new CfnPermission(this, 'Permission', {
      action: 'lambda:InvokeFunction',
      functionName: follow.functionArn,
      principal: 'logs.amazonaws.com',
      sourceArn: log.logGroupArn,
      sourceAccount: Aws.ACCOUNT_ID,
    });
    const filter = log.addSubscriptionFilter('FailedSignIns', {
      destination: new LambdaDestination(follow, { addPermissions: false }),
      filterPattern: FilterPattern.stringValue('$.message.eventResponse', '=', 'Fail'),
    });
    // CloudWatch Logs calls the function as the filter is made, and makes none if it may not.
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
    filter.node.addDependency(permission);
  }
}
