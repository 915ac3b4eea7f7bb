import { saysMasked } from '../fhir/masks.ts';
import type { Resource } from '../fhir/resource.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { RequestContext } from './context.ts';

/**
 * What a client sends as a record, with what it was shown masked as the current version has it.
 *
 * @throws RecordError `business-rule` where something masked was moved, copied, or read in another version.
 */
export const unmasked = async (
  { view }: Pick<RequestContext, 'view'>,
  sent: Resource,
  current?: StoredRecord,
): Promise<Resource> => {
  if (!saysMasked(sent)) return sent;
  const { withoutMasks } = await import('../fhir/unmask.lazy.ts');
  return withoutMasks(sent, current, view.hiddenIn(current ?? {}));
};
