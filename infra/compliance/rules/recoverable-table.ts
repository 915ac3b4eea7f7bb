import type { OwnRule } from './rule.ts';

interface Replica {
  readonly ContributorInsightsSpecification?: { readonly Enabled?: boolean };
  readonly DeletionProtectionEnabled?: boolean;
  readonly PointInTimeRecoverySpecification?: {
    readonly PointInTimeRecoveryEnabled?: boolean;
    readonly RecoveryPeriodInDays?: number;
  };
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/contributorinsights_HowItWorks.html#contributorinsights_HowItWorks.Encryption */
export const recoverableTable: OwnRule = {
  name: 'Concord-RecoverableTable',
  asks: 'The table can be restored to any second of the days that the stage says, in every region that it is in; where the stage is protected nobody can delete it; its keys are shown to nobody in plain text; and its stream has what changes were.',
  because: 'The packs know CfnTable alone, and Concord’s table is a global one.',
  violations: (resources, stage) =>
    resources
      .filter(({ type }) => type === 'AWS::DynamoDB::GlobalTable' || type === 'AWS::DynamoDB::Table')
      .flatMap((resource) => {
        const replicas = (resource.properties.Replicas ?? []) as readonly Replica[];
        const stream = resource.properties.StreamSpecification as { readonly StreamViewType?: string } | undefined;
        const every = (holds: (replica: Replica) => boolean): boolean => replicas.length > 0 && replicas.every(holds);
        const is = {
          'It cannot be restored for as long as the stage says.': every(
            ({ PointInTimeRecoverySpecification: recovery }) =>
              recovery?.PointInTimeRecoveryEnabled === true && recovery.RecoveryPeriodInDays === stage.recoveryDays,
          ),
          'It can be deleted.': every(
            ({ DeletionProtectionEnabled }) => !stage.protected || DeletionProtectionEnabled === true,
          ),
          'Contributor Insights shows its keys.': every(
            ({ ContributorInsightsSpecification }) => ContributorInsightsSpecification?.Enabled !== true,
          ),
          'Its stream does not have both images.': stream?.StreamViewType === 'NEW_AND_OLD_IMAGES',
        };
        return Object.entries(is).flatMap(([says, holds]) => (holds ? [] : [{ resource, says }]));
      }),
};
