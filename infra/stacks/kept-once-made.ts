import { RemovalPolicy } from 'aws-cdk-lib';
import type { StageConfig } from '../stages.ts';

/**
 * What happens to something with a name of its own when its stack goes: it stays, where the stage is protected. Not so when the deployment that makes it fails: what that left behind would bear the
 * name, and no later deployment could make it.
 *
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
 */
export const keptOnceMade = ({ protected: kept }: StageConfig): RemovalPolicy =>
  kept ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY;
