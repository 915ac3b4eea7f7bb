import { ResourceImpact, type TemplateDiff } from '@aws-cdk/cloudformation-diff';
import { statefulResources } from './stateful-resources.ts';

/** A resource that holds something, and which a deployment would replace, remove or let go. */
export interface Loss {
  readonly stack: string;
  /** Its logical id. */
  readonly id: string;
  readonly type: string;
  readonly how: 'replaced' | 'perhaps replaced' | 'removed' | 'no longer part of the stack';
  /** The properties that cause it. */
  readonly because: readonly string[];
}

const howOf: Readonly<Partial<Record<ResourceImpact, Loss['how']>>> = {
  [ResourceImpact.WILL_REPLACE]: 'replaced',
  [ResourceImpact.MAY_REPLACE]: 'perhaps replaced',
  [ResourceImpact.WILL_DESTROY]: 'removed',
  [ResourceImpact.WILL_ORPHAN]: 'no longer part of the stack',
};

/**
 * What a stack would lose, by what CloudFormation's own specification says of each property that changes.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
 */
export const lossesOf = (stack: string, difference: TemplateDiff): Loss[] =>
  Object.entries(difference.resources.changes).flatMap(([id, change]): Loss[] => {
    const how = howOf[change.changeImpact];
    // The old type counts: with another type, what was there goes.
    const type = change.oldResourceType ?? '';
    if (how === undefined || !Object.hasOwn(statefulResources, type)) return [];
    const because = Object.entries(change.propertyUpdates).flatMap(([name, { changeImpact }]) =>
      changeImpact !== undefined && howOf[changeImpact] !== undefined ? [name] : [],
    );
    return [{ stack, id, type, how, because }];
  });

/** In words for whoever deploys. */
export const describeLoss = ({ stack, id, type, how, because }: Loss): string =>
  `${stack}: ${id} (${type}) would be ${how}${because.length > 0 ? `, because of ${because.join(', ')}` : ''}: with it goes ${statefulResources[type]}`;
