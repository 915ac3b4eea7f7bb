import { hash } from 'node:crypto';
import { auditChainKey, type RowKey } from '../../store/keys.ts';
import { Layouts } from '../../store/layouts.ts';

/** What a link says of one row of the log: what the row held, or what became of it against all rules. */
export type Covered = readonly [place: string, hash: string, fault?: 'overwritten' | 'removed'];

/** One step of the chain of a log: the rows that one batch of the stream brought. */
export interface Link {
  readonly log: string;
  /** From 1 on, without a gap. */
  readonly number: number;
  /** Hash of the link before; empty for the first. */
  readonly previous: string;
  /** Sequence number of the stream of the last row: what comes again up to it is in the chain already. */
  readonly upTo: string;
  /** When the first of its rows was written, by the stream, in seconds since 1970. */
  readonly at: number;
  readonly covers: readonly Covered[];
  /**
   * Region whose stream brought the rows. Each region of a table counts its stream by itself, so numbers of two cannot be compared. Unknown for what stands in no stream of AWS.
   */
  readonly region?: string;
}

/** A link as it lies in the table. */
export interface LinkRow extends RowKey {
  readonly [attribute: string]: unknown;
  readonly layout: number;
  /** `previous`, `upTo`, `at` and `covers`, as a list in JSON. Its own hash stands in the next link. */
  readonly link: string;
  /** Beside the link and not in its hash: it only spares a batch from being taken twice, which would change nothing. Absent where unknown. */
  readonly region?: string;
}

const textOf = ({ previous, upTo, at, covers }: Link): string => JSON.stringify([previous, upTo, at, covers]);

/** What the next link continues: SHA-256 of all that this one says, in base 64 without padding. */
export const linkHash = (link: Link): string =>
  hash('sha256', JSON.stringify([link.log, link.number, textOf(link)]), 'base64url');

export const linkRow = (link: Link): LinkRow => ({
  ...auditChainKey(link.log, link.number),
  layout: 1,
  link: textOf(link),
  ...(link.region === undefined ? {} : { region: link.region }),
});

/** How links of each layout are read. */
export const chainLayouts = /* @__PURE__ */ new Layouts<(row: LinkRow) => Link>('chain', {
  1: ({ pk, sk, link, region }) => {
    const [previous, upTo, at, covers] = JSON.parse(link) as [string, string, number, Covered[]];
    const said = { log: pk.split('#')[1] ?? '', number: Number(sk), previous, upTo, at, covers };
    return region === undefined ? said : { ...said, region };
  },
});

/**
 * What a link says.
 *
 * @throws WrittenByNewerRelease.
 */
export const linkIn = (row: LinkRow): Link => chainLayouts.reader(row.layout)(row);
