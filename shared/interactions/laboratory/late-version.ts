import { withSpellingOf } from '../../fhir/json.ts';
import type { Resource } from '../../fhir/resource.ts';
import type { RecordType } from '../../record-types/define-record-type.ts';
import type { Row } from '../../store/keys.ts';
import { historyRow, type StoredRecord } from '../../store/rows.ts';
import type { RequestContext } from '../context.ts';
import type { PlannedWrite } from '../plan-write.ts';
import { restated } from '../restated.ts';

const lateTag: fhir4.Coding = {
  system: 'https://concord.example/fhir/CodeSystem/work',
  code: 'late',
  display: 'Came after what had taken its place',
};

/**
 * Plans that a late message is kept: as a version of its own in the history, which was never the current one, and behind it a version that says what the one before said. Both are written at once, so
 * that no reader ever sees the late one as current.
 *
 * @param late - what the message says.
 * @param resource - what the record goes on saying.
 */
export const keptLate = async (
  context: Omit<RequestContext, 'recordType'>,
  recordType: RecordType,
  current: StoredRecord,
  { late, resource }: { readonly late: Resource; readonly resource: Resource },
): Promise<PlannedWrite> => {
  const plan = await restated(context, recordType, current, resource);
  const { version, updated } = plan.next;
  const tag = [...(late.meta?.tag ?? []), lateTag];
  const said = withSpellingOf({ ...late, meta: { ...late.meta, tag } }, late);
  const labels = (said.meta?.security ?? []).map(({ system = '', code = '' }) => `${system}|${code}`);
  const kept: StoredRecord = {
    ...plan.next,
    version,
    updated,
    resource: said,
    labels: [...new Set([...current.labels, ...labels])],
  };
  return {
    ...plan,
    next: { ...plan.next, version: version + 1, updated: updated + 1 },
    besides: { puts: [historyRow(kept, context.store.ids) as unknown as Row], removes: [] },
  };
};
