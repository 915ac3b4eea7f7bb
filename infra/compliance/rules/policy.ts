import { listOf, referredTo, type TemplateResource } from './rule.ts';

/** A statement of a policy in a template. */
export interface PolicyStatementIn {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action?: unknown;
  readonly Principal?: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** The statements of a policy document. */
export const statementsOf = (document: unknown): readonly PolicyStatementIn[] =>
  listOf((document as { readonly Statement?: unknown } | undefined)?.Statement) as readonly PolicyStatementIn[];

export const actionsOf = ({ Action }: PolicyStatementIn): readonly string[] => listOf(Action).map(String);

/** Whether a statement is for everybody who is not kept out by a condition. */
export const isForEverybody = ({ Effect, Principal, Condition }: PolicyStatementIn): boolean => {
  if (Effect !== 'Allow' || (Condition && Object.keys(Condition).length > 0)) return false;
  return Principal === '*' || listOf((Principal as { readonly AWS?: unknown } | undefined)?.AWS).includes('*');
};

/** Which resource a policy that is a resource itself is about: the type of policy, and the property that names it. */
const policies: Readonly<Record<string, { readonly policy: string; readonly names: string }>> = {
  'AWS::S3::Bucket': { policy: 'AWS::S3::BucketPolicy', names: 'Bucket' },
  'AWS::SNS::Topic': { policy: 'AWS::SNS::TopicPolicy', names: 'Topics' },
  'AWS::SQS::Queue': { policy: 'AWS::SQS::QueuePolicy', names: 'Queues' },
};

/** The statements of the policies of a bucket, a topic or a queue. */
export const policyStatementsFor = (
  resource: TemplateResource,
  resources: readonly TemplateResource[],
): readonly PolicyStatementIn[] => {
  const known = policies[resource.type];
  if (!known) return [];
  return resources
    .filter(
      ({ type, stack, properties }) =>
        type === known.policy &&
        stack === resource.stack &&
        listOf(properties[known.names]).some((named) => referredTo(named) === resource.id),
    )
    .flatMap(({ properties }) => statementsOf(properties.PolicyDocument));
};
