import { sensitiveAmong } from '../../access/labels.ts';
import { isOwnChart } from '../../access/question.ts';
import { RecordError } from '../../errors.ts';
import type { Resource } from '../../fhir/resource.ts';
import type { SearchType } from '../../record-types/search-type.ts';
import type { SearchTypes } from '../../record-types/search-types.ts';
import type { Lookup, RecordFacts, TerminologyFacts } from '../../search/facts.ts';
import type { Condition } from '../../search/search-query.ts';
import type { Units } from '../../search/units.ts';
import type { CallNotes } from '../../store/call-notes.ts';
import { inParallel } from '../../store/in-parallel.ts';
import type { LinkedPage } from '../../store/linked-page.ts';
import { jsonBytesOf, type StoredRecord } from '../../store/rows.ts';
import type { RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { mayAccess } from '../require-access.ts';
import { securityContextOf } from '../security-context.ts';

/** A request that searches, whatever it names. */
export type SearchRequest = Omit<RequestContext, 'recordType'>;

/** The same while records of some type are searched, be it a type that the request names or another. */
export interface SearchContext extends SearchRequest {
  readonly recordType: SearchType;
}

/** A resource that conditions are to be looked at on: a record, or what stands within one. */
export interface Held {
  readonly resource: Resource;
  /** Empty for a resource within another that has none. */
  readonly id: string;
  readonly lastUpdated: number | undefined;
  /** The chart of the record; undefined for a resource within another. */
  readonly chart?: string;
  /** The record that holds it, if it is no record itself. */
  readonly container?: Resource;
}

/** Calls to DynamoDB that one page may take. A page that has taken them ends, with a link to what follows. */
export const callsPerPage = 60;
/** Counting, sorting and following references have no pages, so they may take more, and then give up. A thousand charts fit. */
export const callsPerSearch = 1_100;
/** Bytes of JSON of the records that a search without pages may hold: a function has 1 GB, and a resource takes some times its JSON. */
const mostHeld = 50_000_000;

/** Contexts of Binaries that are looked up beside one another. */
const lookedUpAtOnce = 8;

/** One search under way: for whom, what it has learnt of other records, and how far it has gone. */
export class Run {
  readonly context: SearchRequest;
  /** Every type; undefined where the search speaks of its own type alone. */
  readonly types: SearchTypes | undefined;
  readonly terminology: TerminologyFacts | undefined;
  /** Where units are compared. */
  units: Units | undefined;
  /** What references have led to so far: see shared/search/facts.ts. Joins fills it. */
  readonly lookups = new Map<Lookup, Set<string>>();
  /** Looks up what conditions ask of other records, for these. Set by whoever made the run. */
  lookUp: (recordType: SearchType, held: readonly Held[], conditions: readonly Condition[]) => Promise<void> = () =>
    Promise.resolve();
  /** Notes what the search reads, if it is to be explained. */
  notes: CallNotes | undefined;
  /** Whether what is found, or its order, depends on what records name. Set by whoever made the run. */
  looksAtReferences = false;
  /** Calls that others waited for, to DynamoDB or the object store. */
  calls = 0;
  /** Charts of which a record was looked at that is not the caller's to see, and those of which one is. */
  readonly #hidden = new Set<string>();
  readonly #seen = new Set<string>();
  /** Charts that the search named, itself or by what references have led to. */
  readonly named = new Set<string>();
  /** Beginnings of charts that are read before they are asked for, with what is mentioned there, by `<type> <chart>`. */
  readonly ahead = new Map<string, Promise<LinkedPage>>();
  /** `Type/id` of patients' records that were not asked for and decided what was found, by the chart of their home. */
  readonly #decisive = new Map<string, Set<string>>();
  /** Labels of them that restrict something, by `Type/id`. */
  readonly #labels = new Map<string, readonly string[]>();
  /** Those of them that have a security context, by it: they are in its chart, too. */
  readonly #under = new Map<string, { readonly type: string; readonly id: string; readonly names: Set<string> }>();
  #held = 0;

  constructor(context: SearchRequest, types?: SearchTypes, terminology?: TerminologyFacts) {
    this.context = context;
    this.types = types;
    this.terminology = terminology;
  }

  readonly spend = (): void => {
    this.calls++;
  };

  /** The request as it searches this type. */
  of(recordType: SearchType): SearchContext {
    return { ...this.context, recordType };
  }

  /** Whether it must be looked up if a record is shared. */
  needsConsidering(record: StoredRecord): boolean {
    return this.context.sharing.needs(record) || (this.looksAtReferences && this.context.view.needs(record));
  }

  /** Looks up whether records that other organisations keep are shared, for what follows. */
  async consider(records: readonly StoredRecord[]): Promise<void> {
    const { sharing, view } = this.context;
    const shared = await sharing.lookUp(records);
    const asked = shared + (this.looksAtReferences ? await view.prepare(records) : 0);
    for (let call = 0; call < asked; call++) this.spend();
  }

  /** Whether the caller may find this record. Of which chart it is, is remembered. */
  mayFind(recordType: SearchType, record: StoredRecord): boolean {
    const may = mayAccess(this.of(recordType), 's', record);
    (may ? this.#seen : this.#hidden).add(record.chart);
    if (may) this.notes?.seen(record);
    return may;
  }

  /** Whether the caller may find something in the chart of this record: who may not find this one for what it says may find others. */
  mayEnter(recordType: SearchType, record: StoredRecord): boolean {
    const { asking, sharing } = this.context;
    const { organization } = asking.caller;
    const own = organization === undefined ? isOwnChart(asking, record.chart) : record.custodian === organization;
    return this.mayFind(recordType, record) || own || sharing.mayEnter(record.chart);
  }

  /** Whether the caller was refused all that was looked at of a chart. */
  isHidden(chart: string): boolean {
    return this.#hidden.has(chart) && !this.#seen.has(chart);
  }

  /** What matching needs to know of a resource beside its body. */
  factsOf({ id, lastUpdated, container }: Omit<Held, 'resource'>): RecordFacts {
    const { terminology, units, lookups, context } = this;
    return {
      id,
      lastUpdated,
      baseUrl: context.request.baseUrl,
      lookups,
      ...(terminology ? { terminology } : {}),
      ...(units ? { units } : {}),
      ...(container ? { container } : {}),
    };
  }

  /** Remembers that a patient's record that nobody is shown decided something: its chart's log tells of it. */
  decidedBy({ subject, directory }: SearchType, record: StoredRecord): void {
    if (directory || subject === 'knowledge') return;
    const name = `${record.type}/${record.id}`;
    const names = this.#decisive.get(record.chart) ?? new Set();
    this.#decisive.set(record.chart, names.add(name));
    const labels = sensitiveAmong(record.labels);
    if (labels.length > 0) this.#labels.set(name, labels);
    const under = securityContextOf(this.context, record.resource);
    if (!under || under === 'not-understood') return;
    const key = `${under.type}/${under.id}`;
    const others = this.#under.get(key)?.names ?? new Set();
    this.#under.set(key, { ...under, names: others.add(name) });
  }

  /** Labels that restrict some of these records, given as `Type/id`. */
  labelsOf(names: Iterable<string>): string[] {
    return [...new Set([...names].flatMap((name) => this.#labels.get(name) ?? []))];
  }

  /** `Type/id` of what decided, by each chart that it is in. Contexts under an id that a client chose are looked up, each once. */
  async decisive(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    const all = new Map(this.#decisive);
    const contexts = [...this.#under.values()];
    const addresses = await inParallel(lookedUpAtOnce, contexts, ({ type, id }) => locate(this.context, type, id));
    for (const [index, address] of addresses.entries()) {
      const { names } = contexts[index] ?? {};
      if (address && names) all.set(address.chart, new Set([...(all.get(address.chart) ?? []), ...names]));
    }
    return all;
  }

  /**
   * Counts a record that is held until the search ends. How many it may be is not all: a body takes up to 4 MB.
   *
   * @throws RecordError `too-costly`
   */
  hold(record: StoredRecord, parameter: string): void {
    this.#held += jsonBytesOf(record);
    if (this.#held > mostHeld) throw tooCostly(parameter);
  }

  /** A record as conditions look at it: as the caller is shown it, so nobody finds by what is masked. */
  heldOf = (record: StoredRecord): Held[] => {
    const { resource } = this.context.view.of(record);
    return resource ? [{ resource, id: record.id, lastUpdated: record.updated, chart: record.chart }] : [];
  };

  /**
   * Ends a search that has no pages and has gone too far.
   *
   * @throws RecordError `too-costly`
   */
  requireAffordable(parameter: string): void {
    if (this.calls > callsPerSearch) throw tooCostly(parameter);
  }
}

export const tooCostly = (parameter: string): RecordError =>
  new RecordError(
    'too-costly',
    'This would read too many charts at once; narrow the search, for instance to a patient',
    { expression: parameter },
  );
