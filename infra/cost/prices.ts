/** A list price, before any discount, free allowance or tax. */
export interface Price {
  readonly usd: number;
  /** For how many of the unit. */
  readonly per: number;
  readonly unit: string;
  /** Where it stands. */
  readonly source: string;
}

/** When the list prices of US East (N. Virginia) were written down. DynamoDB's, Cognito's, API Gateway's, Lambda's, EventBridge's and those of secrets and backups stood so in copies of their pages; the others are still to be compared with theirs. */
export const readOn = '2026-11-27';
export const priceRegion = 'us-east-1';

const million = 1_000_000;
const price = (usd: number, per: number, unit: string, source: string): Price => ({ usd, per, unit, source });

// Offer of the price list of 2026-09-11.
const dynamodb = 'https://aws.amazon.com/dynamodb/pricing/on-demand/';
const lambda = 'https://aws.amazon.com/lambda/pricing/';
const gateway = 'https://aws.amazon.com/api-gateway/pricing/';
const cloudwatch = 'https://aws.amazon.com/cloudwatch/pricing/';
const xray = 'https://aws.amazon.com/xray/pricing/';
const waf = 'https://aws.amazon.com/waf/pricing/';
const kms = 'https://aws.amazon.com/kms/pricing/';
const cognito = 'https://aws.amazon.com/cognito/pricing/';
const s3 = 'https://aws.amazon.com/s3/pricing/';
const eventbridge = 'https://aws.amazon.com/eventbridge/pricing/';
const sqs = 'https://aws.amazon.com/sqs/pricing/';
const backup = 'https://aws.amazon.com/backup/pricing/';
const secrets = 'https://aws.amazon.com/secrets-manager/pricing/';
const transfer = 'https://aws.amazon.com/ec2/pricing/on-demand/';

export const prices = {
  writeUnits: price(0.625, million, 'write request units', dynamodb),
  readUnits: price(0.125, million, 'read request units', dynamodb),
  tableStorage: price(0.25, 1, 'GB-month', dynamodb),
  recovery: price(0.2, 1, 'GB-month', dynamodb),
  invocations: price(0.2, million, 'invocations', lambda),
  armGbSeconds: price(0.0000133334, 1, 'GB-second', lambda),
  gatewayRequests: price(3.5, million, 'requests', gateway),
  logsIn: price(0.5, 1, 'GB', cloudwatch),
  logsKept: price(0.03, 1, 'GB-month, compressed', cloudwatch),
  alarmMetrics: price(0.1, 1, 'metric of an alarm a month', cloudwatch),
  compositeAlarms: price(0.5, 1, 'composite alarm a month', cloudwatch),
  metrics: price(0.3, 1, 'custom metric a month', cloudwatch),
  dashboards: price(3, 1, 'dashboard a month', cloudwatch),
  traces: price(5, million, 'traces', xray),
  webAcls: price(5, 1, 'web ACL a month', waf),
  firewallRules: price(1, 1, 'rule or managed group a month', waf),
  firewallRequests: price(0.6, million, 'requests', waf),
  keys: price(1, 1, 'key a month', kms),
  keyRequests: price(0.03, 10_000, 'requests', kms),
  plusUsers: price(0.02, 1, 'user active in the month, Plus', cognito),
  applications: price(6, 1, 'app client of an application a month', cognito),
  applicationTokens: price(2.25, 1_000, 'tokens of applications', cognito),
  objectStorage: price(0.023, 1, 'GB-month', s3),
  objectPuts: price(0.005, 1_000, 'PUT requests', s3),
  objectGets: price(0.0004, 1_000, 'GET requests', s3),
  events: price(1, million, 'events', eventbridge),
  eventsArchived: price(0.1, 1, 'GB archived', eventbridge),
  queueRequests: price(0.4, million, 'requests', sqs),
  backups: price(0.1, 1, 'GB-month', backup),
  secrets: price(0.4, 1, 'secret a month', secrets),
  transferOut: price(0.09, 1, 'GB to the internet', transfer),
} as const satisfies Readonly<Record<string, Price>>;

export type PriceName = keyof typeof prices;
