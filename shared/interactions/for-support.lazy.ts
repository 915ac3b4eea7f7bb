import type { Caller } from '../access/caller.ts';
import type { Delegation } from '../access/delegation.ts';
import { hidesParameter, forSupport as reduced } from '../access/support-view.ts';
import { delegationInForce } from '../store/delegations.ts';
import type { RecordStore } from '../store/record-store.ts';

/** What a request by support staff has of its own. */
export interface ForSupport {
  readonly delegation: Delegation | undefined;
  /** Knows no more of records than may be shown: so nothing else can be found, sorted, counted or followed. */
  readonly store: RecordStore;
  readonly hidesParameter: (type: string, parameter: string) => boolean;
}

/** Looks up, in one call, whether somebody acts under a delegation. */
export const forSupport = async (store: RecordStore, caller: Caller, now: number): Promise<ForSupport> => ({
  delegation: await delegationInForce(store, caller.organization ?? '', caller.fhirUser, now),
  store: store.reducedBy((resource) => reduced(resource, caller.fhirUser)),
  hidesParameter,
});
