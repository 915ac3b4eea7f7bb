import { forSupport } from '../../access/support-view.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { RequestContext } from '../context.ts';

/** What the caller is shown of a message that was read whole: support staff, a part. */
export const shownOf = ({ asking, store }: RequestContext, record: StoredRecord): StoredRecord =>
  store.isReduced && record.resource
    ? { ...record, resource: forSupport(record.resource, asking.caller.fhirUser) }
    : record;
