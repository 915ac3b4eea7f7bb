import { type PolicyStatementIn, policyStatementsFor } from './policy.ts';
import { listOf, type OwnRule } from './rule.ts';

const types = ['AWS::S3::Bucket', 'AWS::SNS::Topic', 'AWS::SQS::Queue'];

const isForAll = (principal: unknown): boolean =>
  principal === '*' || listOf((principal as { readonly AWS?: unknown } | undefined)?.AWS).includes('*');

const keepsPlainOut = ({ Effect, Principal, Condition }: PolicyStatementIn): boolean =>
  Effect === 'Deny' && isForAll(Principal) && String(Condition?.Bool?.['aws:SecureTransport']) === 'false';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html */
export const encryptedTransport: OwnRule = {
  name: 'Concord-EncryptedTransport',
  asks: 'Every bucket, topic and queue refuses whoever comes without TLS, and the gateway’s own domain whoever comes by an older one than 1.2.',
  because: 'The packs look at buckets, and at topics and queues whose policies name their actions in one way.',
  violations: (resources) => [
    ...resources
      .filter(
        (resource) => types.includes(resource.type) && !policyStatementsFor(resource, resources).some(keepsPlainOut),
      )
      .map((resource) => ({ resource, says: 'Its policy lets plain text in.' })),
    ...resources
      .filter(
        ({ type, properties }) =>
          type === 'AWS::ApiGateway::DomainName' &&
          !/^(?:TLS_1_2|SecurityPolicy_TLS1[23])/.test(String(properties.SecurityPolicy)),
      )
      .map((resource) => ({ resource, says: 'It takes an older TLS than 1.2.' })),
  ],
};
