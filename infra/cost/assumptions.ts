/** A request of the mix, by its name on the page of budgets. */
interface Share {
  readonly request: string;
  /** Of all requests, 0 to 1. */
  readonly share: number;
  /** Time of its function, in milliseconds, at 1 GB. */
  readonly functionMs: number;
  /** Of its answer, in bytes on the wire. */
  readonly answerBytes: number;
  /** Records that it writes: each is one event for each organisation that may know of it. */
  readonly records: number;
}

/** What apps ask for in the mean: a chart is opened by a handful of searches and reads, and each visit leaves some records. */
export const mix: readonly Share[] = [
  { request: 'read', share: 0.3, functionMs: 20, answerBytes: 1_000, records: 0 },
  { request: 'search in a chart: 50 newest of 500', share: 0.25, functionMs: 40, answerBytes: 12_000, records: 0 },
  { request: 'search in a chart: one code of 500', share: 0.05, functionMs: 60, answerBytes: 12_000, records: 0 },
  { request: 'patient by identifier', share: 0.05, functionMs: 30, answerBytes: 1_500, records: 0 },
  { request: 'patient by name', share: 0.1, functionMs: 30, answerBytes: 1_500, records: 0 },
  { request: '$everything of 1,000', share: 0.005, functionMs: 400, answerBytes: 150_000, records: 0 },
  { request: 'create', share: 0.14, functionMs: 35, answerBytes: 1_000, records: 1 },
  { request: 'update', share: 0.09, functionMs: 45, answerBytes: 1_000, records: 1 },
  { request: 'delete', share: 0.005, functionMs: 40, answerBytes: 200, records: 1 },
  { request: 'transaction of 10 creates', share: 0.01, functionMs: 120, answerBytes: 4_000, records: 10 },
];

/** What a canary asks for in one of its days (shared/canary/day.ts); a booking counts as two creates, the feed as reads. */
export const canaryDay: readonly { readonly request: string; readonly times: number }[] = [
  { request: 'read', times: 5 },
  { request: 'patient by identifier', times: 2 },
  { request: 'patient by name', times: 2 },
  { request: 'search in a chart: 50 newest of 500', times: 5 },
  { request: 'create', times: 7 },
  { request: 'update', times: 3 },
  { request: 'delete', times: 6 },
];

export const daysOfMonth = 30.4;
export const secondsOfMonth = daysOfMonth * 86_400;

/** What nobody has counted. Each is a figure that a network replaces by its own. */
export const assumed = {
  /** How long the load has lasted, for what is kept: storage grows with it. */
  monthsOfLoad: 12,
  /** Of invocations, that begin in a new process. */
  coldShare: 0.005,
  /** Time of such a beginning, in milliseconds; it is billed. */
  coldMs: 700,
  /** GB of each function. */
  functionGb: 1,
  /** Of one invocation of a stream's consumer, in milliseconds. */
  consumerMs: 60,
  /** Shards of the stream: one for each partition of the table. A new table has four. */
  shards: 4,
  /** Times a second that Lambda asks a shard; so many invocations at most come of it. */
  pollsOfShard: 4,
  /** Of one run of a scheduled function, in milliseconds. */
  scheduledMs: 300,
  /** Units a minute that functions on a schedule take of an idle table: beats and their way through the stream, partitions of what is unfinished or due. */
  idleWriteUnitsAMinute: 72,
  idleReadUnitsAMinute: 140,
  /** Organisations that are told of one change, besides its custodian's own feed. */
  recipientsOfChange: 1.2,
  /** Of one event on the bus, in bytes. */
  eventBytes: 600,
  /** Of one request, in bytes: the function's line with Lambda's own, the gateway's, the firewall's. */
  logBytes: 700 + 500 + 1_400,
  /** Kept logs are compressed to so much of their size. */
  logCompression: 0.15,
  /** Of answers and their headers that leave for the internet, beside their bodies: bytes. */
  headerBytes: 700,
  /** Metrics that functions count by themselves: changes not published, Subscriptions failed, steps of the canary. */
  metrics: 20,
  /** Of each function X-Ray takes one request a second and this share of further ones. https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html */
  traceShare: 0.05,
  /** Functions that most requests go to. */
  busyFunctions: 10,
  /** Calls of one warm function to KMS in a month: DynamoDB and Lambda keep data keys for five minutes. */
  keyCallsOfWarmFunction: 2 * (secondsOfMonth / 300),
  /** Calls to KMS for one event: the bus encrypts it, and decrypts it for its rules. */
  keyCallsOfEvent: 2,
  /** People who sign in within a month, for each request a second of a working day. */
  staffOfRequestASecond: 250,
  patientsOfRequestASecond: 2_000,
  /** Messages a change wakes, for organisations with Subscriptions; each is sent, received and deleted. */
  wakesOfChange: 0.3,
  /** Calls of Lambda's pollers to one queue in a month: five at a time, 20 seconds each. */
  pollsOfQueue: 5 * (secondsOfMonth / 20),
  /** Bytes of large bodies and uploads that come with one record, in the mean. */
  objectBytesOfRecord: 1_500,
  /** Objects of one record. */
  objectsOfRecord: 0.01,
} as const;
