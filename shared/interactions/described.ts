import { derivedLabels } from '../access/derived-labels.ts';
import { isPsychotherapyNote, sensitiveAmong } from '../access/labels.ts';
import type { AuditedAccess } from '../audit/audit-event.ts';
import type { AuditEntry } from '../audit/audit-row.ts';
import { headsOwnChart } from '../record-types/homes.ts';
import { isDirectory } from '../record-types/subjects.ts';
import type { Address } from '../store/keys.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { RequestContext } from './context.ts';

type Access = Omit<AuditedAccess, 'patient'>;

/** A page of BatchGets reads what is large in parts. What is still unread after so many is taken for hidden. */
const mostReads = 20;

const withoutVersion = (reference: string): string => reference.replace(/\/_history\/.*$/, '');

/** What is no id leads nowhere. */
const legalName = /^[A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64}$/;

/** `Type/id` of what a query names, by reference or by `_id` of what is searched. */
const namedInQuery = (query = ''): string[] => {
  const [type] = /^[A-Z]\w+(?=\?)/.exec(query) ?? [];
  const ids =
    type === undefined ? [] : [...query.matchAll(/[?&]_id=([^&]*)/g)].flatMap(([, all = '']) => all.split(','));
  return [
    ...[...query.matchAll(/[A-Z]\w+\/[A-Za-z0-9\-.]{1,64}/g)].map(([name]) => name),
    ...ids.map((id) => `${type}/${id}`),
  ];
};

/** What a log's row names, whose labels it inherits. The directory has no secrets, and entries of a log inherit by themselves. */
const namedIn = ({ what, query }: AuditEntry): string[] =>
  [...what.map(withoutVersion), ...namedInQuery(query)].filter((name) => {
    const [type = ''] = name.split('/');
    return legalName.test(name) && type !== 'AuditEvent' && !isDirectory(type);
  });

/**
 * Accesses with the labels of the records that they name, as far as their reader may know of these. A row has the labels that were known as it was written; what a
 * record was labelled with since is inherited as well. Not told of is, and what was searched for by it:
 *
 * - to staff, a record that another organisation keeps and that would need a provision of its own to be shared with them;
 * - to everybody but the privacy officers of the organisation that keeps it, and who wrote it, a psychotherapy note.
 *
 * Who did it, when and in which request stays: that somebody looked is never hidden. One BatchGet for a page, and one for ids that clients chose, a type.
 */
export const described = async (context: RequestContext, accesses: readonly Access[]): Promise<readonly Access[]> => {
  const named = accesses.map(({ entry }) => namedIn(entry));
  const { records, unread } = await lookedUp(context, new Set(named.flat()));
  const derived = derivedLabels(context.policy, context.programmes);
  return accesses.map((access, index): Access => {
    const { labels: stored = [], ...entry } = access.entry;
    const hides = (name: string) => {
      const record = records.get(name);
      return record
        ? hidesRecord(context, record, [...record.labels, ...derived(record.resource, record.custodian)])
        : unread.has(name) || hidesUnknown(context, access.entry);
    };
    const hidden = new Set(named[index]?.filter(hides));
    const what = entry.what.filter((reference) => !hidden.has(withoutVersion(reference)));
    const labelsOf = (reference: string) => records.get(withoutVersion(reference))?.labels ?? stored;
    const labelled = new Map(what.map((reference) => [reference, sensitiveAmong(labelsOf(reference))] as const));
    const labels = [...new Set([...(hidden.size === 0 ? stored : []), ...[...labelled.values()].flat()])];
    const { query: _tells, ...told } = entry;
    return {
      ...access,
      entry: { ...(hidden.size === 0 ? entry : told), what, ...(labels.length === 0 ? {} : { labels }) },
      labelled,
      ...(hidden.size === 0 ? {} : { masked: true }),
    };
  });
};

/** Whether a record is not to be told of, by what it says now and is labelled with. */
const hidesRecord = (
  { asking: { caller } }: RequestContext,
  { custodian, originators, labels, misfiled }: StoredRecord,
  all: readonly string[],
): boolean => {
  const { organization, fhirUser, roles } = caller;
  const isOthers = organization !== undefined && custodian !== organization;
  if (misfiled) return isOthers || !roles.includes('privacy');
  if (originators || labels.some(isPsychotherapyNote))
    return !originators?.includes(fhirUser) && (isOthers || !roles.includes('privacy'));
  return isOthers && sensitiveAmong(all).length > 0;
};

/** Whether something is not to be told of that is there no more: by the labels that it had when it was written. */
const hidesUnknown = (
  { asking: { caller } }: RequestContext,
  { labels = [], organization }: Pick<AuditEntry, 'labels' | 'organization'>,
): boolean => {
  if (organization !== undefined && organization === caller.organization) return false;
  return caller.organization === undefined ? labels.some(isPsychotherapyNote) : sensitiveAmong(labels).length > 0;
};

/** The records of these names, `Type/id`, as they are now, and the names of those that were too much to read. */
const lookedUp = async (
  { store }: RequestContext,
  names: ReadonlySet<string>,
): Promise<{ readonly records: ReadonlyMap<string, StoredRecord>; readonly unread: ReadonlySet<string> }> => {
  const byType = Map.groupBy([...names], (name) => name.split('/')[0] ?? '');
  const located = await Promise.all(
    [...byType].map(async ([type, all]) => {
      const ids = all.map((name) => name.slice(type.length + 1));
      const addresses = await store.locateMany(type, ids, headsOwnChart(type));
      return all.map((name, index) => ({ name, address: addresses[index] }));
    }),
  );
  let left = located.flat().filter((each): each is { name: string; address: Address } => each.address !== undefined);
  const records = new Map<string, StoredRecord>();
  for (let read = 0; left.length > 0 && read < mostReads; read++) {
    const page = await store.readPage(left.map(({ address }) => address));
    for (const record of page.records) records.set(`${record.type}/${record.id}`, record);
    left = left.slice(Math.max(page.taken, 1));
  }
  return { records, unread: new Set(left.map(({ name }) => name)) };
};
