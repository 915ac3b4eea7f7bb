import { scheduledFunctions } from '../local/scheduler.ts';
import { assumed, canaryDay, mix, secondsOfMonth } from './assumptions.ts';
import type { CountedUnits } from './counted-units.ts';
import { type PriceName, prices } from './prices.ts';
import type { CountedResources } from './resources.ts';

/** One line of a month's bill. */
export interface Line {
  readonly what: string;
  readonly price: PriceName;
  /** Units of the price. */
  readonly quantity: number;
  readonly usd: number;
}

const gigabyte = 1e9;

/** What a mean request of the mix is, of one figure of its parts. */
const meanOf = (figure: (request: string, share: (typeof mix)[number]) => number): number =>
  mix.reduce((sum, each) => sum + each.share * figure(each.request, each), 0);

/** Of invocations of some functions in a month, those that X-Ray takes. */
const sampled = (invocations: number, functions: number): number => {
  const always = Math.min(invocations, functions * secondsOfMonth);
  return always + assumed.traceShare * (invocations - always);
};

/**
 * Backups that are kept, as a multiple of the table: each is whole. The table has grown for as long as the load has lasted, so older ones are smaller.
 * https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-feature-availability.html
 */
export const backupsOfTable = ({
  dailyBackups,
  monthlyBackups,
}: Pick<CountedResources, 'dailyBackups' | 'monthlyBackups'>): number => {
  let sum = dailyBackups;
  for (let age = 0; age < Math.min(monthlyBackups, assumed.monthsOfLoad); age += 1)
    sum += 1 - age / assumed.monthsOfLoad;
  return sum;
};

/** What the bill adds to each item. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html */
const bytesAddedToItem = 100;

/**
 * The bill of a month.
 *
 * @param perSecond - requests a second, day and night; 0 for a deployment that nobody uses.
 * @param counted - what each request of the mix asks of the table, by its name.
 * @param kept - what is known otherwise: charts that were there before the load began, who signs in, the shards of its stream.
 */
