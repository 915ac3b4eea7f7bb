import { decideType } from '../../access/decide.ts';
import { RecordError } from '../../errors.ts';
import { headsOwnChart } from '../../record-types/homes.ts';
import type { SearchType } from '../../record-types/search-type.ts';
import { hierarchies } from '../../search/hierarchies.ts';
import {
  beside,
  chainedFrom,
  containedBehind,
  listedIn,
  lookupsOf,
  referencesOf,
  referringTo,
} from '../../search/joins.ts';
import { matches } from '../../search/matches.ts';
import type { Chain, Condition, Criterion, Has, Hierarchy, InList } from '../../search/search-query.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { Finding } from './finding.ts';
import { homeParameters, mostQueries, type SearchPlan } from './plan.ts';
import { type Held, type Run } from './run.ts';

/** References that a search may be narrowed down to before it begins. Where there are more, it follows those of what it comes by. */
const mostReferences = 500;
/** Calls that narrowing down may take, before the search goes on without. */
const callsToNarrow = 100;

const nameOf = (condition: Condition): string =>
  condition.kind === 'list' ? '_list' : 'name' in condition ? condition.name : condition.kind;

/**
 * What conditions ask of other records: chains, `_has`, `_list`, hierarchies. References are followed either way. Where the records behind them are
 * indexed, they are found first and lead to what refers to them; else they are read for what the search comes by, some at a time.
 * Every record on the way is one that the caller may find.
 */
export class Joins {
  readonly #run: Run;
  readonly #finding: Finding;
  /** Lookups that are answered once and for all. */
  readonly #complete = new Set<Chain | Has>();
  /** Charts that were read for what refers to their records, and what that is by the name that it refers to, without its body. */
  readonly #readIn = new Map<Has, { readonly charts: Set<string>; readonly byName: Map<string, StoredRecord[]> }>();
  /** What each lookup was asked about. */
  readonly #asked = new Map<Chain | Has, Set<string>>();

  constructor(run: Run, finding: Finding) {
    this.#run = run;
    this.#finding = finding;
    run.lookUp = (recordType, held, conditions) => this.#lookUp(recordType, held, conditions);
  }

