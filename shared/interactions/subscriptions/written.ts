import { decideType } from '../../access/decide.ts';
import { isScoped } from '../../access/rules/scope.ts';
import { scopeText } from '../../access/scope-text.ts';
import { RecordError } from '../../errors.ts';
import { withSpellingOf } from '../../fhir/json.ts';
import type { Resource } from '../../fhir/resource.ts';
import type { SearchType } from '../../record-types/search-type.ts';
import { searchTypes } from '../../record-types/search-types.ts';
import type { RowChanges } from '../../store/directive-rows.ts';
import { cursorText, endOfSequence } from '../../store/feed/sequence.ts';
import { KeyServiceError } from '../../store/key-service.ts';
import { noteListener } from '../../store/listeners.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { kmsSecretsKey, type SecretsKey } from '../../store/secrets-key.ts';
import { subscriptionOf, subscriptionsOf } from '../../store/subscriptions/read-subscriptions.ts';
import {
  type SubscriptionSettings,
  type SubscriptionWriter,
  settingsKey,
  settingsRow,
} from '../../store/subscriptions/settings.ts';
import { readFilters } from '../../subscriptions/filters.ts';
import { refusedSubscription } from '../../subscriptions/refusal.ts';
import { type Requested, requestedIn } from '../../subscriptions/requested.ts';
import { hidden, namesSealed, partedFromSecrets, type Secrets, sealSecrets } from '../../subscriptions/secrets.ts';
import type { RequestContext } from '../context.ts';
import type { Subscribed, VersionToWrite } from '../subscribed.ts';
import { requireEndpoint, requireHeaders, requireSigningSecret } from './channel-rules.ts';

const channelAt = 'Subscription.channel';

/**
 * A Subscription as it may be stored, and the row of its settings. Its status is the server's to say: whatever a client writes begins with a handshake, unless it is
 * `off`. One that is off sends nothing, so anybody who may write it may turn it off, whatever it asks for and whoever wrote it.
 *
 * Two Queries at once, for where it begins; for a later version one before them, one where it is switched on, and a call of the key service for each new secret.
 *
 * @throws RecordError `business-rule`, `invalid`; `unavailable` if secrets cannot be encrypted.
 */
export const written = async (
  context: RequestContext,
  sent: Resource,
  version: VersionToWrite,
): Promise<Subscribed> => {
  const subscription = sent as unknown as fhir4.Subscription;
  const isOff = subscription.status === 'off';
  const requested = requestedIn(subscription);
  const endpoint = requireEndpoint(subscription.channel, { isOff, baseUrl: context.request.baseUrl });
  requireHeaders(subscription.channel);
  requireSigningSecret(subscription.channel);
  if (!isOff) {
    requireFuture(subscription, context.now);
    await requireRoom(context, version);
    await requirePermitted(context, requested);
  }
  const { subscription: shown, secrets } = partedFromSecrets(subscription);
  const name = { organization: version.custodian, id: version.id };
  const before = version.version > 1 ? (await subscriptionOf(context.store, name)).settings : undefined;
  const [sealed, end] = await Promise.all([
    sealedSecrets(context, secrets, { ...version, before, isOff, endpoint }),
    endOfSequence(context.store, version.custodian),
    // Before there is anything to be told by it: of a chart that is open to the whole network, who listens is told.
    noteListener(context.store, version.custodian),
  ]);
  const { error: _error, ...rest } = shown;
  const status = isOff ? 'off' : 'requested';
  const next: fhir4.Subscription = { ...rest, status };
  const settings: SubscriptionSettings = {
    ...name,
    version: version.version,
    status,
    baseUrl: context.request.baseUrl,
    endpoint,
    ...told(requested),
    ...(subscription.end === undefined ? {} : { end: Date.parse(subscription.end) }),
    ...(sealed ? { secrets: sealed } : {}),
    writer: writerOf(context),
    ...startOf(version, before, cursorText(end)),
  };
  return {
    resource: withSpellingOf(next as unknown as Resource, sent),
    besides: { puts: [settingsRow(settings)], removes: [] },
  };
};

/** The settings of a Subscription that is deleted go with it. */
export const withoutSettings = ({ custodian, id }: StoredRecord): RowChanges => ({
  puts: [],
  removes: [settingsKey({ organization: custodian, id })],
});

/** The settings as they are, under the number of a version that changes nothing of them. One call. */
export const settingsAnew = async (
  { store }: Pick<RequestContext, 'store'>,
  { custodian, id, version }: StoredRecord,
): Promise<RowChanges> => {
  const { settings } = await subscriptionOf(store, { organization: custodian, id });
  return { puts: settings ? [settingsRow({ ...settings, version })] : [], removes: [] };
};

/**
 * Where it begins: at the end of the feed, where this version makes it or switches it on. One that is on keeps its beginning, which delivery may not have seen yet:
 * what was told between two versions would be missed.
 */
