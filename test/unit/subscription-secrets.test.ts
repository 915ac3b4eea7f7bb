import { describe, expect, it } from 'vitest';
import { scopeText } from '../../shared/access/scope-text.ts';
import { parseScopes } from '../../shared/access/scopes.ts';
import type { SecretsKey } from '../../shared/store/secrets-key.ts';
import { signingSecretExtension } from '../../shared/subscriptions/backport.ts';
import { namesSealed, openSecrets, partedFromSecrets, sealSecrets } from '../../shared/subscriptions/secrets.ts';

/** Shows what it was asked to do: a context that is not the same opens nothing. */
const key: SecretsKey = {
  encrypt: async (secret, context) => Buffer.from(JSON.stringify([secret, context])).toString('base64'),
  decrypt: async (sealed, context) => {
    const [secret, sealedFor] = JSON.parse(Buffer.from(sealed, 'base64').toString()) as [string, unknown];
    expect(sealedFor).toEqual(context);
    return secret;
  },
};

const subscription = (channel: Partial<fhir4.SubscriptionChannel>): fhir4.Subscription => ({
  resourceType: 'Subscription',
  status: 'requested',
  reason: 'Results',
  criteria: 'Observation?',
  channel: { type: 'rest-hook', endpoint: 'https://register.example/hook', ...channel },
});
const signedWith = (valueString: string) => ({ extension: [{ url: signingSecretExtension, valueString }] });

describe('secrets of a Subscription', () => {
  it('are taken out of it: the values of its headers, and what it is signed with', () => {
    const heartbeat = { url: 'http://example.org/other', valueUnsignedInt: 60 };
    const sent = subscription({
      header: ['Authorization: Bearer a:b', 'X-Key:c', 'no header at all'],
      extension: [heartbeat, { url: signingSecretExtension, valueString: 'whsec_1', id: 'whsec_1' }],
    });

    const { subscription: shown, secrets } = partedFromSecrets(sent);

    expect(shown.channel).toEqual({
      type: 'rest-hook',
      endpoint: 'https://register.example/hook',
      header: ['Authorization: ***', 'X-Key: ***', '***'],
      extension: [heartbeat, { url: signingSecretExtension, valueString: '***' }],
    });
    expect([...secrets]).toEqual([
      ['authorization', 'Bearer a:b'],
      ['x-key', 'c'],
      ['', 'whsec_1'],
    ]);
  });

  it('leave one that has none as it is', () => {
    const sent = subscription({});

    expect(partedFromSecrets(sent)).toEqual({ subscription: sent, secrets: new Map() });
  });

  it('are sealed each for its place, and the hidden ones are kept as they are', async () => {
    const first = partedFromSecrets(subscription({ header: ['A: one', 'B: two'], ...signedWith('whsec_1') }));
    const before = await sealSecrets(() => key, 'id', first.secrets, undefined);
    const second = partedFromSecrets(subscription({ header: ['a: ***', 'C: three'], ...signedWith('***') }));

    const after = await sealSecrets(() => key, 'id', second.secrets, before);

    expect([...namesSealed(after)]).toEqual(['a', 'c', '']);
    expect(await openSecrets(key, 'id', after)).toEqual({
      headers: [
        { name: 'a', value: 'one' },
        { name: 'c', value: 'three' },
      ],
      signingSecret: 'whsec_1',
    });
  });

  it('come to nothing where there are none, and where hidden ones are not known', async () => {
    const hidden = partedFromSecrets(subscription({ header: ['A: ***', '__proto__: ***'] })).secrets;

    expect(await sealSecrets(() => key, 'id', new Map(), undefined)).toBeUndefined();
    expect(await sealSecrets(() => key, 'id', hidden, undefined)).toBeUndefined();
    expect(await openSecrets(key, 'id', undefined)).toEqual({ headers: [], signingSecret: undefined });
  });
});

describe('scopes that are written down', () => {
  it.each([
    'system/*.cruds user/Observation.rs',
    'system/Observation.rs?category=http%3A%2F%2Fterminology.hl7.org%2FCodeSystem%2Fobservation-category%7Claboratory',
    'system/Condition.r?code=%7Cx%2Ca%7C%2Cb&category=c%26d',
    'patient/Patient.read',
  ])('mean the same when they are read again: %s', (text) => {
    const scopes = parseScopes(text);

    expect(scopes.length).toBeGreaterThan(0);
    expect(parseScopes(scopeText(scopes))).toEqual(scopes);
  });
});
