import type { Caller } from '../access/caller.ts';
import type { Delegation } from '../access/delegation.ts';
import { delegatedTypes } from '../access/support.ts';
import { hidesParameter, forSupport as reduced } from '../access/support-view.ts';
import { RecordError } from '../errors.ts';
import { subsetted } from '../search/project.ts';
import { delegationInForce } from '../store/delegations.ts';
import type { RecordStore } from '../store/record-store.ts';
import type { RequestContext } from './context.ts';

/** What a request by support staff has of its own. */
export interface ForSupport {
  readonly delegation: Delegation | undefined;
  /** Knows no more of records than may be shown: so nothing else can be found, sorted, counted or followed. */
  readonly store: RecordStore;
  readonly hidesParameter: (type: string, parameter: string) => boolean;
}

/**
 * Requires that what is sent as a record is not what support staff are shown of one, whether there is such a record or not.
 *
 * @throws RecordError `business-rule` (`subsetted`).
 */
export const requireNoPart = ({ recordType, request }: Pick<RequestContext, 'recordType' | 'request'>): void => {
  if (!delegatedTypes.includes(recordType.name) || !tagsIn(request.body).some(isMark)) return;
  throw new RecordError('business-rule', 'This is a part of a record, as it was shown: it is not written back', {
    reason: 'subsetted',
    expression: `${recordType.name}.meta.tag`,
  });
};

/** Tags of a body that nobody has read yet, which may be anything. */
const tagsIn = (body: unknown): readonly unknown[] => {
  const { meta } = (body ?? {}) as { meta?: { tag?: unknown } | null };
  return Array.isArray(meta?.tag) ? meta.tag : [];
};

const isMark = (tag: unknown): boolean => {
  const { system, code } = (tag ?? {}) as fhir4.Coding;
  return system === subsetted.system && code === subsetted.code;
};

/** Looks up, in one call, whether somebody acts under a delegation. */
export const forSupport = async (store: RecordStore, caller: Caller, now: number): Promise<ForSupport> => ({
  delegation: await delegationInForce(store, caller.organization ?? '', caller.fhirUser, now),
  store: store.reducedBy((resource) => reduced(resource, caller.fhirUser)),
  hidesParameter,
});
