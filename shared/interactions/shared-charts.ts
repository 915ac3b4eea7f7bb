import type { ChartAccess, Known } from '../access/chart-access.ts';
import type { Asking, Basis, Sharing } from '../access/question.ts';
import { addressesIn } from '../fhir/addresses.ts';
import type { Resource } from '../fhir/resource.ts';
import { headsOwnChart } from '../record-types/homes.ts';
import { linkedWith } from '../store/chart-links.ts';
import { type AccessRows, accessRowsOf } from '../store/directives.ts';
import type { Address } from '../store/keys.ts';
import type { RecordStore } from '../store/record-store.ts';
import type { StoredRecord } from '../store/rows.ts';

/** Rights to what other organisations keep, those first that tell most of an access. */
const rights: readonly Basis[] = ['break-glass', 'consent', 'relation'];

/** A record as far as it tells whether Consents matter; of one that does not exist, where it would be, so that it takes as long. */
type Kept = Pick<StoredRecord, 'type' | 'chart'> & Partial<Pick<StoredRecord, 'custodian' | 'resource'>>;

/** Reads what opens and closes a chart; undefined if that is too much to be read. */
export type RowsOf = (chart: string) => Promise<AccessRows | undefined>;

/** Who asks, with what is found out here of the charts that are the patient's who asks. */
export type Asker = Asking & { readonly merged?: Set<string> | undefined };

/**
 * What patients permit of charts that other organisations keep, as far as one request has looked it up; whatever has not been is not shared. Every
 * request looks anew, so what a Consent opens or closes is in force with the next one.
 */
export class SharedCharts {
  readonly #store: RecordStore;
  readonly #asking: Asker;
  readonly #network: Known;
  readonly #besides: AccessRows['rows'];
  readonly #rowsOf: RowsOf;
  readonly #known = new Map<string, ChartAccess | undefined>();
  /** Those that are under way, or were. */
  readonly #asked = new Map<string, Promise<void>>();
  /** Where records are that clients chose the ids of, by `Type/id`; undefined for what leads nowhere. */
  readonly #located = new Map<string, Address | undefined>();

  /**
   * @param besides - rows of charts that the request is to write.
   * @param rowsOf - reads what opens and closes a chart; given where several who ask are to be decided upon by one reading.
   */
  constructor(
    store: RecordStore,
    asking: Asker,
    network: Known,
    {
      besides = [],
      rowsOf = (chart) => accessRowsOf(store, chart),
    }: { readonly besides?: AccessRows['rows']; readonly rowsOf?: RowsOf } = {},
  ) {
    this.#besides = besides;
    this.#rowsOf = rowsOf;
    this.#store = store;
    this.#asking = asking;
    this.#network = network;
  }

  /** What is shared of a chart; undefined if nothing is, or it has not been looked up. */
  ofChart(chart: string): Sharing | undefined {
    return this.#known.get(chart)?.sharing;
  }

  /**
   * The same for another caller, or for what another store reads.
   *
   * @param besides - rows of charts that the request is to write.
   */
  as(asking: Asking, { store = this.#store, besides = [] as AccessRows['rows'] } = {}): SharedCharts {
    return new SharedCharts(store, { ...asking, merged: undefined }, this.#network, { besides });
  }

  /** What is known of a chart; undefined if it was not looked up, or is too much. */
  known(chart: string): ChartAccess | undefined {
    return this.#known.get(chart);
  }

  /** By which right something of a chart was shared: that somebody had broken the glass before all others, and a Consent before a relationship. */
  basisOf(chart: string): Basis | undefined {
    const used = this.#known.get(chart)?.used;
    return used && rights.find((basis) => used.has(basis));
  }

  /** Whether there may be something in a chart that the caller may find, though not what was found first. */
  mayEnter(chart: string): boolean {
    const known = this.#known.get(chart);
    return known !== undefined && (known.sharing !== undefined || known.mixed);
  }

  /**
   * What is shared of the chart of this record; undefined if nothing is, or it has not been looked up, or the record names another patient's chart as well:
   * that patient has been asked nothing.
   */
  of({ chart, resource }: Pick<StoredRecord, 'chart' | 'resource'>): Sharing | undefined {
    const sharing = this.ofChart(chart);
    if (!sharing || !resource) return sharing;
    const linked = this.#known.get(chart)?.linked;
    const alone = this.#namedIn(resource).every((name) => {
      const address = this.#addressOf(name);
      // What has no place in a chart belongs to no patient, but for patients themselves.
      // A merge says in the Patient which other one it is. Whom that stands for, an id does not tell.
      if (address?.type === 'Patient' && resource.resourceType === 'Patient' && linked?.has(address.chart)) return true;
      return address
        ? address.chart === chart || (address.place === '' && address.type !== 'Patient')
        : this.#located.has(name);
    });
    return alone ? sharing : undefined;
  }

  /** Whether a Consent may decide about a record, and has not been looked up, or where what it names is has not. */
  needs(record: Kept): boolean {
    return this.#isForeign(record)
      ? !this.#known.has(record.chart) || this.#unlocated(record).length > 0
      : this.#asking.merged?.size === 0 && this.#mayBeOwn(record);
  }

