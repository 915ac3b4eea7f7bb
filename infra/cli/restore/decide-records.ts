import { recordKey } from '../../../shared/store/keys.ts';
import { addressOf, type RecordRow, recordLayouts } from '../../../shared/store/rows.ts';
import type { ChangedRecord, ChangedRow } from './compare.ts';
import { nameOf } from './tables.ts';

/**
 * What becomes of a record that was written behind the moment.
 *
 * - `taken`: it is as it was at the end, with all its versions: it says who may see what.
 * - `put-back`: it says again what it said at the moment, in a version behind all others; the later ones stand in its history.
 * - `ended`: it was made later. A version behind all others deletes it; what it said stands in its history.
 * - `kept-deleted`: it was deleted later, and stays so.
 */
export type Outcome = 'taken' | 'put-back' | 'ended' | 'kept-deleted';

/** A record, and what becomes of it. */
export interface DecidedRecord extends ChangedRecord {
  readonly outcome: Outcome;
}

/** Of these types all records say who may see what, who may do what, or who is told of what. */
const ofAccess: ReadonlySet<string> = new Set([
  'Consent',
  'Organization',
  'Practitioner',
  'PractitionerRole',
  'RelatedPerson',
  'Subscription',
]);

/** Whether what was deleted behind the moment stays deleted, or comes back. */
export type Deletions = 'keep' | 'undo';

/**
 * Decides what becomes of records. What is there already, such as by an earlier run, is left out.
 *
 * @param rows - what else differs: a record is taken that a row for or against access belongs to, or a link.
 */
export const decideRecords = (
  records: readonly ChangedRecord[],
  rows: readonly ChangedRow[],
  deletions: Deletions,
): readonly DecidedRecord[] => {
  const owners = new Set(rows.flatMap(ownerOf));
  return records.flatMap((changed): DecidedRecord[] => {
    const { old, restored } = changed;
    const address = addressOf(old);
    if (!address || old.purged || (restored && restored.version >= old.version)) return [];
    if (ofAccess.has(address.type) || owners.has(nameOf(old))) return [{ ...changed, outcome: 'taken' }];
    if (!isThere(old)) {
      if (!restored) return [{ ...changed, outcome: 'taken' }]; // made and deleted again
      if (deletions === 'keep' || !isThere(restored)) return [{ ...changed, outcome: 'kept-deleted' }];
    }
    return [{ ...changed, outcome: restored ? 'put-back' : 'ended' }];
  });
};

const isThere = (row: RecordRow): boolean => recordLayouts.reader(row.layout)(row).body !== undefined;

/** Names the row of the record, `nameOf`, that another row of its chart stands for. */
const ownerOf = ({ old, restored }: ChangedRow): string[] => {
  const { pk, sk } = old ?? restored ?? { pk: '', sk: '' };
  if (!pk.startsWith('C#')) return [];
  const chart = pk.slice(2);
  if (sk === '!linked') return [nameOf(recordKey({ type: 'Patient', chart, place: '' }))];
  const [, type = 'Encounter', place] = /^!access#(?:@programme#|~?([A-Z]\w+)#)([0-9a-v]+)$/.exec(sk) ?? [];
  return place === undefined ? [] : [nameOf(recordKey({ type, chart, place }))];
};