export const linesOf = (
  perSecond: number,
  counted: ReadonlyMap<string, CountedUnits>,
  resources: CountedResources,
  kept: { readonly chartsGb?: number; readonly users?: number; readonly shards?: number } = {},
): readonly Line[] => {
  const unitsOf = (name: string) => {
    const units = counted.get(name);
    if (!units) throw new Error(`Nobody has counted "${name}"`);
    return units;
  };
  const ofPeople = perSecond * secondsOfMonth;
  const days = resources.canaryDays;
  /** Of a month, of what people ask for and of what the canary does. */
  const all = (figure: (request: string, share: (typeof mix)[number]) => number): number =>
    ofPeople * meanOf(figure) +
    mix.reduce(
      (sum, each) =>
        sum +
        days * (canaryDay.find(({ request }) => request === each.request)?.times ?? 0) * figure(each.request, each),
      0,
    );
  const allUnits = (figure: (units: CountedUnits) => number) => all((name) => figure(unitsOf(name)));
  const requests = all(() => 1);
  const records = all((_, { records: written }) => written);
  const events = records * assumed.recipientsOfChange;
  // a transaction takes two units an item
  const items = allUnits(({ writeUnits, writeUnitsBehind }) => writeUnits / 2 + writeUnitsBehind);
  const tableGb =
    (kept.chartsGb ?? 0) +
    ((allUnits(({ bytesStored }) => bytesStored) + items * bytesAddedToItem) * assumed.monthsOfLoad) / gigabyte;
  const objectGb = (records * assumed.objectBytesOfRecord * assumed.monthsOfLoad) / gigabyte;
  const logGb = (requests * assumed.logBytes) / gigabyte;
  const scheduled = scheduledFunctions.reduce((sum, { everyMs }) => sum + (secondsOfMonth * 1_000) / everyMs, 0);
  // Two consumers; each invocation brings what came since the last one.
  const consumed =
    2 *
    Math.min(requests + secondsOfMonth / 15, (kept.shards ?? assumed.shards) * assumed.pollsOfShard * secondsOfMonth);
  const wakes = records * assumed.wakesOfChange;
  const functionMs =
    all((_, { functionMs: ms }) => ms + assumed.coldShare * assumed.coldMs) +
    scheduled * assumed.scheduledMs +
    (consumed + wakes) * assumed.consumerMs;
  // What is warm at all calls KMS: each function as soon as it is used, and those of the schedule and the stream always.
  const warm = perSecond > 0 ? resources.functions : scheduledFunctions.length + 2;
  const minutes = secondsOfMonth / 60;
  // Functions on a schedule are too rare to be left out by any sampling.
  const traces =
    resources.tracedFunctions > 0
      ? sampled(ofPeople, assumed.busyFunctions) + sampled(consumed + wakes, 3) + scheduled + requests - ofPeople
      : 0;
  const firewalled = resources.webAcls > 0 ? requests : 0;
  const users = kept.users ?? perSecond * (assumed.staffOfRequestASecond + assumed.patientsOfRequestASecond);

  const line = (what: string, price: PriceName, quantity: number): Line => ({
    what,
    price,
    quantity,
    usd: (quantity / prices[price].per) * prices[price].usd,
  });
  return [
    line('API Gateway', 'gatewayRequests', requests),
    line('Firewall: the ACL', 'webAcls', resources.webAcls),
    line('Firewall: its rules', 'firewallRules', resources.firewallRules),
    line('Firewall: requests', 'firewallRequests', firewalled),
    line('Lambda: invocations', 'invocations', requests + scheduled + consumed + wakes),
    line('Lambda: time', 'armGbSeconds', (functionMs / 1_000) * assumed.functionGb),
    line(
      'DynamoDB: writes',
      'writeUnits',
      allUnits(({ writeUnits, writeUnitsBehind }) => writeUnits + writeUnitsBehind) +
        minutes * assumed.idleWriteUnitsAMinute,
    ),
    line(
      'DynamoDB: reads',
      'readUnits',
      allUnits(({ readUnits }) => readUnits) + minutes * assumed.idleReadUnitsAMinute,
    ),
    line('DynamoDB: what is kept', 'tableStorage', tableGb),
    line('DynamoDB: recovery to any second', 'recovery', tableGb),
    line('Backups', 'backups', tableGb * backupsOfTable(resources)),
    line('S3: large bodies, digests', 'objectStorage', objectGb),
    line('S3: puts', 'objectPuts', records * assumed.objectsOfRecord + 31),
    line('S3: gets', 'objectGets', requests * assumed.objectsOfRecord),
    line('KMS: keys', 'keys', resources.keys),
    line('KMS: requests', 'keyRequests', warm * assumed.keyCallsOfWarmFunction + events * assumed.keyCallsOfEvent),
    line('EventBridge: events', 'events', events),
    line('EventBridge: archive', 'eventsArchived', (events * assumed.eventBytes) / gigabyte),
    line('SQS', 'queueRequests', resources.queues * assumed.pollsOfQueue + wakes * 3),
    line('Logs: written', 'logsIn', logGb),
    line('Logs: kept', 'logsKept', logGb * assumed.monthsOfLoad * assumed.logCompression),
    line('Alarms: their metrics', 'alarmMetrics', resources.alarmMetrics),
    line('Alarms of alarms', 'compositeAlarms', resources.compositeAlarms),
    line('Metrics of its own', 'metrics', assumed.metrics),
    line('Dashboard', 'dashboards', resources.dashboards),
    line('Tracing', 'traces', traces),
    line('Secrets', 'secrets', resources.secrets),
    line('Cognito: people', 'plusUsers', users),
    line('Cognito: the canary, an application', 'applications', days > 0 ? 1 : 0),
    line('Cognito: its tokens', 'applicationTokens', days),
    line(
      'Answers to the internet',
      'transferOut',
      (ofPeople * (meanOf((_, { answerBytes }) => answerBytes) + assumed.headerBytes)) / gigabyte,
    ),
  ];
};

/** Sum of a bill, in US dollars. */
export const sumOf = (lines: readonly Line[]): number => lines.reduce((sum, { usd }) => sum + usd, 0);
