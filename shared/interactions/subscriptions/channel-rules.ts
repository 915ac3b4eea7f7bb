import { signingSecretExtension } from '../../subscriptions/backport.ts';
import { refusedSubscription } from '../../subscriptions/refusal.ts';
import { hidden } from '../../subscriptions/secrets.ts';
import { customHeadersOf } from '../../webhooks/custom-headers.ts';
import { endpointOf } from '../../webhooks/endpoint.ts';
import { furtherHostsFrom } from '../../webhooks/further-hosts.ts';
import { isSigningSecret } from '../../webhooks/signature.ts';

const at = 'Subscription.channel';

/** Names in the query of a URL that say they are a credential. It is stored and shown as it is, so none may be in it. */
const credential =
  /(?:^|[_-])(?:tokens?|secrets?|passw(?:or)?d|pwd|pass|sig|signature|api-?key|key|code|auth|authorization|credentials?)$/i;

/**
 * Requires an endpoint that may be posted to, as far as its URL tells.
 *
 * @param isOff - of a Subscription that is off, nothing is sent anywhere: where it may be is not asked.
 * @param baseUrl - of this server. It is no receiver: what is told would make records, which would be told again.
 * @throws RecordError `business-rule`.
 */
export const requireEndpoint = (
  { endpoint = '' }: fhir4.SubscriptionChannel,
  { isOff, baseUrl }: { readonly isOff: boolean; readonly baseUrl: string },
): string => {
  const refused = (what: string) =>
    refusedSubscription('endpoint-not-served', `${at}.endpoint`, `The endpoint ${what}`);
  if (endpoint === '') throw refused('is missing: notifications are posted to it');
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const names = [...(url?.searchParams.keys() ?? [])].map((name) => name.replace(/([a-z])([A-Z])/g, '$1-$2'));
  if (url?.username || url?.password || names.some((name) => credential.test(name)))
    throw refused('holds a credential; a header is the place for it');
  if (isOff) return endpoint;
  const judged = endpointOf(endpoint, furtherHostsFrom(process.env['WEBHOOK_HOSTS']));
  if ('refused' in judged) throw refused(judged.refused);
  if (judged.url.host === new URL(baseUrl).host) throw refused('is this server');
  return endpoint;
};

/** @throws RecordError `business-rule`, without a value: they are secrets. */
export const requireHeaders = ({ header = [] }: fhir4.SubscriptionChannel): void => {
  const read = customHeadersOf(header.map((line) => line ?? ''));
  if ('refused' in read) throw refusedSubscription('header-not-served', `${at}.header`, `The headers ${read.refused}`);
};

/** @throws RecordError `business-rule`. */
export const requireSigningSecret = ({ extension = [] }: fhir4.SubscriptionChannel): void => {
  const secrets = extension.filter(({ url }) => url === signingSecretExtension);
  const refused = (message: string) => refusedSubscription('secret-not-served', `${at}.extension`, message);
  if (secrets.length > 1) throw refused('Notifications are signed with one secret');
  for (const { valueString = '' } of secrets)
    if (valueString !== hidden && !isSigningSecret(valueString))
      throw refused('A signing secret is whsec_ and the Base64 of 24 to 64 bytes, as valueString');
};
