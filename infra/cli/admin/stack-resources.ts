import { CloudFormationClient, paginateListStackResources } from '@aws-sdk/client-cloudformation';
import { CommandFailed } from '../command.ts';

/** A resource of a deployed stack. */
export interface StackResource {
  /** Stack that it is in, such as `records`. */
  readonly part: string;
  /** Such as `AWS::SQS::Queue`. */
  readonly type: string;
  /** Its name in the template. */
  readonly id: string;
  /** What the service knows it by: a name, an id, or of a queue its URL. */
  readonly physicalId: string;
}

/** Stacks in which something is that is asked for here. */
const parts = ['records', 'documents', 'sign-in', 'sharing', 'api', 'observability'];

/**
 * What a stage's stacks are made of. A stack that is not there has nothing.
 *
 * @throws CommandFailed without credentials, or if nothing of the stage is deployed.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackResources.html
 */
export const stackResources = async (stage: string, region: string): Promise<readonly StackResource[]> => {
  const client = new CloudFormationClient({ region });
  try {
    const all = await Promise.all(parts.map((part) => resourcesOf(client, `concord-${stage}-${part}`, part)));
    const found = all.flat();
    if (found.length > 0) return found;
    throw new CommandFailed(`Nothing of stage "${stage}" is deployed in ${region} of this account`);
  } finally {
    client.destroy();
  }
};

const resourcesOf = async (client: CloudFormationClient, StackName: string, part: string): Promise<StackResource[]> => {
  const found: StackResource[] = [];
  try {
    for await (const { StackResourceSummaries = [] } of paginateListStackResources({ client }, { StackName }))
      for (const {
        ResourceType: type,
        LogicalResourceId: id,
        PhysicalResourceId: physicalId,
      } of StackResourceSummaries)
        if (type !== undefined && id !== undefined && physicalId !== undefined)
          found.push({ part, type, id, physicalId });
    return found;
  } catch (error) {
    const { name, message } = error as Error;
    if (name === 'ValidationError' && message.includes('does not exist')) return [];
    throw new CommandFailed(`The stack ${StackName} cannot be looked at: ${message}`);
  }
};
