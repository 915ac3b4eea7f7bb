import type { Federation } from '../../../shared/access/federation.ts';
import type { ObjectStoreOptions } from '../../../shared/store/object-store.ts';
import type { Table } from '../../../shared/store/write-rows.ts';

/** How a client of an AWS service is made here: the region's own, or a stand-in. */
export interface ServiceAddress {
  readonly region: string;
  readonly endpoint?: string;
}

/** A queue that keeps what something gave up. */
export interface DeadLetterQueue {
  /** As people know it, such as `wakes`. */
  readonly name: string;
  readonly url: string;
  readonly arn: string;
  /**
   * What lies in it: `wakes` that name a Subscription, `places` of the stream that a consumer gave up, `events` for a partner, or `replays`, events that were
   * played again.
   */
  readonly holds: 'wakes' | 'places' | 'events' | 'replays';
}

/** A deployment of Concord, on this machine or in an account: where what it is made of is found. */
export interface Place {
  /** As people know it, such as `stage production`. */
  readonly name: string;
  /** Name of its stage; undefined for a local server. */
  readonly stage: string | undefined;
  /** FHIR base URL. */
  readonly url: string;
  readonly table: Table;
  readonly objects: ObjectStoreOptions;
  /** The user pool of staff and applications, and where applications get their tokens. */
  readonly staffPoolId: string;
  readonly tokenEndpoint: string;
  /** Hospitals whose staff sign on there, by the names of their providers. */
  readonly federation: Federation;
  /** Of the services that have no address of their own here. */
  readonly services: ServiceAddress;
  /** Of the table's stream. */
  readonly streams: ServiceAddress;
  /** Asked for only where somebody wants to know: a call or two. */
  readonly deadLetters: () => Promise<readonly DeadLetterQueue[]>;
  /** Where the canary reads its credentials, and who keeps that; undefined where there is no canary, or it needs none. */
  readonly canarySecret: { readonly id: string; readonly url: string } | undefined;
  /** Lets go of connections. */
  readonly close: () => void;
}
