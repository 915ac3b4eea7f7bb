import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { halfPlaceBytes, type IdCodec, placesFromColumns, placesInColumns, timeOfPlace } from '../store/ids.ts';
import { auditDayPartition, auditPartition, type RowKey } from '../store/keys.ts';
import { Layouts } from '../store/layouts.ts';
import type { AccessCircumstances } from './basis.ts';
import type { OutsideDisclosure, Suspension } from './disclosure-rows.ts';

// Rows of the access log are only ever added. In layout 1 each word of an entry was an attribute, and by day stood a whole copy of the
// row; in layout 2 `entry` is JSON, and by day stands a pointer; in layout 3, of long rows, places stand for ids of the chart.

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

/** What shows a chart to somebody. Who writes into it discloses nothing. */
export const showing: ReadonlySet<AuditedInteraction> = new Set([
  'read',
  'vread',
  'history-instance',
  'history-type',
  'history-system',
  'search-type',
  'search-system',
  'operation',
]);

/** What a row says of an access for which somebody broke the glass. */
export const emergency = { purpose: 'BTG', basis: 'break-glass' } as const;

/** Name of the operation that an entry tells of, such as `$everything`; undefined if it tells of none. */
export const operationOf = ({ interaction, operation, query = '' }: AuditEntry): string | undefined =>
  interaction === 'operation' ? (operation ?? /\$[a-z-]+/.exec(query)?.[0]) : undefined;

/** A row of a chart's log, as this release writes it. */
export interface AuditRow extends RowKey {
  readonly [attribute: string]: unknown;
  readonly layout: 2 | 3;
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
 * 7 % to the CPU of the call that writes them. Longer ones shrink to a quarter.
 */
const longestPlain = 512;

/** Stands in a reference for the chart whose log it is in. No id has this letter. */
const ownChart = '/~';

/** Stands behind it for an id that tells its place, where places are kept by themselves. */
const atPlace = '~';

/** The row of an access, under a key whose place was made of the time of the access. */
export const auditRow = (
  ids: IdCodec,
  key: RowKey,
  { at: _inKey, organization, what, ...said }: AuditEntry,
): AuditRow => {
  const own = `/${chartOf(key)}`;
  const short = what.map((reference) => reference.replace(own, ownChart));
  const json = JSON.stringify({ what: short, ...said });
  const row = { ...key, ...(organization === undefined ? {} : { organization }) };
  if (json.length <= longestPlain) return { ...row, layout, entry: json };
  const placed = withPlaces(ids, chartOf(key), short);
  return placed
    ? { ...row, layout: 3, entry: packed({ ...placed, said }) }
    : { ...row, layout, entry: deflateRawSync(json) };
};

/**
 * References without the ids that tell their places, and these places: 12 bytes that repeat a date tell of a record what 16 do that look random.
 * Undefined if there are none, or a reference is no such one as records have.
 */
const withPlaces = (
  ids: IdCodec,
  chart: string,
  references: readonly string[],
): { readonly what: readonly string[]; readonly places: readonly string[] } | undefined => {
  if (references.some((reference) => reference.replace(ownChart, '').includes('~'))) return undefined;
  const places: string[] = [];
  const what = references.map((reference) =>
    reference.replace(/\/~(\.[0-9a-v]{26})(?=\/|$)/, (whole, suffix: string) => {
      const place = ids.decode(`${chart}${suffix}`)?.place;
      if (place === undefined) return whole;
      places.push(place);
      return `${ownChart}${atPlace}`;
    }),
  );
  return places.length > 0 && places.length < 2 ** 16 ? { what, places } : undefined;
};

/**
 * How many places there are, in two bytes; what is random of them, as it is, since it cannot be deflated; and deflated, JSON and behind it the steps between
 * their dates, most of which are none.
 */
const packed = ({
  what,
  places,
  said,
}: {
  readonly what: readonly string[];
  readonly places: readonly string[];
  readonly said: object;
}): Uint8Array => {
  const { steps, random } = placesInColumns(places);
  const count = Buffer.alloc(2);
  count.writeUInt16BE(places.length);
  const json = Buffer.from(JSON.stringify({ what, ...said }));
  return Buffer.concat([count, random, deflateRawSync(Buffer.concat([json, steps]))]);
};

/** Of layout 1: a word an attribute. */
const inAttributes = ({ pk: _pk, sk: _sk, layout: _layout, log: _log, ...entry }: StoredAuditRow): AuditEntry =>
  entry as AuditEntry;

/** JSON without what the row tells otherwise. */
type Told = Omit<AuditEntry, 'at' | 'organization'>;

/** Of layout 2: JSON, deflated where it is long. References leave out the log's own chart, and the time is in the key. */
const unpacked = (row: StoredAuditRow): AuditEntry => {
  const { entry = '' } = row;
  return toldBy(row, JSON.parse(typeof entry === 'string' ? entry : inflateRawSync(entry).toString()) as Told);
};

/** Of layout 3: places stand by themselves. */
const withIds = (row: StoredAuditRow, ids: Pick<IdCodec, 'idAt'>): AuditEntry => {
  const bytes = Buffer.from(row.entry as Uint8Array);
  const count = bytes.readUInt16BE();
  const behind = 2 + halfPlaceBytes * count;
  const inflated = inflateRawSync(bytes.subarray(behind));
  const end = inflated.length - halfPlaceBytes * count;
  const places = placesFromColumns({ steps: inflated.subarray(end), random: bytes.subarray(2, behind) }).values();
  const { what, ...said } = JSON.parse(inflated.subarray(0, end).toString()) as Told;
  const chart = chartOf(row);
  const named = what.map((reference) =>
    reference.replace(`${ownChart}${atPlace}`, () => `/${ids.idAt(chart, places.next().value ?? '')}`),
  );
  return toldBy(row, { what: named, ...said });
};

const toldBy = (row: StoredAuditRow, { what, ...said }: Told): AuditEntry => {
  const own = `/${chartOf(row)}`;
  return {
    at: timeOfPlace(placeOf(row)),
    what: what.map((reference) => reference.replace(ownChart, own)),
    ...said,
    ...(row.organization === undefined ? {} : { organization: row.organization }),
  };
};

/** What a row of a chart's log says, with ids made of places where it holds those. */
export const accessLayouts = /* @__PURE__ */ new Layouts<
  (row: StoredAuditRow, ids: Pick<IdCodec, 'idAt'>) => AuditEntry
>('access', {
  1: inAttributes,
  2: unpacked,
  3: withIds,
});

/** What stands by day says the access itself, or else leads to it. */
export const accessByDayLayouts = /* @__PURE__ */ new Layouts<(row: StoredAuditRow) => AuditEntry | undefined>(
  'accessByDay',
  {
    1: inAttributes,
    2: () => undefined,
  },
);

/**
 * What a row of a chart's log says.
 *
 * @throws WrittenByNewerRelease.
 */
export const entryOf = (row: StoredAuditRow, ids: Pick<IdCodec, 'idAt'>): AuditEntry =>
  accessLayouts.reader(row.layout)(row, ids);

/**
 * What kind of access a row tells of, without the names of what was touched.
 *
 * @throws WrittenByNewerRelease.
 */
export const interactionOf = (row: StoredAuditRow): AuditedInteraction => entryOf(row, { idAt: () => '' }).interaction;

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

const placeOf = ({ sk }: RowKey): string => sk.replace(/!.*/, '');

/** The chart whose log a row is in, or a pointer leads to. */
export const chartOf = ({ pk, log }: RowKey & { readonly log?: string }): string =>
  (log ?? pk).slice(auditPartition('').length);
