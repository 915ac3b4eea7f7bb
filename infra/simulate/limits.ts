import { clinicalConcurrency } from '../concurrency.ts';

/** A limit of a service, as it is published for a new account, and whether more is to be had for the asking. */
export interface Limit {
  readonly limit: number;
  readonly unit: string;
  /** How it is raised: not at all, by asking, or by an entry of the stage. */
  readonly raise: 'never' | 'on request' | 'in infra/stages.ts' | 'by itself';
  readonly source: string;
}

const dynamodb = 'https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html';
const lambda = 'https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html';
const cognito = 'https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html';

/** What one partition serves a second. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html */
export const partition = { writeUnits: 1_000, readUnits: 3_000 } as const;

/** What a new on-demand table serves at once; later, twice the highest of what it served half an hour before. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html */
export const newTable = { writeUnits: 4_000, readUnits: 12_000, growth: 2, growsAfterSeconds: 1_800 } as const;

/** Published limits of us-east-1, in the state of November 2026. */
export const limits = {
  stage: {
    limit: Number.NaN, // a figure of the stage
    unit: 'requests a second that the stage lets through',
    raise: 'in infra/stages.ts',
    source: 'infra/stages.ts',
  },
  gateway: {
    limit: 10_000,
    unit: 'requests a second',
    raise: 'on request',
    source: 'https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html',
  },
  executions: { limit: 1_000, unit: 'executions at once', raise: 'on request', source: lambda },
  unreserved: {
    limit:
      clinicalConcurrency.account - Object.values(clinicalConcurrency.reserved).reduce((sum, each) => sum + each, 0),
    unit: 'executions at once of functions that reserve none',
    raise: 'in infra/stages.ts',
    source: 'https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html',
  },
  invocations: {
    limit: 10_000,
    unit: 'invocations a second: ten for each execution',
    raise: 'on request',
    source: lambda,
  },
  tableWrites: { limit: 40_000, unit: 'write units a second', raise: 'on request', source: dynamodb },
  tableReads: { limit: 40_000, unit: 'read units a second', raise: 'on request', source: dynamodb },
  signIns: { limit: 120, unit: 'sign-ins a second by password', raise: 'on request', source: cognito },
  federatedSignIns: {
    limit: 25,
    unit: 'sign-ins a second by the own organisation',
    raise: 'on request',
    source: cognito,
  },
  renewals: { limit: 120, unit: 'tokens renewed a second', raise: 'on request', source: cognito },
  filing: {
    limit: Number.NaN, // by the number of shards
    unit: 'rows of the access log filed a second',
    raise: 'by itself',
    source: 'https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html',
  },
  events: {
    limit: 10_000,
    unit: 'events a second',
    raise: 'on request',
    source: 'https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html',
  },
  keys: {
    limit: 100_000,
    unit: 'requests a second',
    raise: 'on request',
    source: 'https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html',
  },
} as const satisfies Readonly<Record<string, Limit>>;
