import { foldText } from '../search/fold.ts';
import { timeOfPlace } from '../store/ids.ts';
import { disclosureKey, disclosurePartition, type RowKey, suspensionKey, suspensionPrefix } from '../store/keys.ts';
import { Layouts } from '../store/layouts.ts';
import type { RecordStore } from '../store/record-store.ts';
import { rowsBetween } from '../store/rows-between.ts';
import type { AuditEntry } from './audit-row.ts';

// What the accounting of disclosures adds to the log of a chart: rows that lead to the few entries it is about, in order of the days of disclosure, so that it is
// read without the many accesses of the own staff; and what is not to be told for a time. https://www.ecfr.gov/current/title-45/section-164.528

/** A disclosure that was made outside of Concord, as somebody recorded it. */
export interface OutsideDisclosure {
  /** To whom. */
  readonly recipient: string;
  readonly address?: string;
  /** When: an R4 date or dateTime. */
  readonly date: string;
  /** What was disclosed, in short. */
  readonly description: string;
  readonly purpose: string;
}

/** That what was disclosed to an agency or official is not to be told to the patient for a time. */
export interface Suspension {
  /** The recipient as its disclosures were recorded. */
  readonly recipient?: string;
  /** Id of an Organization, whose accesses are not told either. */
  readonly organization?: string;
  /** Milliseconds since 1970. */
  readonly until: number;
  /** What the agency or official said, or the name of the document that says so. */
  readonly statement: string;
  readonly oral?: true;
}

/** Leads to an entry of the chart's log. */
export interface DisclosureRow extends RowKey {
  readonly [attribute: string]: unknown;
  readonly layout: 1;
  /** Sort key of the entry's row. */
  readonly log: string;
}

export interface SuspensionRow extends RowKey {
  readonly [attribute: string]: unknown;
  readonly layout: 1;
  readonly parties: readonly string[];
  /** Milliseconds since 1970. */
  readonly until: number;
}

export const disclosureLayouts = /* @__PURE__ */ new Layouts<(row: DisclosureRow) => string>('disclosure', {
  1: ({ log }) => log,
});

export const suspensionLayouts = /* @__PURE__ */ new Layouts<
  (row: SuspensionRow) => Pick<SuspensionRow, 'parties' | 'until'>
>('suspension', { 1: ({ parties, until }) => ({ parties, until }) });

/** @param place - made of the day of the disclosure. */
export const disclosureRow = (chart: string, place: string, log: string): DisclosureRow => ({
  ...disclosureKey(chart, place),
  layout: 1,
  log,
});

/** @param place - made of the time at which it is put up. */
export const suspensionRow = (chart: string, place: string, suspension: Suspension): SuspensionRow => ({
  ...suspensionKey(chart, place),
  layout: 1,
  parties: partiesOf(suspension),
  until: suspension.until,
});

/** Who received something, in words that do not depend on how a name was typed. */
const partiesOf = ({ recipient, organization }: Pick<Suspension, 'recipient' | 'organization'>): string[] => [
  ...(recipient === undefined ? [] : [`name ${foldText(recipient)}`]),
  ...(organization === undefined ? [] : [`organization ${organization}`]),
];

/** Whether an entry of a chart's log is one that the patient is not to be told of now. */
export type Withheld = (entry: AuditEntry) => boolean;

/**
 * What is not to be told of a chart now. What was said last of a recipient holds: a written statement takes the place of an oral one, and one whose time is over
 * ends it. One Query.
 *
 * @param now - in milliseconds since 1970.
 * @returns undefined if there is nothing.
 */
export const withheldOf = async (store: RecordStore, chart: string, now: number): Promise<Withheld | undefined> => {
  const pk = disclosurePartition(chart);
  const until = new Map<string, number>();
  let after: string | undefined;
  do {
    const page = await rowsBetween(store, { pk, from: suspensionPrefix, to: `${suspensionPrefix}~`, after });
    for (const row of page.rows) {
      const { parties, until: end } = suspensionLayouts.reader(row['layout'])(row as SuspensionRow);
      for (const party of parties) until.set(party, end);
    }
    after = page.next;
  } while (after !== undefined);
  const withheld = new Set([...until].flatMap(([party, end]) => (end > now ? [party] : [])));
  if (withheld.size === 0) return undefined;
  return ({ disclosure, suspension, organization }) =>
    [
      ...partiesOf(organization === undefined ? {} : { organization }),
      ...(disclosure ? partiesOf({ recipient: disclosure.recipient }) : []),
      ...(suspension ? partiesOf(suspension) : []),
    ].some((party) => withheld.has(party));
};

/** The day of a disclosure, in milliseconds since 1970, by its row. */
export const disclosedAt = ({ sk }: RowKey): number => timeOfPlace(sk);