  /** Prepares for these conditions: everything they look up has an answer, so far an empty one; lists and hierarchies have theirs. */
  async begin(conditions: readonly Condition[]): Promise<void> {
    for (const lookup of lookupsOf(conditions)) {
      const found = new Set<string>();
      this.#run.lookups.set(lookup, found);
      if ('type' in lookup) for (const name of await this.#throughHierarchy(lookup)) found.add(name);
      else if (lookup.kind === 'list') for (const name of await this.#listed(lookup)) found.add(name);
    }
  }

  /** How to find the records of a type that meet the conditions: by an index, if need be one of the records that they refer to. */
  async planned(recordType: SearchType, conditions: readonly Condition[]): Promise<SearchPlan> {
    const context = this.#run.of(recordType);
    const own = await this.#finding.planSearch(context, conditions);
    if (own.indexed) return own;
    for (const condition of conditions) {
      const narrowed = await this.#narrowed(recordType, condition);
      const inward = condition.kind === 'chain';
      const plan = narrowed && (await this.#finding.planSearch(context, [narrowed], { most: mostReferences, inward }));
      // These charts are not the request's words: their logs tell of what is found there.
      if (plan?.indexed) return { ...plan, exact: false, charts: [], narrowedBy: nameOf(condition) };
    }
    return own;
  }

  /** A criterion that a record must meet if it is to meet the condition, and that may lead to an index; undefined if there is none. */
  async #narrowed(recordType: SearchType, condition: Condition): Promise<Criterion | undefined> {
    const byId = (names: readonly string[]): Criterion | undefined => {
      const parameter = recordType.parameter('_id');
      const ids = names.flatMap((name) =>
        name.startsWith(`${recordType.name}/`) ? [name.slice(recordType.name.length + 1)] : [],
      );
      return parameter && ids.length <= mostReferences
        ? {
            kind: 'criterion',
            name: '_id',
            parameter,
            modifier: undefined,
            values: ids.map((code) => ({ type: 'token', system: undefined, code })),
          }
        : undefined;
    };
    switch (condition.kind) {
      case 'list':
        return byId([...(this.#run.lookups.get(condition) ?? [])]);
      case 'chain': {
        const found = await this.#allBehind(condition, condition.targets, recordType);
        const references = found?.filter((name) => !name.includes(':')); // canonical addresses have no index
        return references && references.length <= mostReferences
          ? referringTo(condition.parameter, references)
          : undefined;
      }
      case 'has': {
        const found = await this.#allBehind(condition, [condition], recordType);
        return found && byId(found);
      }
      default:
        return undefined;
    }
  }

  /** Answers a lookup once and for all, if what is behind it is indexed and not too much. */
  async #allBehind(
    lookup: Chain | Has,
    targets: readonly { readonly resourceType: string; readonly conditions: readonly Condition[] }[],
    searched: SearchType,
  ): Promise<string[] | undefined> {
    const [run, found] = [this.#run, new Set<string>()];
    // What names the patient leads to the patient's own chart: what is found there, or counted, is told of in its log.
    const besideIt = !headsOwnChart(searched.name) && homeParameters.has(lookup.parameter.code);
    for (const { resourceType, conditions } of targets) {
      const recordType = this.#typeOf(resourceType);
      if (!recordType) continue;
      const { plan, indexed, charts } = await this.planned(recordType, conditions);
      if (!indexed) return undefined;
      for (const chart of charts) run.named.add(chart);
      const limit = run.calls + callsToNarrow;
      for await (const { record } of this.#finding.matching(run, recordType, { conditions, plan })) {
        if (record) {
          for (const name of this.#namesFor(lookup, record)) found.add(name);
          if (!besideIt) run.decidedBy(recordType, record);
        }
        if (found.size > mostReferences || run.calls > limit) return undefined;
      }
    }
    this.#complete.add(lookup);
    run.lookups.set(lookup, found);
    return [...found];
  }

  /** A type that the caller may search; its records are not there for others. */
  #typeOf(resourceType: string): SearchType | undefined {
    const recordType = this.#run.types?.get(resourceType);
    return recordType && decideType(this.#run.context.asking, 's', recordType).permit ? recordType : undefined;
  }

  /** What a record that meets the conditions behind a lookup adds to its answer. */
  #namesFor({ kind, parameter }: Chain | Has, { resource, type, id }: StoredRecord): string[] {
    if (!resource) return [];
    if (kind === 'has') return referencesOf(parameter, resource, this.#run.context.request.baseUrl);
    const { url, version } = resource;
    const address = typeof url === 'string' ? [url, ...(typeof version === 'string' ? [`${url}|${version}`] : [])] : [];
    return [`${type}/${id}`, ...address];
  }

  /** Looks up what the conditions ask of other records, for these records of a type. */
  async #lookUp(recordType: SearchType, held: readonly Held[], conditions: readonly Condition[]): Promise<void> {
    for (const lookup of beside(conditions)) {
      if ('type' in lookup || lookup.kind === 'list') continue;
      await (lookup.kind === 'chain' ? this.#follow(lookup, held) : this.#referring(lookup, recordType, held));
    }
  }

  /** Those of these names that a lookup was not asked about. */
  #unasked(lookup: Chain | Has, names: readonly string[]): string[] {
    if (this.#complete.has(lookup)) return [];
    const asked = this.#asked.get(lookup) ?? new Set();
    this.#asked.set(lookup, asked);
    const unasked = [...new Set(names)].filter((name) => !asked.has(name));
    for (const name of unasked) asked.add(name);
    return unasked;
  }

  async #follow(chain: Chain, held: readonly Held[]): Promise<void> {
    const run = this.#run;
    const { baseUrl } = run.context.request;
    const names = this.#unasked(
      chain,
      held.flatMap(({ resource }) => chainedFrom(chain, resource, baseUrl)),
    );
    const inside = held.flatMap(({ resource, container = resource }) =>
      containedBehind(chain, resource, container).map((contained) => ({ contained, container })),
    );
    for (const { resourceType, conditions } of chain.targets) {
      const recordType = this.#typeOf(resourceType);
      if (!recordType) continue;
      let within = inside.flatMap(({ contained, container }): Held[] =>
        contained.resourceType === resourceType
          ? [{ resource: contained, id: contained.id ?? '', lastUpdated: undefined, container }]
          : [],
      );
      for await (const records of this.#pagesOf(recordType, names)) {
        await run.consider(records);
        const found = records.filter((record) => run.mayFind(recordType, record));
        await this.#lookUp(recordType, [...found.flatMap(this.#run.heldOf), ...within], conditions);
        within = [];
        for (const record of found) if (this.#meets(record, conditions)) this.#add(chain, recordType, record);
      }
    }
  }

  /** Records of a type that references name, by `Type/id` and by address, some at a time. */
  async *#pagesOf(recordType: SearchType, names: readonly string[]): AsyncGenerator<readonly StoredRecord[]> {
    yield* this.#finding.namedPages(this.#run, recordType, names);
    yield await this.#finding.addressedRecords(this.#run, recordType, names);
  }

  #meets(record: StoredRecord, conditions: readonly Condition[]): boolean {
    return this.#run
      .heldOf(record)
      .some(({ resource, ...facts }) => matches(conditions, resource, this.#run.factsOf(facts)));
  }

  #add(lookup: Chain | Has, recordType: SearchType, record: StoredRecord): void {
    const found = this.#run.lookups.get(lookup);
    for (const name of this.#namesFor(lookup, record)) found?.add(name);
    this.#run.decidedBy(recordType, record);
  }

  async #referring(has: Has, recordType: SearchType, held: readonly Held[]): Promise<void> {
    const referring = this.#typeOf(has.resourceType);
    if (!referring) return;
    const records = held.filter(({ container }) => !container); // nothing refers to what stands within a record
    const names = this.#unasked(
      has,
      records.map(({ id }) => `${recordType.name}/${id}`),
    );
    if (names.length === 0) return;
    const charts = new Set(records.flatMap(({ chart }) => chart ?? []));
    const inCharts = headsOwnChart(recordType.name)
      ? undefined
      : await this.#referringIn(has, referring, [...charts], names);
    if (inCharts) return;
    const { code } = has.parameter;
    const filed = referring.registry.some(({ parameter, serves }) => parameter === code || serves.includes(code));
    if (!filed && headsOwnChart(recordType.name)) {
      // Nothing leads from these records to what refers to them: one reading of all serves whatever else the search comes by.
      this.#complete.add(has);
      for await (const record of this.#all(referring, has.conditions, has.name)) this.#add(has, referring, record);
      return;
    }
    for (let at = 0; at < names.length; at += mostQueries) {
      const some = referringTo(has.parameter, names.slice(at, at + mostQueries));
      for await (const record of this.#all(referring, [some, ...has.conditions], has.name))
        this.#add(has, referring, record);
    }
  }

  /**
   * Looks up what refers to records of charts, which all stands there: each chart is read once, whichever of its records are asked for.
   *
   * @returns false if charts do not tell of references by this parameter.
   */
  async #referringIn(
    has: Has,
    referring: SearchType,
    charts: readonly string[],
    names: readonly string[],
  ): Promise<boolean> {
    const run = this.#run;
    const { conditions, parameter } = has;
    const known = this.#readIn.get(has) ?? { charts: new Set<string>(), byName: new Map<string, StoredRecord[]>() };
    this.#readIn.set(has, known);
    const unread = charts.filter((chart) => !known.charts.has(chart));
    const plan = this.#finding.referringInCharts(run.of(referring), unread, [parameter], conditions);
    if (!plan) return false;
    for await (const { record } of unread.length > 0
      ? this.#finding.matching(run, referring, { conditions, plan })
      : []) {
      for (const name of record ? this.#namesFor(has, record) : []) {
        const others = known.byName.get(name) ?? [];
        if (record) others.push({ ...record, resource: undefined });
        known.byName.set(name, others);
      }
      run.requireAffordable(has.name);
    }
    for (const chart of unread) known.charts.add(chart);
    for (const name of names) {
      for (const record of known.byName.get(name) ?? []) {
        run.lookups.get(has)?.add(name);
        run.decidedBy(referring, record);
      }
    }
    return true;
  }

  /**
   * All records of a type that meet conditions, one after the other: nothing tells how much memory all of them would take.
   *
   * @throws RecordError `too-costly`, naming the parameter, if there is too much to read.
   */
  async *#all(recordType: SearchType, conditions: readonly Condition[], name: string): AsyncGenerator<StoredRecord> {
    const { plan } = await this.planned(recordType, conditions);
    for await (const { record } of this.#finding.matching(this.#run, recordType, { conditions, plan })) {
      if (record) yield record;
      this.#run.requireAffordable(name);
    }
  }

  /** `Type/id` of what stands in the lists that a search names. */
  async #listed({ ids, functions }: InList): Promise<string[]> {
    const run = this.#run;
    const list = this.#typeOf('List');
    if (!list) return [];
    if (functions.length > 0) {
      throw new RecordError(
        'invalid',
        'Lists by function, such as $current-allergies, are not kept here; name a List by its id, or search by status, as AllergyIntolerance?clinical-status=active',
        {
          reason: 'not-supported',
          expression: '_list',
        },
      );
    }
    const lists = await this.#finding.namedRecords(
      run,
      list,
      ids.map((id) => `List/${id}`),
    );
    await run.consider(lists);
    return lists.flatMap((record) => {
      if (!record.resource) return [];
      if (!run.mayFind(list, record)) {
        run.named.add(record.chart);
        return [];
      }
      run.decidedBy(list, record);
      return listedIn(record.resource, run.context.request.baseUrl);
    });
  }

  /** `Type/id` of a record and of what is above or below it. */
  async #throughHierarchy({ name, resourceType, id, direction, by }: Hierarchy): Promise<Set<string>> {
    const run = this.#run;
    const recordType = this.#typeOf(resourceType);
    const parameter = recordType?.parameter(by);
    const found = new Set([`${resourceType}/${id}`]);
    if (!recordType || !parameter || !hierarchies[resourceType]?.includes(by)) return found;
    const { baseUrl } = run.context.request;
    const start = headsOwnChart(resourceType) ? undefined : await this.#finding.locate(run.context, resourceType, id);
    if (start) run.named.add(start.chart);
    let last = [...found];
    while (last.length > 0) {
      const next: string[] = [];
      if (direction === 'above') {
        const records = await this.#finding.namedRecords(run, recordType, last);
        await run.consider(records);
        for (const record of records) {
          if (!record.resource || !run.mayFind(recordType, record)) continue;
          run.decidedBy(recordType, record);
          next.push(...referencesOf(parameter, record.resource, baseUrl));
        }
      } else {
        for (let at = 0; at < last.length; at += mostQueries) {
          const naming = referringTo(parameter, last.slice(at, at + mostQueries));
          for await (const record of this.#all(recordType, [naming], name)) {
            run.decidedBy(recordType, record);
            next.push(`${record.type}/${record.id}`);
          }
        }
      }
      last = [...new Set(next)].filter((each) => !found.has(each));
      for (const each of last) found.add(each);
      run.requireAffordable(name);
    }
    return found;
  }
}
