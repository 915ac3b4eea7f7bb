import { Aws, CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
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
import { requireFunctions, reservationName } from '../concurrency.ts';
import { apiGrants, takesUploads, writesSubscriptions } from '../grants/api-grants.ts';
import type { DigestResource } from '../grants/digest-access.ts';
import { statementsFor } from '../grants/grants.ts';
import type { TableResource } from '../grants/table-access.ts';
import { packFile } from '../knowledge-pack.ts';
import { integrationTimeoutMs, routeDocument } from '../route-document.ts';
import { routes } from '../routes.ts';
import type { StageConfig } from '../stages.ts';
import { BundledFunction, constructName, describeEntry, type FunctionSettings } from './bundled-function.ts';
import { Firewall } from './firewall.ts';
import { OwnDomain } from './own-domain.ts';
import { ReleaseOutputs } from './release-outputs.ts';

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
export const gatewayStage = 'api';

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

/** What of the account's concurrency a function has for itself. Behind the closed door nothing runs, even where the firewall does not know of it yet. */
const reserved = ({ open, concurrency }: StageConfig, entry: string) => {
  const reservedConcurrency = open === false ? 0 : concurrency?.reserved[reservationName(entry)];
  return reservedConcurrency === undefined ? {} : { reservedConcurrency };
};

/** Of these the gateway always has a number, so they stand without quotes: filters compare numbers with numbers. */
const numbers = [accessLog.status, accessLog.latencyMs];

const accessLogFormat = () =>
  numbers.reduce((format, field) => format.replace(`"${field}"`, field), JSON.stringify(accessLog));

/** The API: a function for each record type behind one gateway. */
export class ApiStack extends Stack {
  readonly apiName: string;
  readonly accessLog: LogGroup;
  readonly firewallName: string;
  /** Base of FHIR, as clients call it. */
  readonly url: string;

  constructor(scope: Construct, id: string, props: ApiStackProps) {
    super(scope, id, props);
    const { stage, digests, bundleFolder, logKey, pools, table, secretsKeyArn } = props;
    const entries = [...new Set(routes.map(({ entry }) => entry))];
    requireFunctions(stage.concurrency, entries);
    const functions = new Map(
      entries.map((entry) => [
        entry,
        new BundledFunction(this, constructName(entry), {
          stage,
          bundleFolder,
          logKey,
          entry,
          description: describeEntry(stage, entry),
          timeout: Duration.millis(integrationTimeoutMs),
          ...reserved(stage, entry),
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
    this.apiName = `concord-${stage.name}`;
    const ownUrl = stage.domain && `https://${stage.domain.name}`;
    this.accessLog = new LogGroup(this, 'AccessLog', {
      encryptionKey: logKey,
      retention: stage.logRetentionDays,
      removalPolicy: stage.protected ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    const api = new SpecRestApi(this, 'Api', {
      restApiName: this.apiName,
      apiDefinition: ApiDefinition.fromInline(
        routeDocument({
          routes,
          integrationUri: (entry) =>
            `arn:${Aws.PARTITION}:apigateway:${stage.region}:lambda:path/2015-03-31/functions/${functionOf(entry).functionArn}/invocations`,
          userPoolArns: [pools.staff, pools.patients].map(({ userPool }) => userPool.userPoolArn),
          scopes: [gatewayScope],
          ...(ownUrl === undefined ? {} : { onlyAt: ownUrl }),
        }),
      ),
      failOnWarnings: true,
      disableExecuteApiEndpoint: ownUrl !== undefined,
      endpointTypes: [EndpointType.REGIONAL],
      cloudWatchRole: true, // the account's gateway needs it to write any access log
      cloudWatchRoleRemovalPolicy: RemovalPolicy.RETAIN, // other APIs of the account use it too
      deployOptions: {
        stageName: gatewayStage,
        throttlingRateLimit: stage.throttling.requestsPerSecond,
        throttlingBurstLimit: stage.throttling.burst,
        metricsEnabled: false, // by path and method: some 900 metrics, 0.30 USD each a month. Those of the API come anyway
        tracingEnabled: false, // its traces hold addresses with their queries (docs/observability.md)
        loggingLevel: MethodLoggingLevel.OFF, // its lines hold addresses and bodies
        dataTraceEnabled: false,
        accessLogDestination: new LogGroupLogDestination(this.accessLog),
        accessLogFormat: AccessLogFormat.custom(accessLogFormat()),
      },
    });
    this.url = ownUrl === undefined ? `${api.url}fhir` : `${ownUrl}/fhir`;
    new CfnOutput(this, 'Url', { value: this.url, description: 'Base of FHIR' });
    if (stage.domain) new OwnDomain(this, 'Domain', { domain: stage.domain, api });
    this.firewallName = new Firewall(this, 'Firewall', { stage, logKey, gatewayStage: api.deploymentStage }).name;
    for (const each of functions.values()) {
      each.addPermission('Gateway', {
        principal: new ServicePrincipal('apigateway.amazonaws.com'),
        sourceArn: api.arnForExecuteApi('*', '/*', gatewayStage),
      });
    }
    new ReleaseOutputs(this, 'ReleaseOutputs');
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
