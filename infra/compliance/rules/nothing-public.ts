import { isForEverybody, policyStatementsFor, statementsOf } from './policy.ts';
import type { OwnRule, TemplateResource } from './rule.ts';

const blocks = ['BlockPublicAcls', 'BlockPublicPolicy', 'IgnorePublicAcls', 'RestrictPublicBuckets'];

const isBlocked = ({ properties }: TemplateResource): boolean => {
  const found = (properties.PublicAccessBlockConfiguration ?? {}) as Readonly<Record<string, unknown>>;
  return blocks.every((block) => found[block] === true);
};

const isOpen = (resource: TemplateResource, resources: readonly TemplateResource[]): boolean => {
  const { type, properties } = resource;
  switch (type) {
    case 'AWS::S3::Bucket':
      return !isBlocked(resource) || policyStatementsFor(resource, resources).some(isForEverybody);
    case 'AWS::SNS::Topic':
    case 'AWS::SQS::Queue':
      return policyStatementsFor(resource, resources).some(isForEverybody);
    case 'AWS::Events::EventBusPolicy':
      return properties.Principal === '*' || statementsOf({ Statement: properties.Statement }).some(isForEverybody);
    case 'AWS::Lambda::Permission':
      return (
        properties.Principal === '*' ||
        (typeof properties.Principal === 'string' &&
          properties.SourceArn === undefined &&
          properties.SourceAccount === undefined)
      );
    case 'AWS::Lambda::Url':
      return properties.AuthType !== 'AWS_IAM';
    case 'AWS::Lambda::LayerVersionPermission':
      return properties.Principal === '*';
    default:
      return false;
  }
};

export const nothingPublic: OwnRule = {
  name: 'Concord-NothingPublic',
  asks: 'Nothing is open to whoever comes but the API: no bucket, queue, topic or bus, and no function that a service may call for whomever it likes.',
  because: 'The packs look at buckets, and not at what lets a service call a function or a bus take events.',
  violations: (resources) =>
    resources
      .filter((resource) => isOpen(resource, resources))
      .map((resource) => ({ resource, says: 'It is open to whoever comes.' })),
};
