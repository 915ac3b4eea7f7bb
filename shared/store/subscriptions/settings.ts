import { createHash } from 'node:crypto';
import { type RowKey } from '../keys.ts';
import { Layouts } from '../layouts.ts';
import { subscriptionSettingsKey } from './subscription-keys.ts';

/** A Subscription: the organisation that keeps it, and its id. */
export interface SubscriptionName {
  readonly organization: string;
  readonly id: string;
}

/** https://hl7.org/fhir/R4/valueset-subscription-status.html */
export type SubscriptionStatus = 'requested' | 'active' | 'error' | 'off';

/** How much a notification tells. https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/payloads.html */
export type PayloadContent = 'empty' | 'id-only' | 'full-resource';

/** Who wrote the Subscription: what is sent never exceeds what they may read. */
export interface SubscriptionWriter {
  readonly subject: string;
  readonly name: string;
  readonly client: string;
  readonly fhirUser: string;
  readonly roles: readonly string[];
  /** As the token has them, parted by spaces. */
  readonly scope: string;
}

/** All that delivery has to know of one version of a Subscription. It is written in the transaction that writes that version. */
export interface SubscriptionSettings extends SubscriptionName {
  /** The version of the Subscription that says so. */
  readonly version: number;
  readonly status: SubscriptionStatus;
  /** FHIR base URL by which its writer came, without a slash at the end: what is sent leads there. */
  readonly baseUrl: string;
  readonly endpoint: string;
  /** Canonical URL of the topic; undefined where plain R4 criteria were given. */
  readonly topic?: string;
  /** Types of the records that it is about; empty for all. */
  readonly types: readonly string[];
  /** Searches such as `Observation?code=http://loinc.org|4548-4`. A record meets all of them that are for its type. */
  readonly filters: readonly string[];
  readonly content: PayloadContent;
  /** Media type of what is posted. */
  readonly contentType: string;
  readonly heartbeatSeconds?: number;
  readonly timeoutSeconds?: number;
  /** Events a notification at most. */
  readonly maxCount?: number;
  /** When it ends by itself, in milliseconds since 1970. */
  readonly end?: number;
  /** Signing secret and headers, encrypted under a key that delivery may use; undefined where there are none. */
  readonly secrets?: Uint8Array;
  readonly writer: SubscriptionWriter;
  /** Cursor at the end of the organisation's feed, read before the version was written that made the Subscription or switched it on. What is told begins there. */
  readonly start?: string;
  /** That version. Whoever has followed it, or a later one, goes on where it is. */
  readonly startedBy?: number;
}

export interface SubscriptionSettingsRow extends RowKey {
  readonly [attribute: string]: unknown;
  readonly layout: 1;
  readonly version: number;
  readonly status: SubscriptionStatus;
  /** JSON of what never stands in a condition. */
  readonly settings: string;
  readonly secrets?: Uint8Array;
}

type Told = Omit<SubscriptionSettings, keyof SubscriptionName | 'version' | 'status' | 'secrets'>;

/** Partitions of Subscriptions. Those of an organisation lie in one of them. */
export const subscriptionShards = 16;

export const subscriptionShard = (organization: string): number =>
  createHash('sha256').update(organization).digest().readUInt8(0) % subscriptionShards;

export const settingsKey = ({ organization, id }: SubscriptionName): RowKey =>
  subscriptionSettingsKey(subscriptionShard(organization), organization, id);

/** The Subscription that a sort key of its settings or state names. */
export const subscriptionIn = ({ sk }: RowKey): SubscriptionName => {
  const [organization = '', id = ''] = sk.split('#');
  return { organization, id };
};

/** The row for the transaction that writes this version of the Subscription. It replaces that of the version before; a deletion removes it (`settingsKey`). */
export const settingsRow = ({
  organization,
  id,
  version,
  status,
  secrets,
  ...told
}: SubscriptionSettings): SubscriptionSettingsRow => ({
  ...settingsKey({ organization, id }),
  layout: 1,
  version,
  status,
  settings: JSON.stringify(told satisfies Told),
  ...(secrets ? { secrets } : {}),
});

export const settingsLayouts = /* @__PURE__ */ new Layouts<(row: SubscriptionSettingsRow) => SubscriptionSettings>(
  'subscriptionSettings',
  {
    1: ({ pk, sk, version, status, settings, secrets }) => ({
      ...subscriptionIn({ pk, sk }),
      version,
      status,
      ...(JSON.parse(settings) as Told),
      ...(secrets ? { secrets } : {}),
    }),
  },
);
