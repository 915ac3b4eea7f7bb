import { Aws, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import {
  AccessLogField,
  AccessLogFormat,
  ApiDefinition,
  EndpointType,
  LogGroupLogDestination,
  MethodLoggingLevel,
  SpecRestApi,
} from 'aws-cdk-lib/aws-apigateway';
import type { IUserPool } from 'aws-cdk-lib/aws-cognito';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { gatewayScope } from '../../shared/access/offered-scopes.ts';
import { apiGrants, takesUploads, writesSubscriptions } from '../grants/api-grants.ts';
import type { DigestResource } from '../grants/digest-access.ts';
import { statementsFor } from '../grants/grants.ts';
import type { TableResource } from '../grants/table-access.ts';
import { packFile } from '../knowledge-pack.ts';
import { integrationTimeoutMs, routeDocument } from '../route-document.ts';
import { routes } from '../routes.ts';
import { BundledFunction, constructName, describeEntry, type FunctionSettings } from './bundled-function.ts';
import { Firewall } from './firewall.ts';

export interface ApiStackProps extends StackProps, FunctionSettings {
  readonly table: { readonly tableName: string; readonly bucketName: string; readonly resource: TableResource };
  readonly digests: { readonly bucketName: string; readonly resource: DigestResource };
  readonly pools: Readonly<Record<'staff' | 'patients', SignInPool>>;
  /** Of the key that encrypts secrets of Subscriptions. */
  readonly secretsKeyArn: string;
}

interface SignInPool {
  readonly userPool: IUserPool;
  /** Address of its sign-in pages. */
  readonly domain: string;
}

/** First part of the path where no domain of one's own hides it. Must not be `fhir`, which begins the routes. */
const gatewayStage = 'api';

/** What a line of the access log holds: no address with its query, which may name a patient, only the route it belongs to. */
const accessLog = {
  requestId: AccessLogField.contextRequestId(),
  time: AccessLogField.contextRequestTime(),
  sourceIp: AccessLogField.contextIdentitySourceIp(),
  subject: AccessLogField.contextAuthorizerClaims('sub'),
  client: AccessLogField.contextAuthorizerClaims('client_id'),
  method: AccessLogField.contextHttpMethod(),
  route: AccessLogField.contextResourcePath(),
  status: AccessLogField.contextStatus(),
  gatewayError: AccessLogField.contextErrorResponseType(),
  latencyMs: AccessLogField.contextResponseLatency(),
  functionLatencyMs: AccessLogField.contextIntegrationLatency(),
  responseBytes: AccessLogField.contextResponseLength(),
};

/** The API: a function for each record type behind one gateway. */
export class ApiStack extends Stack {
  constructor(scope: Construct, id: string, props: ApiStackProps) {
    super(scope, id, props);
    const { stage, digests, bundleFolder, logKey, pools, table, secretsKeyArn } = props;
    const functions = new Map(
      [...new Set(routes.map(({ entry }) => entry))].map((entry) => [
        entry,
        new BundledFunction(this, constructName(entry), {
          stage,
          bundleFolder,
          logKey,
          entry,
          description: describeEntry(stage, entry),
          timeout: Duration.millis(integrationTimeoutMs),
          // Behind the closed door nothing runs, even where the firewall does not know of it yet.
          ...(stage.open === false ? { reservedConcurrency: 0 } : {}),
          environment: environmentOf(entry, props),
          statements: statementsFor(apiGrants, entry, {
            table: table.resource,
            digests: digests.resource,
            secretsKeyArn,
          }),
        }),
      ]),
    );
    const functionOf = (entry: string): BundledFunction => {
      const found = functions.get(entry);
      if (!found) throw new Error(`No function for ${entry}`);
      return found;
    };
    const api = new SpecRestApi(this, 'Api', {
      restApiName: `concord-${stage.name}`,
      apiDefinition: ApiDefinition.fromInline(
        routeDocument({
          routes,
          integrationUri: (entry) =>
            `arn:${Aws.PARTITION}:apigateway:${stage.region}:lambda:path/2015-03-31/functions/${functionOf(entry).functionArn}/invocations`,
          userPoolArns: [pools.staff, pools.patients].map(({ userPool }) => userPool.userPoolArn),
          scopes: [gatewayScope],
        }),
      ),
      failOnWarnings: true,
      endpointTypes: [EndpointType.REGIONAL],
      cloudWatchRole: true, // the account's gateway needs it to write any access log
      cloudWatchRoleRemovalPolicy: RemovalPolicy.RETAIN, // other APIs of the account use it too
      deployOptions: {
        stageName: gatewayStage,
        throttlingRateLimit: stage.throttling.requestsPerSecond,
        throttlingBurstLimit: stage.throttling.burst,
        metricsEnabled: true,
        loggingLevel: MethodLoggingLevel.OFF, // its lines hold addresses and bodies
        dataTraceEnabled: false,
        accessLogDestination: new LogGroupLogDestination(
          new LogGroup(this, 'AccessLog', {
            encryptionKey: logKey,
            retention: stage.logRetentionDays,
            removalPolicy: stage.protected ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
          }),
        ),
        accessLogFormat: AccessLogFormat.custom(JSON.stringify(accessLog)),
      },
    });
    new Firewall(this, 'Firewall', { stage, logKey, gatewayStage: api.deploymentStage });
    for (const each of functions.values()) {
      each.addPermission('Gateway', {
        principal: new ServicePrincipal('apigateway.amazonaws.com'),
        sourceArn: api.arnForExecuteApi('*', '/*', gatewayStage),
      });
    }
  }
}

const poolIds = ({ staff, patients }: ApiStackProps['pools']) => ({
  STAFF_POOL_ID: staff.userPool.userPoolId,
  PATIENT_POOL_ID: patients.userPool.userPoolId,
});

const signInPages = ({ staff, patients }: ApiStackProps['pools']) => ({
  STAFF_SIGN_IN: staff.domain,
  PATIENT_SIGN_IN: patients.domain,
});

/** What the description of the server needs differs from what serving records needs. */
const environmentOf = (
  entry: string,
  { stage, table, digests, pools, secretsKeyArn }: ApiStackProps,
): Readonly<Record<string, string>> =>
  entry === 'functions/metadata.ts'
    ? { ...poolIds(pools), ...signInPages(pools) }
    : {
        TABLE_NAME: table.tableName,
        BUCKET_NAME: table.bucketName,
        DIGEST_BUCKET_NAME: digests.bucketName,
        ...poolIds(pools),
        POLICY: JSON.stringify(stage.policy),
        ...(stage.knowledgePack === undefined ? {} : { KNOWLEDGE_PACK: packFile }),
        // a bundle may ask for the capability statement, which tells where to sign in
        ...(entry === 'functions/system.ts' ? signInPages(pools) : {}),
        ...(writesSubscriptions(entry)
          ? { WEBHOOK_HOSTS: JSON.stringify(stage.webhooks?.furtherHosts ?? []), SECRETS_KEY_ID: secretsKeyArn }
          : {}),
        ...(takesUploads(entry) ? { CONTENT_KEY_ARN: table.resource.bucketKeyArn } : {}),
      };
