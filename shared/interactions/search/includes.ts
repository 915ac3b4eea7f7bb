import { decideType } from '../../access/decide.ts';
import { RecordError } from '../../errors.ts';
import { headsOwnChart } from '../../record-types/homes.ts';
import type { SearchType } from '../../record-types/search-type.ts';
import { includedFrom, revincluding } from '../../search/joins.ts';
import { matches } from '../../search/matches.ts';
import type { Criterion, Include } from '../../search/search-query.ts';
import { inParallel } from '../../store/in-parallel.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { mayAccess } from '../require-access.ts';
import { largestPageBytes } from '../searchset.ts';
import type { Finding } from './finding.ts';
import { mostQueries } from './plan.ts';
import { type Run, tooCostly } from './run.ts';

/** More than that with one page, and the page is made shorter. */
const mostIncluded = 2_000;
/** Includes that are read at once, and types and versions that one of them leads to. */
const mostAtOnce = 8;
/** Rounds of `:iterate`: each takes up what the last one has included. */
const mostRounds = 10;

/**
 * What a page includes beside its matches, each record once. What is referred to must be the caller's to read, what refers to them the caller's to
 * find. https://hl7.org/fhir/R4/search.html#include
 *
 * @returns undefined if it is more than one page can have.
 */
export const included = async (
  run: Run,
  finding: Finding,
  includes: readonly Include[],
  found: readonly StoredRecord[],
): Promise<StoredRecord[] | undefined> => {
  const others = new Map<string, StoredRecord>();
  const known = new Set(found.map(nameOf));
  let last = found;
  let bytes = 0;
  for (let round = 0; last.length > 0 && round < mostRounds; round++) {
    const applying = round === 0 ? includes : includes.filter(({ iterate }) => iterate);
    const next: StoredRecord[] = [];
    const from = last;
    const all = await inParallel(mostAtOnce, applying, async (include) =>
      include.kind === 'include'
        ? fittingOf(run, finding, include, from)
        : (await referring(run, finding, include, from)).map(named),
    );
    for (const adding of all) {
      if (!adding) return undefined;
      for (const [name, record] of adding) {
        if (known.has(name)) continue;
        known.add(name);
        others.set(name, record);
        bytes += finding.jsonBytesOf(record);
        next.push(record);
      }
      if (others.size > mostIncluded || bytes > largestPageBytes) return undefined;
    }
    last = next;
  }
  return [...others.values()];
};

const nameOf = ({ type, id }: StoredRecord): string => `${type}/${id}`;

/** A record under the name by which it is told from others: `Type/id`, with `/_history/1` for a version that is not the current one. */
type Named = readonly [name: string, StoredRecord];
const named = (record: StoredRecord): Named => [nameOf(record), record];

/** Records that these refer to; undefined if they are too large to be held together. */
const fittingOf = async (
  run: Run,
  finding: Finding,
  include: Include,
  records: readonly StoredRecord[],
): Promise<Named[] | undefined> => {
  try {
    return await referredTo(run, finding, include, records);
  } catch (error) {
    if (error instanceof RecordError && error.kind === 'too-costly') return undefined;
    throw error;
  }
};

/** Records that these refer to. */
const referredTo = async (
  run: Run,
  finding: Finding,
  include: Include,
  records: readonly StoredRecord[],
): Promise<Named[]> => {
  const { baseUrl } = run.context.request;
  const names = new Set(
    records.flatMap(({ type, resource }) => {
      const recordType = run.types?.get(type);
      return resource && recordType ? includedFrom(include, resource, recordType.searchParameters, baseUrl) : [];
    }),
  );
  const byType = Map.groupBy(
    [...names].filter((name) => !name.includes(':')),
    (name) => name.slice(0, name.indexOf('/')),
  );
  let bytes = 0;
  /** What is shown is held until all of it is there. Beside matches and included records that are known, the rest is too much for a page. */
  const shown = (name: string, record: StoredRecord): Named => {
    bytes += finding.jsonBytesOf(record);
    if (bytes > 3 * largestPageBytes) throw tooCostly('_include');
    return [name, record];
  };
  const found = await inParallel(mostAtOnce, [...byType], async ([type, ofType]): Promise<Named[]> => {
    const recordType = run.types?.get(type);
    if (!recordType) return [];
    const mayShow = (record: StoredRecord) =>
      record.resource !== undefined && mayAccess(run.of(recordType), 'r', record);
    const read = await finding.namedRecords(run, recordType, [...new Set(ofType.map(withoutVersion))]);
    await run.consider(read);
    const current = new Map(read.map(named));
    const ofOne = await inParallel(mostAtOnce, ofType, async (name): Promise<Named | undefined> => {
      const record = current.get(withoutVersion(name));
      // What is deleted, or hidden by now, is not shown as it was before.
      if (!record || !mayShow(record)) return undefined;
      const version = Number(name.split('/')[3] ?? record.version);
      const older = version === record.version ? undefined : await versionOf(run, record, version);
      return older && mayShow(older) ? shown(name, older) : shown(nameOf(record), record);
    });
    return ofOne.filter((each) => each !== undefined);
  });
  const addresses = [...names].filter((name) => name.includes(':'));
  for (const type of addresses.length > 0 ? typesWithAddress(run, include) : []) {
    if (!mayRead(run, type)) continue;
    const addressed = await finding.addressedRecords(run, type, addresses);
    found.push(addressed.filter((record) => mayAccess(run.of(type), 'r', record)).map(named));
  }
  return found.flat();
};

const withoutVersion = (name: string): string => name.replace(/\/_history\/\d+$/, '');

