import type { Resource } from '../fhir/resource.ts';
import type { RowChanges } from '../store/directive-rows.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { RequestContext } from './context.ts';

/** The version that is to be written. */
export interface VersionToWrite extends Pick<StoredRecord, 'id' | 'version' | 'custodian'> {
  /** The one that it replaces. */
  readonly current?: StoredRecord;
}

/** What is to be stored of a record, and rows that are written with it. */
export interface Subscribed {
  readonly resource: Resource;
  readonly besides?: RowChanges;
}

/**
 * A Subscription as it may be stored: checked, without its secrets, which are in the row of its settings. Whatever else is written comes back as it is.
 *
 * @throws RecordError `business-rule`, `invalid`; `unavailable` if its secrets cannot be encrypted.
 */
export const subscribed = async (
  context: RequestContext,
  resource: Resource,
  version: VersionToWrite,
): Promise<Subscribed> =>
  resource.resourceType === 'Subscription'
    ? (await import('./subscriptions/writing.lazy.ts')).written(context, resource, version)
    : { resource };

/** Rows that go with a Subscription; none of any other record. */
export const unsubscribed = async (record: StoredRecord): Promise<{ readonly besides?: RowChanges }> =>
  record.type === 'Subscription'
    ? { besides: (await import('./subscriptions/writing.lazy.ts')).withoutSettings(record) }
    : {};

/** The settings of a Subscription of which nothing but labels is another: as they are, for its next version. */
export const resubscribed = async (
  context: Pick<RequestContext, 'store'>,
  next: StoredRecord,
): Promise<{ readonly besides?: RowChanges }> =>
  next.type === 'Subscription'
    ? { besides: await (await import('./subscriptions/writing.lazy.ts')).settingsAnew(context, next) }
    : {};
