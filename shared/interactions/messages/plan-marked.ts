import type { Resource } from '../../fhir/resource.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { furtherCharts, type PlannedWrite, referenceError } from '../plan-write.ts';

/**
 * Plans the next version of a message with what the server itself says of it, naming the caller. The words are another's: nothing of them is judged anew. But the caller has to be a record
 * of this server, or the message could not be written any more by who sends it back.
 *
 * @throws RecordError `invalid` (`reference-not-found`) where nothing is known of the caller.
 */
export const planMarked = async (
  context: RequestContext,
  current: StoredRecord,
  resource: Resource,
): Promise<PlannedWrite> => {
  const [type = '', id = ''] = context.asking.caller.fhirUser.split('/');
  const address = await locate(context, type, id);
  if (!address) throw referenceError([{ expression: 'fhirUser' }]);
  return {
    recordType: context.recordType,
    next: {
      ...current,
      version: current.version + 1,
      updated: Math.max(context.now, current.updated + 1),
      resource,
    },
    previous: current,
    interaction: 'update',
    checks: [{ address, label: 'fhirUser' }],
    furtherCharts: await furtherCharts(context, current, resource, current.resource),
    claims: [],
    guards: [],
    warnings: [],
  };
};