/** The version that a reference names, if it is there. One call. */
const versionOf = async (run: Run, record: StoredRecord, version: number): Promise<StoredRecord | undefined> => {
  run.spend();
  run.requireAffordable('_include');
  return run.context.store.readVersion(record, version);
};

const mayRead = (run: Run, type: SearchType): boolean => decideType(run.context.asking, 's', type).permit;

/** Types whose records a canonical address may name. */
const typesWithAddress = ({ types }: Run, { parameter, target }: Include): SearchType[] =>
  (target === undefined ? (parameter?.targets ?? types?.names ?? []) : [target]).flatMap((name) => {
    const type = types?.get(name);
    return type?.parameter('url')?.type === 'uri' ? [type] : [];
  });

/**
 * Begins to read what a page may include of a chart beside the page itself: what refers to its records stands there, whichever they will be.
 */
export const readAheadOf = (run: Run, finding: Finding, includes: readonly Include[], chart: string): void => {
  for (const { kind, source } of includes) {
    const recordType = kind === 'revinclude' && source !== undefined ? run.types?.get(source) : undefined;
    if (!recordType || !mayRead(run, recordType)) continue;
    const page = finding.linkedPage(run.context.store, chart, recordType.name, { mentions: true });
    page.catch(() => {}); // told where the page is looked at; a search that has failed before looks at none
    run.ahead.set(`${recordType.name} ${chart}`, page);
  }
};

/** Records that refer to these. */
const referring = async (
  run: Run,
  finding: Finding,
  include: Include,
  records: readonly StoredRecord[],
): Promise<StoredRecord[]> => {
  if (include.source === undefined) return referringFromAnywhere(run, finding, include, records);
  const recordType = run.types?.get(include.source);
  if (!recordType || !mayRead(run, recordType)) return [];
  const found = new Referring(finding);
  const { name, searchParameters } = recordType;
  for (const some of lotsOf(records)) {
    const criteria = revincluding(include, name, searchParameters, some.map(nameOf));
    if (criteria.length === 0) continue;
    const conditions = criteria.length === 1 ? criteria : [{ kind: 'any', conditions: criteria } as const];
    const context = run.of(recordType);
    const charts = some.map(({ chart }) => chart);
    const parameters = criteria.map(({ parameter }) => parameter);
    const inCharts = some.some(({ type }) => headsOwnChart(type))
      ? undefined
      : finding.referringInCharts(context, charts, parameters);
    const plan = inCharts ?? (await finding.planSearch(context, conditions)).plan;
    for await (const { record } of finding.matching(run, recordType, { conditions, plan })) {
      if (record) found.add(record);
      if (found.isTooMuch) return found.records;
      run.requireAffordable('_revinclude');
    }
  }
  return found.records;
};

/** Records for which what refers to them is read together: of as many charts as one search may name, or as many records that head their own. */
const lotsOf = (records: readonly StoredRecord[]): StoredRecord[][] => {
  const byChart = [...Map.groupBy(records, ({ chart }) => chart).values()];
  return Array.from({ length: Math.ceil(byChart.length / mostQueries) }, (_, n) =>
    byChart.slice(n * mostQueries, (n + 1) * mostQueries).flat(),
  );
};

/** What refers to the records of a page, each once. */
class Referring {
  readonly #finding: Finding;
  readonly #records = new Map<string, StoredRecord>();
  #bytes = 0;

  constructor(finding: Finding) {
    this.#finding = finding;
  }

  add(record: StoredRecord): void {
    const name = nameOf(record);
    if (this.#records.has(name)) return;
    this.#records.set(name, record);
    this.#bytes += this.#finding.jsonBytesOf(record);
  }

  /** Whatever of it is a match or included already, the rest is too much for a page. */
  get isTooMuch(): boolean {
    return this.#records.size > 2 * mostIncluded || this.#bytes > 3 * largestPageBytes;
  }

  get records(): StoredRecord[] {
    return [...this.#records.values()];
  }
}

/**
 * `_revinclude=*`: whatever refers to these records stands in their charts, as a record or a mention.
 *
 * @throws RecordError `too-costly` for what heads its own chart: everything everywhere would have to be read.
 */
const referringFromAnywhere = async (
  run: Run,
  finding: Finding,
  include: Include,
  records: readonly StoredRecord[],
): Promise<StoredRecord[]> => {
  if (records.some(({ type }) => headsOwnChart(type))) throw tooCostly('_revinclude');
  const names = records.map(nameOf);
  const criteria = new Map<string, Criterion[]>();
  const found = new Referring(finding);
  for (const chart of new Set(records.map((record) => record.chart))) {
    let after: string | undefined;
    do {
      run.spend();
      run.requireAffordable('_revinclude');
      const page = await finding.linkedPage(run.context.store, chart, undefined, { after, mentions: true }, []);
      await run.consider(page.items.map(({ record }) => record));
      for (const { record } of page.items) {
        const recordType = run.types?.get(record.type);
        if (!record.resource || !recordType || !run.mayFind(recordType, record)) continue;
        const wanted =
          criteria.get(record.type) ?? revincluding(include, record.type, recordType.searchParameters, names);
        criteria.set(record.type, wanted);
        const facts = run.factsOf({ id: record.id, lastUpdated: record.updated });
        const { resource } = record;
        if (!wanted.some((criterion) => matches([criterion], resource, facts))) continue;
        found.add(record);
      }
      if (found.isTooMuch) return found.records;
      after = page.next;
    } while (after !== undefined);
  }
  return found.records;
};
