import { createHmac } from 'node:crypto';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { Asking } from '../access/decide.ts';
import { toBase32 } from '../store/base32.ts';
import { auditKey, type RowKey } from '../store/keys.ts';
import type { RecordStore } from '../store/record-store.ts';

/** FHIR interactions that leave a trace, as codes of http://hl7.org/fhir/restful-interaction. */
export type AuditedInteraction =
  | 'create'
  | 'read'
  | 'vread'
  | 'update'
  | 'delete'
  | 'history-instance'
  | 'search-type'
  | 'operation';

/** What happened to a chart. */
export interface Access {
  readonly interaction: AuditedInteraction;
  /** The chart whose log it belongs to; for what concerns no chart, the organisation's own log. */
  readonly chart: string;
  /** `Type/id` or `Type/id/_history/version` of what was touched. */
  readonly what: readonly string[];
  /** Path and query of a search, as sent. */
  readonly query?: string | undefined;
}

/** A row of the access log. Rows are only ever added. */
export interface AuditRow extends RowKey {
  readonly [attribute: string]: unknown;
  readonly layout: 1;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly interaction: AuditedInteraction;
  readonly what: readonly string[];
  readonly query?: string;
  readonly subject: string;
  readonly name: string;
  readonly client: string;
  readonly fhirUser: string;
  readonly roles: readonly string[];
  readonly organization?: string;
  /** Ties together all rows of one request, and the request's log lines. */
  readonly request: string;
}

/** Sort key of the row that says an access, traced before it was decided, was refused or found nothing. */
export const refusedKey = (row: RowKey): RowKey => ({ pk: row.pk, sk: `${row.sk}!refused` });

/** The row that follows one whose access came to nothing. */
export const refusedRow = (row: AuditRow): AuditRow => ({ ...row, ...refusedKey(row) });

/** Letters of a query that are kept: a row has 400 KB, and nobody reads more. */
const longestQuery = 4_000;

/**
 * The log of a chart. One that a client named, such as an organisation's, has another name in the log: an AuditEvent's id holds it, and
 * has 64 letters at most.
 */
const logOf = (store: RecordStore, chart: string): string =>
  store.ids.decode(chart)
    ? chart
    : toBase32(createHmac('sha256', store.keys.index).update(`log|${chart}`).digest().subarray(0, 16));

/** Who is asking in which request: with an access, it makes a row. */
export class AuditTrail {
  readonly #store: RecordStore;
  readonly #asking: Asking;
  readonly #request: string;
  readonly #now: number;

  constructor(store: RecordStore, asking: Asking, request: string, now: number) {
    this.#store = store;
    this.#asking = asking;
    this.#request = request;
    this.#now = now;
  }

  /** The row of an access, to be written with what it describes. */
  row({ interaction, chart, what, query }: Access): AuditRow {
    const { caller } = this.#asking;
    return {
      ...auditKey(logOf(this.#store, chart), this.#store.ids.newPlace(this.#now)),
      layout: 1,
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
    };
  }

  /**
   * Reads something while its trace is written: both take the time of one call, and neither is returned without the other.
   * `outcome` tells whether what was read may be shown; if not, a second row says so before the refusal leaves.
   *
   * @throws whatever the read throws, and any failure to write the trace: no access without one.
   */
  async traced<T>(access: Access, read: () => Promise<T>, outcome: (result: T) => void): Promise<T> {
    const row = this.row(access);
    const [result] = await Promise.all([read(), this.#put(row)]);
    try {
      outcome(result);
    } catch (refusal) {
      await this.#put(refusedRow(row));
      throw refusal;
    }
    return result;
  }

  /** Writes the traces of accesses that are known only now, one row a chart, before their data leaves. */
  async record(accesses: readonly Access[]): Promise<void> {
    await this.write(accesses.map((access) => this.row(access)));
  }

  /** Writes rows that `row` and `refusedRow` made. */
  async write(rows: readonly AuditRow[]): Promise<void> {
    await Promise.all(rows.map((row) => this.#put(row)));
  }

  async #put(Item: RowKey & Record<string, unknown>): Promise<void> {
    await this.#store.client.send(
      new PutCommand({ TableName: this.#store.tableName, Item, ConditionExpression: 'attribute_not_exists(pk)' }),
    );
  }
}
