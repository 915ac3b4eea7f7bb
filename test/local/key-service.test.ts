import { statSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { startAwsServices } from '../../infra/local/aws-services.ts';
import { useDummyCredentials } from '../../infra/local/dummy-credentials.ts';
import { openKeyService } from '../../infra/local/key-service.ts';
import { kmsMacKey } from '../../shared/audit/digest/mac-key.ts';
import { documentClient } from '../../shared/store/document-client.ts';
import { kmsSecretsKey } from '../../shared/store/secrets-key.ts';
import { removedAfterTest } from '../support/removed-after-test.ts';

let file: string;
beforeEach(() => {
  useDummyCredentials();
  file = path.join(removedAfterTest(), 'key.json');
});

const opened = async (over: { readonly file?: string; readonly keyId?: string } = {}) => {
  const digests = over.file ?? file;
  const secrets = `${digests}.secrets`;
  const { service, digestKeyId: keyId, secretsKeyId } = openKeyService({ digests, secrets });
  const { endpoint, stop } = await startAwsServices([service]);
  const client = documentClient();
  onTestFinished(async () => {
    client.destroy();
    await stop();
  });
  return {
    endpoint,
    keyId,
    secretsKeyId,
    secrets,
    key: kmsMacKey(client, { keyId: over.keyId ?? keyId, endpoint }),
    secretsKey: kmsSecretsKey(client, { keyId: over.keyId ?? secretsKeyId, endpoint }),
  };
};
const message = Buffer.from('a message');

describe('the stand-in of KMS', () => {
  it('verifies what it made, also after a restart, and nothing else', async () => {
    const { key } = await opened();
    const mac = await key.generate(message);

    const { key: restarted } = await opened();
    const { key: other } = await opened({ file: path.join(removedAfterTest(), 'key.json') });

    expect(await restarted.verify(message, mac)).toBe(true);
    expect(await restarted.verify(Buffer.from('another'), mac)).toBe(false);
    expect(await restarted.verify(message, mac.slice(4))).toBe(false);
    expect(await other.verify(message, mac)).toBe(false);
  });

  it('keeps its key in a file that nobody else may read', async () => {
    const { secrets } = await opened();

    expect([file, secrets].map((each) => statSync(each).mode & 0o077)).toEqual([0, 0]);
  });

  it('refuses what KMS refuses: another key, a message that is too long or none', async () => {
    const { key } = await opened();
    const { key: unknown } = await opened({ keyId: 'alias/other' });

    await expect(unknown.generate(message)).rejects.toMatchObject({ name: 'KeyServiceNotFoundException' });
    await expect(key.generate(Buffer.alloc(4_097))).rejects.toMatchObject({ name: 'KeyServiceValidationException' });
    await expect(key.generate(Buffer.of())).rejects.toMatchObject({ name: 'KeyServiceValidationException' });
    expect(await key.generate(Buffer.alloc(4_096))).toHaveLength(44);
  });

  it('refuses another algorithm, and to show the key', async () => {
    const { endpoint, keyId } = await opened();
    const ask = async (operation: string, input: object) => {
      const response = await fetch(endpoint, {
        method: 'POST',
        headers: { 'x-amz-target': `TrentService.${operation}` },
        body: JSON.stringify({ KeyId: keyId, ...input }),
      });
      return ((await response.json()) as { __type?: string }).__type;
    };

    expect(await ask('GenerateMac', { MacAlgorithm: 'HMAC_SHA_512', Message: 'YQ==' })).toBe(
      'InvalidKeyUsageException',
    );
    expect(await ask('VerifyMac', { MacAlgorithm: 'HMAC_SHA_256', Message: 'YQ==' })).toBe('ValidationException');
    expect(await ask('GetParametersForImport', {})).toBe('UnknownOperationException');
  });

  it('opens what it has encrypted, also after a restart, and only to who names what it belongs to', async () => {
    const { secretsKey } = await opened();
    const of = { subscription: 'one', secret: 'authorization' };
    const sealed = await secretsKey.encrypt('Bearer ü', of);

    const { secretsKey: restarted } = await opened();
    const { secretsKey: other } = await opened({ file: path.join(removedAfterTest(), 'key.json') });
    const altered = Buffer.from(sealed, 'base64');
    altered[20] = (altered[20] ?? 0) ^ 1;

    expect(await restarted.decrypt(sealed, { secret: of.secret, subscription: of.subscription })).toBe('Bearer ü');
    expect(await secretsKey.encrypt('Bearer ü', of)).not.toBe(sealed);
    expect(Buffer.from(sealed, 'base64').includes('Bearer')).toBe(false);
    const refused = { name: 'KeyServiceInvalidCiphertextException' };
    await expect(restarted.decrypt(sealed, { ...of, subscription: 'other' })).rejects.toMatchObject(refused);
    await expect(restarted.decrypt(sealed, {})).rejects.toMatchObject(refused);
    await expect(restarted.decrypt(altered.toString('base64'), of)).rejects.toMatchObject(refused);
    await expect(restarted.decrypt('YQ==', of)).rejects.toMatchObject(refused);
    await expect(other.decrypt(sealed, of)).rejects.toMatchObject(refused);
  });

  it('refuses to encrypt what KMS refuses: nothing, more than 4,096 bytes, under no key or one for something else', async () => {
    const { secretsKey, endpoint, keyId, secretsKeyId } = await opened();
    const { secretsKey: unknown } = await opened({ keyId: 'alias/other' });
    const { secretsKey: forDigests, key: forSecrets } = await opened({ keyId });
    const { key: asMac } = await opened({ keyId: secretsKeyId });
    const send = async (operation: string, input: object) => {
      const headers = { 'x-amz-target': `TrentService.${operation}` };
      const response = await fetch(endpoint, { method: 'POST', headers, body: JSON.stringify(input) });
      return ((await response.json()) as { __type?: string }).__type;
    };

    const refusal = (name: string) => ({ name: `KeyService${name}` });
    await expect(secretsKey.encrypt('', {})).rejects.toMatchObject(refusal('ValidationException'));
    await expect(secretsKey.encrypt('x'.repeat(4_097), {})).rejects.toMatchObject(refusal('ValidationException'));
    await expect(unknown.encrypt('x', {})).rejects.toMatchObject(refusal('NotFoundException'));
    await expect(forDigests.encrypt('x', {})).rejects.toMatchObject(refusal('InvalidKeyUsageException'));
    await expect(asMac.generate(message)).rejects.toMatchObject(refusal('InvalidKeyUsageException'));
    expect(await forSecrets.generate(message)).toHaveLength(44);
    const KeyId = secretsKeyId;
    expect(await send('Encrypt', { Plaintext: 'YQ==' })).toBe('ValidationException');
    expect(await send('Encrypt', { KeyId, Plaintext: 'YQ==', EncryptionContext: { a: 1 } })).toBe(
      'SerializationException',
    );
    expect(await send('Encrypt', { KeyId, Plaintext: 'YQ==', EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' })).toBe(
      'InvalidKeyUsageException',
    );
    expect(await send('Decrypt', { KeyId, CiphertextBlob: '' })).toBe('ValidationException');
  });
});
