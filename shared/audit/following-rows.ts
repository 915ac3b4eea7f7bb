import type { Basis } from '../access/question.ts';
import type { RowKey } from '../store/keys.ts';

// A row of the access log is never changed. What comes to be known of an access later stands in a row behind it, whose key continues that of the access.

const refused = '!refused';

/** Sort key of the row that says an access, traced before it was decided, was refused or found nothing. */
export const refusedKey = ({ pk, sk }: RowKey): RowKey => ({ pk, sk: `${sk}${refused}` });

/** The row that follows one whose access came to nothing. */
export const refusedRow = <Of extends RowKey>(row: Of): Of => ({ ...row, ...refusedKey(row) });

export const isRefusal = ({ sk }: RowKey): boolean => sk.endsWith(refused);

/** How the key of a row ends that says by which right an access was permitted. */
const permitted = {
  'break-glass': '!emergency',
  consent: '!consent',
  relation: '!relation',
} as const satisfies Readonly<Record<Basis, string>>;

const bases = Object.keys(permitted) as Basis[];

/** Sort key of the row that says an access, traced before it was decided, was permitted by this right to what another organisation keeps. */
const permittedKey = ({ pk, sk }: RowKey, basis: Basis): RowKey => ({ pk, sk: `${sk}${permitted[basis]}` });

/** All that may follow the row of an access. */
export const followingKeys = (row: RowKey): RowKey[] => [
  refusedKey(row),
  ...bases.map((basis) => permittedKey(row, basis)),
];

/** The row that follows such an access. */
export const permittedRow = <Of extends RowKey>(row: Of, basis: Basis): Of => ({ ...row, ...permittedKey(row, basis) });

/** By which right an access was permitted, by the sort keys of what follows it. */
export const basisAmong = (row: RowKey, following: ReadonlySet<string>): Basis | undefined =>
  bases.find((basis) => following.has(permittedKey(row, basis).sk));

/** Whether a row says more of the one that it follows. */
export const followsAnother = ({ sk }: RowKey): boolean => sk.includes('!');
