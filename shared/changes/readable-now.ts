import type { Caller, Role } from '../access/caller.ts';
import { decideType } from '../access/decide.ts';
import type { Policy } from '../access/policy.ts';
import { isNarrowed } from '../access/rules/scope.ts';
import { parseScopes, type Scope } from '../access/scopes.ts';
import { RecordError } from '../errors.ts';
import type { Addressed, RequestContext } from '../interactions/context.ts';
import { mayAccess } from '../interactions/require-access.ts';
import { chartsBesides } from '../interactions/security-context.ts';
import { type Asker, type RowsOf, SharedCharts } from '../interactions/shared-charts.ts';
import { lastSaid } from '../interactions/version-of.ts';
import { headsOwnChart } from '../record-types/homes.ts';
import { factsOfType } from '../record-types/subjects.ts';
import { accessRowsOf } from '../store/directives.ts';
import type { RecordChange } from '../store/feed/change.ts';
import { type Version, versionsOf, type Wanted } from '../store/feed/versions.ts';
import { inParallel } from '../store/in-parallel.ts';
import { purgesAmong } from '../store/keeping.ts';
import type { RecordStore } from '../store/record-store.ts';
import type { StoredRecord } from '../store/rows.ts';
import { isAway } from './parking.ts';

/** What a decision about changes needs to know of who asks. A request has it; where there is none, `readingFor` makes it. */
export type Reading = Pick<RequestContext, 'store' | 'asking' | 'sharing' | 'known'> &
  Addressed & {
    /** Somebody of the same organisation and scopes, who has to be permitted as well. */
    readonly also?: Pick<RequestContext, 'asking' | 'sharing'>;
  };

