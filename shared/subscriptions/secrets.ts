import type { SecretContext, SecretsKey } from '../store/secrets-key.ts';
import { signingSecretExtension } from './backport.ts';

/** Stands where a secret is that is never shown. Sent back, it keeps the secret. */
export const hidden = '***';

/**
 * Secrets of a Subscription by their names: that of a header in lower case, or empty for the signing secret, which no header is named.
 * `hidden` where the one is meant that is known already.
 */
export type Secrets = ReadonlyMap<string, string>;

const signing = '';

/** A Subscription as it may be stored and shown, and what is taken out of it. */
export interface Parted {
  readonly subscription: fhir4.Subscription;
  readonly secrets: Secrets;
}

/** `Name: value`; undefined where a header is not of that form, so that all of it is hidden. */
const headerIn = (line: string): { readonly name: string; readonly value: string } | undefined => {
  const [, name, value = ''] = /^([^\s:]+):\s*(.*?)\s*$/s.exec(line) ?? [];
  return name === undefined ? undefined : { name, value };
};

/** Takes the secrets out of a Subscription: the values of all headers, and what notifications are signed with. */
export const partedFromSecrets = (subscription: fhir4.Subscription): Parted => {
  const { channel } = subscription;
  const { header, extension } = channel;
  const secrets = new Map<string, string>();
  const headers = header?.map((line) => {
    const found = headerIn(line ?? '');
    if (!found) return hidden;
    secrets.set(found.name.toLowerCase(), found.value);
    return `${found.name}: ${hidden}`;
  });
  const extensions = extension?.map((each) => {
    if (each.url !== signingSecretExtension) return each;
    secrets.set(signing, each.valueString ?? '');
    return { url: each.url, valueString: hidden };
  });
  if (secrets.size === 0 && headers === undefined) return { subscription, secrets };
  return {
    subscription: {
      ...subscription,
      channel: {
        ...channel,
        ...(headers ? { header: headers } : {}),
        ...(extensions ? { extension: extensions } : {}),
      },
    },
    secrets,
  };
};

/** The secret that notifications are signed with, if there is one. */
export const signingSecretOf = (secrets: Secrets): string | undefined => secrets.get(signing);

/** Ciphertexts by the names of the secrets: JSON, as the settings of a Subscription keep it. */
type Sealed = Readonly<Record<string, string>>;

/** By names that clients choose, such as `__proto__`. */
const sealedIn = (bytes: Uint8Array | undefined): ReadonlyMap<string, string> =>
  new Map(bytes ? Object.entries(JSON.parse(Buffer.from(bytes).toString('utf8')) as Sealed) : []);

/** A secret is opened only as what it was sealed: that of this Subscription, of this name. */
const contextOf = (id: string, name: string): SecretContext => ({ subscription: id, secret: name || 'signing' });

/** Names of secrets that are known, of those that are hidden. */
export const namesSealed = (bytes: Uint8Array | undefined): ReadonlySet<string> => new Set(sealedIn(bytes).keys());

/**
 * Encrypts the secrets of a Subscription, each by itself: so whoever writes it needs no right to decrypt, to keep those that are hidden. One call for each new one.
 *
 * @param keyOf - is asked where there is a new one.
 * @param before - what is known, from which the hidden ones are taken; one that is not there is left away.
 * @returns undefined if there are none.
 * @throws KeyServiceError.
 */
export const sealSecrets = async (
  keyOf: () => Pick<SecretsKey, 'encrypt'>,
  id: string,
  secrets: Secrets,
  before: Uint8Array | undefined,
): Promise<Uint8Array | undefined> => {
  const known = sealedIn(before);
  const sealed = await Promise.all(
    [...secrets].map(async ([name, secret]) =>
      secret === hidden ? [name, known.get(name)] : [name, await keyOf().encrypt(secret, contextOf(id, name))],
    ),
  );
  const kept = sealed.filter(([, each]) => each !== undefined);
  return kept.length === 0 ? undefined : Buffer.from(JSON.stringify(Object.fromEntries(kept)));
};

/** What a Subscription's notifications are sent with. */
export interface OpenedSecrets {
  /** Names in lower case. */
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly signingSecret: string | undefined;
}

/**
 * Decrypts the secrets of a Subscription, for whoever delivers. One call for each.
 *
 * @param sealed - as its settings have them.
 * @throws KeyServiceError.
 */
export const openSecrets = async (
  key: SecretsKey,
  id: string,
  sealed: Uint8Array | undefined,
): Promise<OpenedSecrets> => {
  const opened = await Promise.all(
    [...sealedIn(sealed)].map(async ([name, each]) => ({
      name,
      value: await key.decrypt(each, contextOf(id, name)),
    })),
  );
  return {
    headers: opened.filter(({ name }) => name !== signing),
    signingSecret: opened.find(({ name }) => name === signing)?.value,
  };
};