const startOf = (
  { version }: VersionToWrite,
  before: SubscriptionSettings | undefined,
  end: string,
): Pick<SubscriptionSettings, 'start' | 'startedBy'> =>
  before?.start === undefined || before.startedBy === undefined || before.status === 'off'
    ? { start: end, startedBy: version }
    : { start: before.start, startedBy: before.startedBy };

const told = ({ topic, type, filters, ...rest }: Requested) => ({
  ...(topic === undefined ? {} : { topic }),
  types: [type],
  filters: filters.map(({ text }) => text),
  ...rest,
});

/** What is sent never exceeds what its writer may read. */
const writerOf = ({ asking: { caller } }: RequestContext): SubscriptionWriter => ({
  subject: caller.subject,
  name: caller.name,
  client: caller.client,
  fhirUser: caller.fhirUser,
  roles: caller.roles,
  scope: scopeText(caller.scopes),
});

const requireFuture = ({ end }: fhir4.Subscription, now: number): void => {
  if (end !== undefined && Date.parse(end) <= now)
    throw refusedSubscription('subscription-ended', 'Subscription.end', 'This end has passed');
};

/** Subscriptions of an organisation that are not off. All of them are read and woken whenever it is told of something. */
const most = 500;

/** Requires that one that is new, or was off, is not one too many. One Query for such alone; what is written at the same moment is not counted. */
const requireRoom = async ({ store }: RequestContext, { custodian, current }: VersionToWrite): Promise<void> => {
  const before = current?.resource as fhir4.Subscription | undefined;
  if (before && before.status !== 'off') return;
  const all = await subscriptionsOf(store, custodian);
  if (all.filter(({ settings }) => settings && settings.status !== 'off').length >= most)
    throw refusedSubscription(
      'too-many-subscriptions',
      'Subscription.status',
      `An organisation has ${most} Subscriptions at most that are not off`,
    );
};

/**
 * Requires that the writer may know what is sent. Which records have changed an administrator may have sent to an application; what they say, neither
 * whole nor by what a filter finds, nobody who may not read it.
 */
const requirePermitted = async (context: RequestContext, requested: Requested): Promise<void> => {
  const { content, filters } = requested;
  const type = await typeOf(requested);
  const { asking } = context;
  if (!isScoped(asking.caller, 'r', type.name))
    throw refusedSubscription(
      'topic-not-permitted',
      'Subscription.criteria',
      `No scope of the access token reads ${type.name}`,
    );
  const reads = decideType(asking, 'r', type).permit;
  if (!reads && content === 'full-resource')
    throw refusedSubscription(
      'full-resource-not-permitted',
      `${channelAt}.payload.extension`,
      `Your role does not read ${type.name}: an application of the organisation may have it sent`,
    );
  const [filter] = filters;
  if (!reads && filter)
    throw refusedSubscription(
      'filter-not-permitted',
      filter.expression,
      `Your role does not read ${type.name}, and a filter tells what it says: an application of the organisation may use it`,
    );
  await readFilters(type, filters, { baseUrl: context.request.baseUrl, now: context.now });
};

const typeOf = async ({ type }: Requested): Promise<SearchType> => {
  const found = (await searchTypes()).get(type);
  if (!found) throw new Error(`Nothing is known of searches of ${type}`);
  return found;
};

interface Sealing extends VersionToWrite {
  readonly before: SubscriptionSettings | undefined;
  readonly isOff: boolean;
  readonly endpoint: string;
}

/**
 * Hidden secrets are kept while they go where they went: another endpoint would show them to whoever may write a Subscription, and may not read them.
 *
 * @throws RecordError `business-rule` for a hidden one that is not known, unless it is off.
 */
const sealedSecrets = async (
  { store }: RequestContext,
  secrets: Secrets,
  { id, current, before, isOff, endpoint }: Sealing,
): Promise<Uint8Array | undefined> => {
  const kept = [...secrets].flatMap(([name, secret]) => (secret === hidden ? [name] : []));
  const said = current?.resource as fhir4.Subscription | undefined;
  const known = said?.channel.endpoint === endpoint ? before?.secrets : undefined;
  const missing = kept.find((name) => !namesSealed(known).has(name));
  if (missing !== undefined && !isOff)
    throw refusedSubscription(
      'secret-needed',
      missing === '' ? `${channelAt}.extension` : `${channelAt}.header`,
      `${hidden} keeps a secret that is known, for the same endpoint; here it has to be said`,
    );
  try {
    return await sealSecrets(() => secretsKey(store.client), id, secrets, known);
  } catch (error) {
    if (!(error instanceof KeyServiceError)) throw error;
    throw new RecordError('unavailable', 'The secrets of the Subscription cannot be encrypted now', {
      headers: { 'Retry-After': '5' },
    });
  }
};

/** @throws Error where a deployment names no key: before a secret is stored anywhere. */
const secretsKey = (client: RequestContext['store']['client']): SecretsKey => {
  const { SECRETS_KEY_ID: keyId } = process.env;
  if (!keyId) throw new Error('Missing in the environment: SECRETS_KEY_ID');
  return kmsSecretsKey(client, { keyId });
};
