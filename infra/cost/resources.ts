import { daysOfMonth, secondsOfMonth } from './assumptions.ts';

/** Resources of a stage that cost something by being there. */
export interface CountedResources {
  readonly keys: number;
  /** Metrics that alarms look at: each is billed. */
  readonly alarmMetrics: number;
  /** Alarms of alarms. */
  readonly compositeAlarms: number;
  readonly dashboards: number;
  readonly webAcls: number;
  /** Rules and managed groups of rules of them. */
  readonly firewallRules: number;
  readonly secrets: number;
  /** That Lambda polls. */
  readonly queues: number;
  readonly functions: number;
  /** Backups that are kept at once, besides the table's own recovery. */
  readonly dailyBackups: number;
  readonly monthlyBackups: number;
  /** Functions that send traces. */
  readonly tracedFunctions: number;
  /** Days of the canary in a month. */
  readonly canaryDays: number;
}

interface BackupRule {
  readonly ScheduleExpression: string;
  readonly Lifecycle: { readonly DeleteAfterDays: number };
}

/** How often rules of a resource run within a month, of those whose target is a function with such a name. */
const runsOfMonth = (rules: readonly AnyResource[], target: string): number =>
  rules.reduce((sum, { properties: { State, ScheduleExpression, Targets } }) => {
    const minutes = /^rate\((\d+) minutes?\)$/.exec(String(ScheduleExpression).replace('1 hour', '60 minutes'))?.[1];
    const runs = State !== 'DISABLED' && minutes !== undefined && JSON.stringify(Targets).includes(`["${target}`);
    return runs ? sum + secondsOfMonth / 60 / Number(minutes) : sum;
  }, 0);

interface AnyResource {
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** Counts in the templates of a stage what costs something by being there. */
export const countResources = (resources: readonly AnyResource[]): CountedResources => {
  const of = (type: string) => resources.filter((each) => each.type === type);
  const polled = of('AWS::Lambda::EventSourceMapping').filter(
    ({ properties }) => properties.ScalingConfig !== undefined,
  );
  const backups = of('AWS::Backup::BackupPlan').flatMap(
    ({ properties }) => (properties.BackupPlan as { readonly BackupPlanRule: readonly BackupRule[] }).BackupPlanRule,
  );
  const [daily, monthly] = [/^cron\(\d+ \d+ \* /, /^cron\(\d+ \d+ \d+ /].map((schedule) =>
    backups
      .filter(({ ScheduleExpression }) => schedule.test(ScheduleExpression))
      .reduce((sum, { Lifecycle }) => sum + Lifecycle.DeleteAfterDays, 0),
  );
  return {
    keys: of('AWS::KMS::Key').length,
    alarmMetrics: of('AWS::CloudWatch::Alarm').reduce((sum, { properties: { Metrics } }) => {
      const asked = Metrics as readonly { readonly MetricStat?: object }[] | undefined;
      return sum + (asked?.filter(({ MetricStat }) => MetricStat).length ?? 1);
    }, 0),
    compositeAlarms: of('AWS::CloudWatch::CompositeAlarm').length,
    dashboards: of('AWS::CloudWatch::Dashboard').length,
    webAcls: of('AWS::WAFv2::WebACL').length,
    firewallRules: of('AWS::WAFv2::WebACL').flatMap(({ properties }) => properties.Rules as readonly unknown[]).length,
    secrets: of('AWS::SecretsManager::Secret').length,
    queues: polled.length,
    functions: of('AWS::Lambda::Function').length,
    dailyBackups: daily ?? 0,
    monthlyBackups: Math.floor((monthly ?? 0) / daysOfMonth),
    tracedFunctions: of('AWS::Lambda::Function').filter(
      ({ properties }) => (properties.TracingConfig as { readonly Mode?: string } | undefined)?.Mode === 'Active',
    ).length,
    canaryDays: runsOfMonth(of('AWS::Events::Rule'), 'CanaryFunction'),
  };
};
