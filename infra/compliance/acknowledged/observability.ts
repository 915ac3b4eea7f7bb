import type { Acknowledgement } from '../acknowledgement.ts';

/** What stays of objectives and the canary. */
export const acknowledgedInObservability: readonly Acknowledgement[] = [
  ...(['AwsSolutions-SMG4', 'HIPAA.Security-SecretsManagerRotationEnabled'] as const).map(
    (rule): Acknowledgement => ({
      rule,
      where: ['observability/Canary/Secret'],
      reason:
        "It holds the secret of an application of a pool, which a function that rotated it would have to be allowed to make anew. Administrators do, by npm run admin; it opens the canary's own organisation, where nobody is a patient.",
    }),
  ),
  {
    rule: 'HIPAA.Security-CloudWatchAlarmAction',
    where: ['observability/*/*Over*/Resource'],
    reason:
      'One window of two: alone it tells nobody, because a short burst and a long ago one are no reason to wake somebody. The alarm that both make together tells.',
  },
  {
    rule: 'HIPAA.Security-LambdaDLQ',
    where: ['observability/Canary/Function/Resource'],
    reason:
      'A run that fails is told of by its alarm, and the next one comes by its schedule: there is nothing to do later.',
  },
];
