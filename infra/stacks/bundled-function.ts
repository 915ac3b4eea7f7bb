import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { PolicyDocument, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Architecture, Code, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { BundleFolder } from '../bundle-function.ts';
import type { Statement } from '../grants/statement.ts';
import type { StageConfig } from '../stages.ts';
import { policyStatement } from './policy-statement.ts';

/** What all functions of a stage have in common. */
export interface FunctionSettings {
  readonly stage: StageConfig;
  readonly bundleFolder: BundleFolder;
  /** Encrypts the logs. */
  readonly logKey: IKey;
}

export interface BundledFunctionProps extends FunctionSettings {
  /** Such as `functions/records/patient.ts`. */
  readonly entry: string;
  readonly description: string;
  readonly timeout: Duration;
  readonly environment?: Readonly<Record<string, string>>;
  /** How many of it run at once: kept for it alone, and no more than that. As many as the account has left, if absent. */
  readonly reservedConcurrency?: number;
  /** What its role may do besides writing its own log. */
  readonly statements?: readonly Statement[];
}

/** X-Ray knows no resources. A trace says which function took how long: no address, body or id. https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html */
const writeTraces: Statement = {
  sid: 'Traces', // of its own, whatever else is allowed for any resource
  actions: ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'],
  resources: ['*'],
};

/** A function with a role, a log and traces of its own. Its role is not allowed anything that is not said here or in `statements`. */
export class BundledFunction extends LambdaFunction {
  constructor(scope: Construct, id: string, props: BundledFunctionProps) {
    const { entry, description, timeout, environment = {}, statements = [], stage, bundleFolder, logKey } = props;
    const { reservedConcurrency } = props;
    const logGroup = new LogGroup(scope, `${id}-Log`, {
      encryptionKey: logKey,
      retention: stage.logRetentionDays,
      removalPolicy: stage.protected ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    const writeLog: Statement = {
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [logGroup.logGroupArn],
    };
    const role = new Role(scope, `${id}-Role`, {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description,
      inlinePolicies: {
        own: new PolicyDocument({ statements: [writeLog, writeTraces, ...statements].map(policyStatement) }),
      },
    });
    super(scope, id, {
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: Code.fromAsset(bundleFolder(entry)),
      handler: 'index.handler',
      memorySize: 1024,
      tracing: Tracing.ACTIVE,
      timeout,
      ...(reservedConcurrency === undefined ? {} : { reservedConcurrentExecutions: reservedConcurrency }),
      description,
      environment: { ...environment },
      role: role.withoutPolicyUpdates(), // a grant that CDK adds by itself would be wider than what is written here
      logGroup,
    });
  }
}

/** A name for constructs: `functions/records/care-plan.ts` → `CarePlan`. */
export const constructName = (entry: string): string =>
  (entry.split('/').at(-1) ?? '')
    .replace(/\.ts$/, '')
    .replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());

/** Names an entry for an administrator who looks at a role or a function. */
export const describeEntry = ({ name }: StageConfig, entry: string) => `Concord ${name}: ${entry}`;

/** Time of a function that works a batch or a schedule. */
export const backgroundTimeout = Duration.seconds(60);