  /** Whether a record is in a chart of a patient that a merge may have made one with that of the patient who asks. What a Binary is under tells where it is. */
  #mayBeOwn({ type, chart, resource }: Kept): boolean {
    const { chart: own, merged } = this.#asking;
    if (!merged) return false;
    if (type !== 'Binary') return chart !== own && !headsOwnChart(type);
    const under = addressesIn(resource).flatMap(({ name }) => this.#addressOf(name) ?? []);
    return under.some((each) => each.chart !== own && !headsOwnChart(each.type));
  }

  #merged: Promise<void> | undefined;

  /** Looks up which charts a merge has made one with that of the patient who asks, itself among them. */
  async #lookUpMerged(): Promise<void> {
    const { chart = '', merged } = this.#asking;
    for (const each of await linkedWith(this.#store, chart)) merged?.add(each.chart);
    merged?.add(chart);
  }

  #isForeign({ type, custodian }: Kept): boolean {
    const { organization } = this.#asking.caller;
    return organization !== undefined && custodian !== organization && !headsOwnChart(type);
  }

  /**
   * Where the records are that a record of another organisation names as `Type/id`, but for its patient; undefined for what is nowhere. Not given for what the
   * caller's own organisation keeps.
   */
  namedBy(record: Kept): ReadonlyMap<string, Address | undefined> | undefined {
    if (!record.resource || !this.#isForeign(record)) return undefined;
    const names = this.#namedIn(record.resource).filter((name) => typeAndId(name).type !== 'Patient');
    return new Map(names.map((name) => [name, this.#addressOf(name)]));
  }

  /** `Type/id` of patients and of what may belong to one, as a record names them, here or under another name of this server. */
  #namedIn(resource: Resource): string[] {
    const names = new Set(addressesIn(resource).map(({ name }) => name));
    return [...names].filter((name) => !headsOwnChart(typeAndId(name).type));
  }

  #addressOf(name: string): Address | undefined {
    const { type, id } = typeAndId(name);
    const decoded = this.#store.ids.decode(id);
    return decoded ? { type, ...decoded } : this.#located.get(name);
  }

  /** What a record names whose place is still to be looked up. Where nothing of its chart is shared, that decides nothing. */
  #unlocated({ chart, resource }: Kept): string[] {
    if (!resource || !this.ofChart(chart)) return [];
    return this.#namedIn(resource).filter((name) => !this.#addressOf(name) && !this.#located.has(name));
  }

  /**
   * Looks up what is shared of the charts of these records: one Query a chart, all at once; none for what the caller's own organisation keeps. For a patient who asks, one
   * read of the own chart's links, and only where a record is in another one. Then, where
   * something is shared, in whose charts that is which they name by ids that clients chose: one call a type.
   *
   * @returns how many calls were made.
   */
  async lookUp(records: readonly Kept[]): Promise<number> {
    let fresh = 0;
    if (records.some((record) => this.#mayBeOwn(record))) {
      if (!this.#merged) fresh++;
      await (this.#merged ??= this.#lookUpMerged());
    }
    const charts = new Set(records.flatMap((record) => (this.needs(record) ? [record.chart] : [])));
    const asked = [...charts].map((chart): Promise<void> => {
      const known = this.#asked.get(chart);
      if (known) return known;
      fresh++;
      const asking = this.#ask(chart);
      this.#asked.set(chart, asking);
      return asking;
    });
    await Promise.all(asked);
    return fresh + (await this.#locate(records.filter((record) => this.#isForeign(record))));
  }

  async #locate(records: readonly Kept[]): Promise<number> {
    const names = new Set(records.flatMap((record) => this.#unlocated(record)));
    const byType = Map.groupBy([...names].map(typeAndId), ({ type }) => type);
    await Promise.all(
      [...byType].map(async ([type, named]) => {
        const ids = named.map(({ id }) => id);
        const addresses = await this.#store.locateMany(type, ids, false);
        ids.forEach((id, index) => {
          this.#located.set(`${type}/${id}`, addresses[index]);
        });
      }),
    );
    return byType.size;
  }

  async #ask(chart: string): Promise<void> {
    const [{ chartAccess }, rows] = await Promise.all([import('../access/sharing.lazy.ts'), this.#rowsOf(chart)]);
    const all = rows && { ...rows, rows: [...rows.rows, ...this.#besides] };
    this.#known.set(chart, all && chartAccess(all, this.#asking.caller, this.#network));
  }

  /** Labels that a record is taken to bear for the codes in it, beside its own, once it is to be shared, and by which edition of the set. */
  async labelsByCode({ labels, resource }: Pick<StoredRecord, 'labels' | 'resource'>) {
    const { labelsByCode, sensitiveCodesVersion: edition } = await import('../access/sharing.lazy.ts');
    const derived = labelsByCode(this.#network.policy.sensitiveCodes)(resource);
    return { edition, labels: derived.filter((label) => !labels.includes(label)) };
  }

  /** The current version of a record, once it is known whether it is shared. Where there is none, that takes the same calls as where it is hidden. */
  async read(address: Address): Promise<StoredRecord | undefined> {
    const record = await this.#store.read(address);
    await this.lookUp([record ?? address]);
    return record;
  }
}

const typeAndId = (name: string): { readonly type: string; readonly id: string } => {
  const [type = '', id = ''] = name.split('/');
  return { type, id };
};
