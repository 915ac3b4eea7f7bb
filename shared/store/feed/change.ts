import type { Address } from '../keys.ts';
import { addressOf, type RecordRow, recordLayouts } from '../rows.ts';

/** A row before and after, as the stream tells of it; undefined where there was or is none. */
export interface RowChange {
  readonly before: RecordRow | undefined;
  readonly after: RecordRow | undefined;
}

/** That a version of a record was made, and nothing of what it says. */
export interface RecordChange extends Address {
  /** Only an id that a client chose: one of ours follows from the address. */
  readonly id?: string;
  readonly version: number;
  /** When the version was written (`meta.lastUpdated`), in milliseconds since 1970. */
  readonly updated: number;
  /** The organisation that keeps the record. */
  readonly custodian: string;
  readonly change: 'created' | 'updated' | 'deleted';
}

/**
 * The version that a row's change makes visible; undefined for rows that are no records, for what is only staged, and for a change of the
 * row that makes no new version.
 *
 * @throws WrittenByNewerRelease, so that the change waits in the stream for a release that can tell of it.
 */
export const changeIn = ({ before, after }: RowChange): RecordChange | undefined => {
  const address = after && addressOf(after);
  if (!after || !address || after.version === undefined || after.tx !== undefined) return undefined;
  const wasVisible = before !== undefined && before.tx === undefined;
  if (wasVisible && before.version === after.version) return undefined;
  const { id, version, updated, custodian, body } = recordLayouts.reader(after.layout)(after);
  return {
    ...address,
    ...(id === undefined ? {} : { id }),
    version,
    updated,
    custodian,
    change: body === undefined ? 'deleted' : version === 1 ? 'created' : 'updated',
  };
};
