import type { Statement } from './statement.ts';

/**
 * What a function may do with secrets: what serves Subscriptions encrypts, what delivers decrypts, and neither does the other's. Only with what says whose secret it is,
 * which KMS writes into its log. https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-encryption-context
 */
export const secretsStatement = (keyArn: string, action: 'Encrypt' | 'Decrypt'): Statement => ({
  actions: [`kms:${action}`],
  resources: [keyArn],
  conditions: { Null: { 'kms:EncryptionContext:subscription': 'false' } },
});
