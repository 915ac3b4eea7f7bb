import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { timeOfPlace } from '../store/ids.ts';
import { auditDayPartition, auditPartition, type RowKey } from '../store/keys.ts';
import { Layouts } from '../store/layouts.ts';
import type { AccessCircumstances } from './basis.ts';
import type { OutsideDisclosure, Suspension } from './disclosure-rows.ts';

// Rows of the access log are only ever added. In layout 1 each word of an entry was an attribute, and by day stood a whole copy of the
// row; in layout 2 `entry` is JSON, and by day stands a pointer.

/**
 * What leaves a trace: FHIR interactions, as codes of http://hl7.org/fhir/restful-interaction, and what is none: that somebody signed in or out, and that
 * rights were changed.
 */
export type AuditedInteraction =
  | 'create'
  | 'read'
  | 'vread'
  | 'update'
  | 'patch'
  | 'delete'
  | 'history-instance'
  | 'history-type'
  | 'history-system'
  | 'search-type'
  | 'search-system'
  | 'operation'
  | 'sign-in'
  | 'sign-out'
  | 'privilege';

/** One access, as the log tells it. */
export interface AuditEntry extends AccessCircumstances {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly interaction: AuditedInteraction;
  /** `Type/id` or `Type/id/_history/version` of what was touched. */
  readonly what: readonly string[];
  /** Path and query of a search, as sent. */
  readonly query?: string;
  readonly subject: string;
  readonly name: string;
  readonly client: string;
  readonly fhirUser: string;
  readonly roles: readonly string[];
  readonly organization?: string;
  /** Ties together all rows of one request, and the request's log lines. */
  readonly request: string;
  /** What was disclosed outside, where that is what the entry records. */
  readonly disclosure?: OutsideDisclosure;
  /** What is not to be told for a time, likewise. */
  readonly suspension?: Suspension;
  /** Why a chart is held, or is no more: for privacy officers alone. */
  readonly reason?: string;
  /** Stable code of what was forbidden, such as `forbidden-role`. */
  readonly refusal?: string;
}

/** What a row says of an access for which somebody broke the glass. */
export const emergency = { purpose: 'BTG', basis: 'break-glass' } as const;

/** Name of the operation that an entry tells of, such as `$everything`; undefined if it tells of none. */
export const operationOf = ({ interaction, operation, query = '' }: AuditEntry): string | undefined =>
  interaction === 'operation' ? (operation ?? /\$[a-z-]+/.exec(query)?.[0]) : undefined;

/** A row of a chart's log, as this release writes it. */
export interface AuditRow extends RowKey {
  readonly [attribute: string]: unknown;
  readonly layout: 2;
  /** Whose people did it: outside the entry, so that it can be filed by day whatever the layout is. */
  readonly organization?: string;
  readonly entry: string | Uint8Array;
}

/** What this release files by organisation and day: where the row is. */
export interface AuditPointer extends RowKey {
  readonly [attribute: string]: unknown;
  readonly layout: 2;
  /** Partition of the row; its sort key is the pointer's own. */
  readonly log: string;
}

/** A row of either kind, as any release wrote it. */
export interface StoredAuditRow extends RowKey, Partial<AuditEntry> {
  readonly layout: number;
  readonly entry?: string | Uint8Array;
  readonly log?: string;
}

const layout = 2;

/**
 * Letters of JSON that are stored as they are. Shorter ones, such as a read's, fit one write unit either way, and deflating them would add
 * 7 % to the CPU of the call that writes them. Longer ones shrink to a quarter: a reference in a bundle's row to 20 bytes.
 */
const longestPlain = 512;

/** Stands in a reference for the chart whose log it is in. No id has this letter. */
const ownChart = '/~';

/** The row of an access, under a key whose place was made of the time of the access. */
export const auditRow = (key: RowKey, { at: _inKey, organization, what, ...said }: AuditEntry): AuditRow => {
  const own = `/${chartOf(key)}`;
  const json = JSON.stringify({ what: what.map((reference) => reference.replace(own, ownChart)), ...said });
  return {
    ...key,
    layout,
    ...(organization === undefined ? {} : { organization }),
    entry: json.length > longestPlain ? deflateRawSync(json) : json,
  };
};

/** Of layout 1: a word an attribute. */
const inAttributes = ({ pk: _pk, sk: _sk, layout: _layout, log: _log, ...entry }: StoredAuditRow): AuditEntry =>
  entry as AuditEntry;

/** Of layout 2: JSON, deflated where it is long. References leave out the log's own chart, and the time is in the key. */
const unpacked = (row: StoredAuditRow): AuditEntry => {
  const { entry = '', organization } = row;
  const json = typeof entry === 'string' ? entry : inflateRawSync(entry).toString();
  const { what, ...said } = JSON.parse(json) as Omit<AuditEntry, 'at' | 'organization'>;
  const own = `/${chartOf(row)}`;
  return {
    at: timeOfPlace(placeOf(row)),
    what: what.map((reference) => reference.replace(ownChart, own)),
    ...said,
    ...(organization === undefined ? {} : { organization }),
  };
};

/** What a row of a chart's log says. */
export const accessLayouts = new Layouts<(row: StoredAuditRow) => AuditEntry>('access', {
  1: inAttributes,
  2: unpacked,
});

/** What stands by day says the access itself, or else leads to it. */
export const accessByDayLayouts = new Layouts<(row: StoredAuditRow) => AuditEntry | undefined>('accessByDay', {
  1: inAttributes,
  2: () => undefined,
});

/**
 * What a row of a chart's log says.
 *
 * @throws WrittenByNewerRelease.
 */
export const entryOf = (row: StoredAuditRow): AuditEntry => accessLayouts.reader(row.layout)(row);

/**
 * What stands by day says itself; undefined for a pointer.
 *
 * @throws WrittenByNewerRelease.
 */
export const copiedEntry = (row: StoredAuditRow): AuditEntry | undefined => accessByDayLayouts.reader(row.layout)(row);

/** What files a row by organisation and day; undefined for what patients do, who have no organisation. */
export const auditPointer = (row: StoredAuditRow): AuditPointer | undefined => {
  const { pk: log, sk, organization } = row;
  if (organization === undefined) return undefined;
  const day = new Date(timeOfPlace(placeOf(row))).toISOString().slice(0, 10);
  return { pk: auditDayPartition(organization, day), sk, layout, log };
};

const refused = '!refused';

/** Sort key of the row that says an access, traced before it was decided, was refused or found nothing. */
export const refusedKey = ({ pk, sk }: RowKey): RowKey => ({ pk, sk: `${sk}${refused}` });

/** The row that follows one whose access came to nothing. */
export const refusedRow = (row: AuditRow): AuditRow => ({ ...row, ...refusedKey(row) });

export const isRefusal = ({ sk }: RowKey): boolean => sk.endsWith(refused);

const flagged = '!emergency';

/** Sort key of the row that says an access, traced before it was decided, was permitted because somebody had broken the glass. */
export const flaggedKey = ({ pk, sk }: RowKey): RowKey => ({ pk, sk: `${sk}${flagged}` });

/** The row that follows such an access. */
export const flaggedRow = (row: AuditRow): AuditRow => ({ ...row, ...flaggedKey(row) });

/** Whether a row says more of the one that it follows. */
export const followsAnother = ({ sk }: RowKey): boolean => sk.includes('!');

const placeOf = ({ sk }: RowKey): string => sk.replace(/!.*/, '');

/** The chart whose log a row is in, or a pointer leads to. */
export const chartOf = ({ pk, log }: RowKey & { readonly log?: string }): string =>
  (log ?? pk).slice(auditPartition('').length);
