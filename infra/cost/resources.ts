/** Resources of a stage that cost something by being there. */
export interface CountedResources {
  readonly keys: number;
  readonly alarms: number;
  readonly dashboards: number;
  readonly webAcls: number;
  /** Rules and managed groups of rules of them. */
  readonly firewallRules: number;
  readonly secrets: number;
  /** That Lambda polls. */
  readonly queues: number;
  readonly functions: number;
  /** Whether a plan makes backups besides the table's own recovery. */
  readonly backups: boolean;
  /** Whether requests are traced. */
  readonly traced: boolean;
}

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
  return {
    keys: of('AWS::KMS::Key').length,
    alarms: of('AWS::CloudWatch::Alarm').length + of('AWS::CloudWatch::CompositeAlarm').length,
    dashboards: of('AWS::CloudWatch::Dashboard').length,
    webAcls: of('AWS::WAFv2::WebACL').length,
    firewallRules: of('AWS::WAFv2::WebACL').flatMap(({ properties }) => properties.Rules as readonly unknown[]).length,
    secrets: of('AWS::SecretsManager::Secret').length,
    queues: polled.length,
    functions: of('AWS::Lambda::Function').length,
    backups: of('AWS::Backup::BackupPlan').length > 0,
    traced: of('AWS::ApiGateway::Stage').some(({ properties }) => properties.TracingEnabled === true),
  };
};
