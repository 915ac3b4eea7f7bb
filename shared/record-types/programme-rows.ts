import { part2Label } from '../access/labels.ts';
import type { Resource } from '../fhir/resource.ts';
import type { RecordWrite } from '../store/commit.ts';
import { programmeKey, programmeRow } from '../store/denylist.ts';
import type { RowChanges } from '../store/directive-rows.ts';

/** Whether an organisation, a service or a place says that it is a substance-use programme: `42CFRPart2` of v3-ActCode in its `type`. */
const isProgramme = (resource: Resource | undefined): boolean => {
  const { type = [] } = (resource ?? {}) as Partial<fhir4.Organization>;
  return type.some(({ coding = [] }) => coding.some(({ system, code }) => `${system}|${code}` === part2Label));
};

/** The row that makes a programme known to the network's processes changes with the record that says so. */
export const programmeRows = ({ next, previous }: Pick<RecordWrite, 'next' | 'previous'>): RowChanges => {
  const name = `${next.type}/${next.id}`;
  if (isProgramme(next.resource)) return { puts: [{ ...programmeRow(name) }], removes: [] };
  return { puts: [], removes: isProgramme(previous?.resource) ? [programmeKey(name)] : [] };
};
