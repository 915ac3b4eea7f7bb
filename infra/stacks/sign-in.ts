import { Stack, type StackProps } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Construct } from 'constructs';
import { endingCalls } from '../../shared/audit/user-pool-events.ts';
import type { DigestResource } from '../grants/digest-access.ts';
import { statementsFor } from '../grants/grants.ts';
import { signInGrants } from '../grants/sign-in-grants.ts';
import type { TableResource } from '../grants/table-access.ts';
import { followPoolEntry } from '../local/pool-functions.ts';
import { BundledFunction, backgroundTimeout, describeEntry, type FunctionSettings } from './bundled-function.ts';
import { FailedSignIns } from './failed-sign-ins.ts';
import { PatientPool } from './patient-pool.ts';
import { StaffPool } from './staff-pool.ts';

export interface SignInStackProps extends StackProps, FunctionSettings {
  readonly table: { readonly tableName: string; readonly resource: TableResource };
  readonly digests: { readonly bucketName: string; readonly resource: DigestResource };
}

/** Where staff, applications and patients sign in. */
export class SignInStack extends Stack {
  readonly staff: StaffPool;
  readonly patients: PatientPool;

  constructor(
    scope: Construct,
    id: string,
    { stage, bundleFolder, logKey, table, digests, ...props }: SignInStackProps,
  ) {
    super(scope, id, props);
    const settings = { stage, bundleFolder, logKey };
    this.staff = new StaffPool(this, 'Staff', { ...settings, table, digests });
    this.patients = new PatientPool(this, 'Patients', { ...settings, table, digests });
    const pools = { staff: this.staff.userPool, patients: this.patients.userPool } as const;

    const follow = new BundledFunction(this, 'FollowUserPool', {
      ...settings,
      entry: followPoolEntry,
      description: describeEntry(stage, followPoolEntry),
      timeout: backgroundTimeout,
      environment: {
        TABLE_NAME: table.tableName,
        DIGEST_BUCKET_NAME: digests.bucketName,
        STAFF_POOL_ID: pools.staff.userPoolId,
        PATIENT_POOL_ID: pools.patients.userPoolId,
      },
      statements: statementsFor(signInGrants, followPoolEntry, { table: table.resource, digests: digests.resource }),
    });
    // Cognito tells no trigger of these. There are no such events without a trail that logs management events.
    // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
    new Rule(this, 'UsersEnded', {
      eventPattern: {
        source: ['aws.cognito-idp'],
        detailType: ['AWS API Call via CloudTrail'],
        detail: {
          eventSource: ['cognito-idp.amazonaws.com'],
          eventName: [...endingCalls],
          requestParameters: { userPoolId: Object.values(pools).map(({ userPoolId }) => userPoolId) },
        },
      },
      targets: [new LambdaFunction(follow)],
    });
    if (stage.signIn.plan !== 'plus') return; // the log of failed sign-ins is a part of threat protection
    for (const kind of ['staff', 'patients'] as const) {
      new FailedSignIns(this, `FailedSignIns-${kind}`, { stage, pool: pools[kind], kind, follow });
    }
  }
}
