import type { RowKey } from '../store/keys.ts';

// A row of the access log is never changed. What comes to be known of an access later stands in a row behind it, whose key continues that of the access.

const refused = '!refused';

/** Sort key of the row that says an access, traced before it was decided, was refused or found nothing. */
export const refusedKey = ({ pk, sk }: RowKey): RowKey => ({ pk, sk: `${sk}${refused}` });

/** The row that follows one whose access came to nothing. */
export const refusedRow = <Of extends RowKey>(row: Of): Of => ({ ...row, ...refusedKey(row) });

export const isRefusal = ({ sk }: RowKey): boolean => sk.endsWith(refused);

const flagged = '!emergency';

/** Sort key of the row that says an access, traced before it was decided, was permitted because somebody had broken the glass. */
export const flaggedKey = ({ pk, sk }: RowKey): RowKey => ({ pk, sk: `${sk}${flagged}` });

/** The row that follows such an access. */
export const flaggedRow = <Of extends RowKey>(row: Of): Of => ({ ...row, ...flaggedKey(row) });

/** Whether a row says more of the one that it follows. */
export const followsAnother = ({ sk }: RowKey): boolean => sk.includes('!');
