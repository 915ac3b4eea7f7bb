import type { AuditPage } from '../audit/audit-log.ts';
import { entryOf, type StoredAuditRow } from '../audit/audit-row.ts';
import type { Withheld } from '../audit/disclosure-rows.ts';
import { auditKey } from '../store/keys.ts';
import type { RecordStore } from '../store/record-store.ts';

type Access = AuditPage['accesses'][number];

/**
 * What of a log its patient is told of: neither what is withheld, nor who read an entry of the log that is. One BatchGet where entries were read by themselves.
 *
 * @param chart - whose log it is.
 */
export const withoutWithheld = async (
  store: Pick<RecordStore, 'ids' | 'getMany'>,
  chart: string,
  accesses: readonly Access[],
  withheld: Withheld,
): Promise<readonly Access[]> => {
  const placeOf = (reference: string): string | undefined => {
    const [type, id = ''] = reference.split('/');
    const decoded = type === 'AuditEvent' ? store.ids.decode(id) : undefined;
    return decoded?.chart === chart ? decoded.place : undefined;
  };
  const read = accesses.flatMap(({ entry }) => entry.what.map(placeOf)).filter((place) => place !== undefined);
  const rows = read.length === 0 ? [] : await store.getMany(read.map((place) => auditKey(chart, place)));
  const hidden = new Set(rows.flatMap((row) => (withheld(entryOf(row as StoredAuditRow, store.ids)) ? [row.sk] : [])));
  return accesses.filter(
    ({ entry }) => !withheld(entry) && !entry.what.some((reference) => hidden.has(placeOf(reference) ?? '')),
  );
};
