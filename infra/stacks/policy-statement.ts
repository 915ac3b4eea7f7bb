import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Statement } from '../grants/statement.ts';

/** A statement as CDK has it. */
export const policyStatement = ({ sid, effect, actions, resources, conditions }: Statement): PolicyStatement =>
  new PolicyStatement({
    ...(sid === undefined ? {} : { sid }),
    effect: effect === 'Deny' ? Effect.DENY : Effect.ALLOW,
    actions: [...actions],
    resources: [...resources],
    ...(conditions === undefined ? {} : { conditions: { ...conditions } }),
  });
