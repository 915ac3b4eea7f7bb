import type { Resource } from '../fhir/resource.ts';
import type { RecordType } from '../record-types/define-record-type.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { RequestContext } from './context.ts';
import { furtherCharts, type PlannedWrite } from './plan-write.ts';

/** Plans the next version of a record in which the server says something, and refers to nothing that is not known to be there. */
export const restated = async (
  context: Omit<RequestContext, 'recordType'>,
  recordType: RecordType,
  current: StoredRecord,
  resource: Resource,
): Promise<PlannedWrite> => ({
  recordType,
  next: {
    ...current,
    version: current.version + 1,
    updated: Math.max(context.now, current.updated + 1),
    resource,
  },
  previous: current,
  interaction: 'update',
  checks: [],
  furtherCharts: await furtherCharts({ ...context, recordType }, current, resource, current.resource),
  claims: [],
  guards: [],
  warnings: [],
});
