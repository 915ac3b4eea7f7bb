import type { Asking, Basis } from '../access/question.ts';
import { auditKey } from '../store/keys.ts';
import type { RecordStore } from '../store/record-store.ts';
import { type AuditEntry, type AuditedInteraction, type AuditRow, auditRow, emergency, showing } from './audit-row.ts';
import type { AccessCircumstances } from './basis.ts';
import { permittedRow, refusedRow } from './following-rows.ts';
import { logNameOf } from './log-name.ts';
import { putAccess } from './put-access.ts';

/** What happened to a chart. */
export interface Access extends AccessCircumstances {
  readonly interaction: AuditedInteraction;
  /** The chart whose log it belongs to; for what concerns no chart, the organisation's own log. */
  readonly chart: string;
  /** `Type/id` or `Type/id/_history/version` of what was touched. */
  readonly what: readonly string[];
  /** Path and query of a search, as sent. */
  readonly query?: string | undefined;
  /** What it records besides. */
  readonly records?: Pick<AuditEntry, 'disclosure' | 'suspension' | 'reason'>;
  /** Whether it is about breaking the glass. */
  readonly emergency?: boolean;
}

/** Knows by which right something was shared of a chart that another organisation keeps. */
export interface SharedBy {
  basisOf(chart: string): Basis | undefined;
}

/** Letters of a query that are kept: a row has 400 KB, and nobody reads more. */
const longestQuery = 4_000;

/** The circumstances alone, whatever else an access has, and those that say something. */
const toldOf = ({
  purpose,
  behalf,
  basis,
  operation,
  labels = [],
  outcome,
}: AccessCircumstances): AccessCircumstances => ({
  ...(purpose === undefined ? {} : { purpose }),
  ...(behalf === undefined ? {} : { behalf }),
  ...(basis === undefined ? {} : { basis }),
  ...(operation === undefined ? {} : { operation }),
  ...(labels.length === 0 ? {} : { labels }),
  ...(outcome === undefined ? {} : { outcome }),
});

/** Who is asking in which request: with an access, it makes a row. */
export class AuditTrail {
  readonly #store: RecordStore;
  readonly #asking: Asking;
  readonly #request: string;
  readonly #now: number;
  readonly #shared: SharedBy | undefined;
  readonly #circumstances: AccessCircumstances;

  constructor(
    store: RecordStore,
    asking: Asking,
    request: string,
    now: number,
    shared?: SharedBy,
    circumstances: AccessCircumstances = {},
  ) {
    this.#store = store;
    this.#shared = shared;
    this.#asking = asking;
    this.#request = request;
    this.#now = now;
    this.#circumstances = circumstances;
  }

  /** The same trail, written through another client of the same store. */
  over(store: RecordStore): AuditTrail {
    return new AuditTrail(store, this.#asking, this.#request, this.#now, this.#shared, this.#circumstances);
  }

  /** The same trail, every row of which tells this too, such as for whom the caller acts. An access may say otherwise of itself. */
  under(circumstances: AccessCircumstances): AuditTrail {
    const all = { ...this.#circumstances, ...circumstances };
    return new AuditTrail(this.#store, this.#asking, this.#request, this.#now, this.#shared, all);
  }

  /** The row of an access, to be written with what it describes. */
  row({ interaction, chart, what, query, records, emergency: is, ...circumstances }: Access): AuditRow {
    const { caller } = this.#asking;
    const basis = is === undefined ? this.#shared?.basisOf(chart) : is ? 'break-glass' : undefined;
    // What somebody writes is that one's own, whatever opened the chart.
    const shared = basis !== undefined && basis !== 'break-glass' && showing.has(interaction) ? { basis } : {};
    return auditRow(this.#store.ids, auditKey(logNameOf(this.#store, chart), this.#store.ids.newPlace(this.#now)), {
      at: this.#now,
      interaction,
      what,
      ...(query === undefined ? {} : { query: query.slice(0, longestQuery) }),
      subject: caller.subject,
      name: caller.name,
      client: caller.client,
      fhirUser: caller.fhirUser,
      roles: caller.roles,
      ...(caller.organization === undefined ? {} : { organization: caller.organization }),
      request: this.#request,
      ...records,
      ...toldOf({
        ...shared,
        ...this.#circumstances,
        ...circumstances,
        ...(basis === 'break-glass' ? emergency : {}),
      }),
    });
  }

  /**
   * Reads something while its trace is written: both take the time of one call, and neither is returned without the other.
   * `outcome` tells whether what was read may be shown; if not, a second row says so before the refusal leaves.
   *
   * @param besides - charts that what was read concerns as well, which only it tells: their rows follow, before it is shown or refused.
   * @throws whatever the read throws, and any failure to write the trace, wherever it may be written: no access without one.
   */
  async traced<T>(
    access: Access,
    read: () => Promise<T>,
    outcome: (result: T) => void,
    besides: (result: T) => Promise<readonly string[]> = async () => [],
  ): Promise<T> {
    const row = this.row(access);
    const [result] = await Promise.all([read(), putAccess(this.#store, row)]);
    const others = (await besides(result)).map((chart) => this.row({ ...access, chart }));
    await this.write(others);
    try {
      outcome(result);
    } catch (refusal) {
      await this.write([row, ...others].map(refusedRow));
      throw refusal;
    }
    await this.flag([[access.chart, row]]);
    return result;
  }

  /** Says of rows that were written before what they tell of was decided, each with its chart, by which right it was permitted where another organisation keeps it. */
  async flag(rows: readonly (readonly [chart: string, row: AuditRow | undefined])[]): Promise<void> {
    await this.write(
      rows.flatMap(([chart, row]) => {
        const basis = row && this.#shared?.basisOf(chart);
        return row && basis ? [permittedRow(row, basis)] : [];
      }),
    );
  }

  /** Writes the traces of accesses that are known only now, one row a chart, before their data leaves. */
  async record(accesses: readonly Access[]): Promise<void> {
    await this.write(accesses.map((access) => this.row(access)));
  }

  /** Writes rows that `row` and `refusedRow` made. */
  async write(rows: readonly AuditRow[]): Promise<void> {
    await Promise.all(rows.map((row) => putAccess(this.#store, row)));
  }
}
