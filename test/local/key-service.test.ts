import { statSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { startAwsServices } from '../../infra/local/aws-services.ts';
import { useDummyCredentials } from '../../infra/local/dummy-credentials.ts';
import { openKeyService } from '../../infra/local/key-service.ts';
import { kmsMacKey } from '../../shared/audit/digest/mac-key.ts';
import { documentClient } from '../../shared/store/document-client.ts';
import { removedAfterTest } from '../support/removed-after-test.ts';

let file: string;
beforeEach(() => {
  useDummyCredentials();
  file = path.join(removedAfterTest(), 'key.json');
});

const opened = async (over: { readonly file?: string; readonly keyId?: string } = {}) => {
  const { service, keyId } = openKeyService(over.file ?? file);
  const { endpoint, stop } = await startAwsServices([service]);
  const client = documentClient();
  onTestFinished(async () => {
    client.destroy();
    await stop();
  });
  return { endpoint, keyId, key: kmsMacKey(client, { keyId: over.keyId ?? keyId, endpoint }) };
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
    await opened();

    expect(statSync(file).mode & 0o077).toBe(0);
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
});