/** What is known where nobody has sent a request. */
export interface Background {
  readonly store: RecordStore;
  readonly policy: Policy;
  /** Names of the network's substance-use programmes, as `Denylist.programmes` has them. */
  readonly programmes: ReadonlySet<string>;
  /** By which address records may name others of this server, without a slash at its end; where it is not known, they are told apart by what they name. */
  readonly baseUrl?: string | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * An organisation's own system, which asks for what the organisation may read: so it is decided who is told of a change.
 *
 * @param narrowed - scopes and roles of who wrote a Subscription, where no more is to be told than that one could read; their own record, where they are asked for by name.
 */
export const systemAsking = (
  organization: string,
  narrowed: { readonly scopes?: readonly Scope[]; readonly roles?: readonly Role[]; readonly fhirUser?: string } = {},
): Asker => {
  const caller: Caller = {
    // Nobody's `sub`: what somebody has opened in an emergency is for that person alone.
    subject: 'concord',
    name: `System of ${organization}`,
    client: 'concord',
    organization,
    roles: narrowed.roles ?? ['system'],
    scopes: narrowed.scopes ?? parseScopes('system/*.rs'),
    fhirUser: narrowed.fhirUser ?? `Organization/${organization}`,
    patient: undefined,
  };
  return { caller, chart: undefined };
};

/**
 * What decisions for one who asks are made with, where there is no request. It knows what it has looked up, so it is made anew whenever it is to be
 * decided anew.
 *
 * @param rowsOf - reads what opens and closes a chart, where several who ask are decided upon by one reading.
 */
export const readingFor = (
  { store, policy, programmes, baseUrl = 'https://concord.invalid/fhir', now }: Background,
  asking: Asker,
  rowsOf?: RowsOf,
): Reading => ({
  store,
  asking,
  sharing: new SharedCharts(store, asking, { policy, programmes, now }, rowsOf && { rowsOf }),
  known: new Map(),
  request: { baseUrl },
});

/**
 * The same for what has to be permitted to two: to the organisation, and to a person of it by name. What opens and closes a chart is read once for both.
 *
 * @param person - by whom nothing more is told than without; absent for the organisation alone.
 */
export const readingForBoth = (background: Background, asking: Asker, person: Asker | undefined): Reading => {
  if (!person) return readingFor(background, asking);
  const found = new Map<string, ReturnType<RowsOf>>();
  const rowsOf: RowsOf = (chart) => {
    const rows = found.get(chart) ?? accessRowsOf(background.store, chart);
    found.set(chart, rows);
    return rows;
  };
  return { ...readingFor(background, asking, rowsOf), also: readingFor(background, person, rowsOf) };
};

const lookUp = async ({ sharing, also }: Reading, records: readonly StoredRecord[]): Promise<void> => {
  await Promise.all([sharing.lookUp(records), also?.sharing.lookUp(records)]);
};

/** A change that who asks may know of. */
export interface Readable {
  readonly change: RecordChange;
  /** The version that the change made; without a resource where it deletes. */
  readonly record: StoredRecord;
  /** Charts whose logs tell that it was shown. */
  readonly charts: readonly string[];
}

/** What is asked of versions beside whether they may be read. */
export interface Within {
  /** Given where only versions are wanted that this is true of. */
  readonly isWanted?: (version: Version) => boolean;
  /** Whether it is to be known when the next version took the place of each. */
  readonly superseded?: boolean;
  /** Given where nothing may stand in the way of what is behind it: is told of a change that cannot be read, which is then passed over. */
  readonly passOver?: (change: RecordChange, error: unknown) => Promise<void>;
  /**
   * Whether these are changes that the organisation was told of, so that it is told, too, that a chart was purged: nothing is left of it to decide by, and whether it could read the records was
   * decided when that was told. For the system of who kept it alone, and where nothing that records say decides.
   */
  readonly told?: boolean;
  /** A deletion says nothing: it is decided upon as such, as for reading it, and not by what the record said last. */
  readonly deletionsAsRead?: boolean;
}

/**
 * Those of changes that who asks may read now, in their order, with what they made: each by the one decision, as for reading that version. Where what a record says decides,
 * what it says now does so, too. Who could read a record is told that it is gone: a deletion is decided upon by what the record said last, even if it is gone because it was in the
 * wrong chart.
 *
 * @returns them, and how many of the changes were looked at: fewer than all where they are large, at least one.
 * @throws Error if a version is not there whose chart was not purged, or cannot be read, unless such a one is passed over; whatever says that a service is away.
 */
export const readableNow = async (
  reading: Reading,
  changes: readonly RecordChange[],
  within: Within = {},
): Promise<{ readonly readable: readonly Readable[]; readonly taken: number }> => {
  try {
    const { versions, taken } = await versionsIn(reading.store, changes, {
      superseded: within.superseded === true,
      current: (change) => isDecidedByContent(reading, change),
    });
    const readable = await readableOf(reading, versions, within);
    if (!within.told) return { readable, taken };
    const purges = await readablePurges(reading, changes.slice(0, taken), versions);
    return { readable: inOrderOf(changes, [...readable, ...purges]), taken };
  } catch (error) {
    const [first] = changes;
    if (!within.passOver || !first || isAway(error)) throw error;
    // Half of them, until it is one: what is in front of it is told first.
    if (changes.length > 1) return readableNow(reading, changes.slice(0, Math.ceil(changes.length / 2)), within);
    await within.passOver(first, error);
    return { readable: [], taken: 1 };
  }
};

/** That charts were purged, as far as who asks may know it. A call where a deletion is not there any more. */
const readablePurges = async (
  reading: Reading,
  changes: readonly RecordChange[],
  versions: readonly Version[],
): Promise<readonly Readable[]> => {
  const there = new Set(versions.map(({ change }) => change));
  const gone = changes.filter((change) => change.change === 'deleted' && !there.has(change));
  const purges = await purgesAmong(reading.store, gone);
  return purges
    .filter((change) => isForSystem(reading, change))
    .map((change) => {
      const { type, chart, place, version, updated, custodian } = change;
      const id = change.id ?? reading.store.ids.idAt(chart, place);
      const record = { type, chart, place, id, version, updated, custodian, labels: [], resource: undefined };
      return { change, record, charts: [chart] };
    });
};

/** Whether the system of who kept it asks, by scopes that leave nothing of a type out. */
const isForSystem = ({ asking }: Reading, { type, custodian }: RecordChange): boolean => {
  const { caller } = asking;
  return (
    caller.organization === custodian &&
    caller.roles.includes('system') &&
    !isNarrowed(caller, 'r', type) &&
    decideType(asking, 'r', factsOfType(type)).permit
  );
};

const inOrderOf = (changes: readonly RecordChange[], found: readonly Readable[]): readonly Readable[] => {
  const of = new Map(found.map((each) => [each.change, each]));
  return changes.flatMap((change) => of.get(change) ?? []);
};

/** The versions that the first of these changes made, as many as can be held together; at least one. */
export const versionsIn = async (
  store: RecordStore,
  changes: readonly RecordChange[],
  wanted: Wanted,
): Promise<{ readonly versions: readonly Version[]; readonly taken: number }> => {
  try {
    return await versionsOf(store, changes, wanted);
  } catch (error) {
    if (!(error instanceof RecordError && error.kind === 'too-costly') || changes.length < 2) throw error;
    return versionsIn(store, changes.slice(0, Math.ceil(changes.length / 2)), wanted);
  }
};

/** Versions that are judged beside one another: a call is waited for where something is deleted, or under an id that a client chose. */
const judgedAtOnce = 8;

/** The same of versions that were read, each with the current one. */
export const readableOf = async (
  reading: Reading,
  versions: readonly Version[],
  within: Within = {},
): Promise<readonly Readable[]> => {
  const wanted = within.isWanted ? versions.filter(within.isWanted) : versions;
  await lookUp(
    reading,
    wanted.flatMap(({ record, current }) => [record, current]),
  );
  const judged = await inParallel(judgedAtOnce, wanted, (version) => readable(reading, version, within));
  return judged.filter((each) => each !== undefined);
};

const isForeign = ({ asking }: Reading, { type, custodian }: RecordChange): boolean =>
  asking.caller.organization !== undefined && custodian !== asking.caller.organization && !headsOwnChart(type);

/** Whether what a record says may decide. A Binary that was given a security context is under it in all of its versions. */
const isDecidedByContent = (reading: Reading, change: RecordChange): boolean =>
  change.type === 'Binary' ||
  isForeign(reading, change) ||
  reading.asking.proxy?.conceals === true ||
  isNarrowed(reading.asking.caller, 'r', change.type);

const readable = async (
  reading: Reading,
  { change, record, current }: Version,
  { deletionsAsRead = false }: Within,
): Promise<Readable | undefined> => {
  const of = { ...reading, recordType: factsOfType(record.type) };
  const may = (version: StoredRecord) =>
    mayAccess(of, 'r', version) && (!reading.also || mayAccess({ ...of, ...reading.also }, 'r', version));
  const judgedBy = async (version: StoredRecord) =>
    version.resource || deletionsAsRead || !(version.misfiled || isDecidedByContent(reading, change))
      ? version
      : saidBefore(reading, version);
  const said = await judgedBy(record);
  if (!said || !may(said)) return undefined;
  const last = current === record ? said : await judgedBy(current);
  const lasting = last && (await lastSaid(reading, last));
  if (!lasting || (lasting !== said && !may(lasting))) return undefined;
  return { change, record, charts: [record.chart, ...(await chartsBesides(reading, [record, lasting]))] };
};

/** What a record said before it was deleted, under the seals that it has now but that it was in the wrong chart: that it is gone is for whoever had it. */
const saidBefore = async (reading: Reading, deletion: StoredRecord): Promise<StoredRecord | undefined> => {
  const before = await reading.store.readVersion(deletion, deletion.version - 1);
  if (!before) return undefined;
  const { misfiled: _misfiled, ...said } = before;
  await lookUp(reading, [said]);
  return said;
};
