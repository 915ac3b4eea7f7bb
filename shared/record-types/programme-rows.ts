import { part2Label } from '../access/labels.ts';
import { nameByIdentifier } from '../access/programmes.ts';
import type { Resource } from '../fhir/resource.ts';
import type { RecordWrite } from '../store/commit.ts';
import { programmeKey, programmeRow } from '../store/denylist.ts';
import type { RowChanges } from '../store/directive-rows.ts';
import type { StoredRecord } from '../store/rows.ts';

/** Whether an organisation, a service or a place says that it is a substance-use programme: `42CFRPart2` of v3-ActCode in its `type`. */
const isProgramme = (resource: Resource | undefined): boolean => {
  const { type = [] } = (resource ?? {}) as Partial<fhir4.Organization>;
  return type.some(({ coding = [] }) => coding.some(({ system, code }) => `${system}|${code}` === part2Label));
};

/** Longer identifiers fit no key. */
const longestIdentifier = 500;

/** What a programme is known by: its id, and each of its identifiers. */
const namesOf = (record: StoredRecord | undefined): string[] => {
  if (!record || !isProgramme(record.resource)) return [];
  const { identifier = [] } = record.resource as Partial<fhir4.Organization>;
  const name = `${record.type}/${record.id}`;
  const identifiers = identifier
    .filter(({ value }) => value !== undefined)
    .map((each) => name + nameByIdentifier(each));
  return [name, ...identifiers.filter((each) => Buffer.byteLength(each) <= longestIdentifier)];
};

/** The rows that make a programme known to the network's processes change with the record that says so. */
export const programmeRows = ({ next, previous }: Pick<RecordWrite, 'next' | 'previous'>): RowChanges => {
  const names = new Set(namesOf(next));
  return {
    puts: [...names].map((name) => ({ ...programmeRow(name) })),
    removes: namesOf(previous)
      .filter((name) => !names.has(name))
      .map(programmeKey),
  };
};
