import type { SearchType } from '../../record-types/search-type.ts';
import type { Address } from '../keys.ts';
import type { StoredRecord } from '../rows.ts';

/** One partition of the registry, and the beginning of the sort keys wanted in it, or the first and the last of them. */
export interface RegistryRange {
  readonly partition: string;
  readonly prefix: string;
  readonly between?: readonly [string, string];
}

/** How a search finds its candidates. */
export type Plan =
  | { readonly kind: 'records'; readonly addresses: readonly Address[] }
  | {
      readonly kind: 'charts';
      readonly charts: readonly string[];
      /** Whether what refers to records of the charts is wanted too. */
      readonly mentions: boolean;
      /** Sort keys between which lies all that is wanted, unless it lasts longer than its place tells. */
      readonly between?: readonly [from: string, to: string];
      /** All charts in which a plan finds a record, with or without mentions. */
      readonly chartsOf: (record: StoredRecord, mentions: boolean) => Promise<readonly string[]>;
    }
  | {
      readonly kind: 'bearers';
      readonly partitions: readonly string[];
      readonly locate: (id: string) => Promise<Address | undefined>;
    }
  | { readonly kind: 'registry'; readonly ranges: readonly RegistryRange[] }
  /** What heads its own chart. */
  | { readonly kind: 'listed'; readonly owner: string }
  /** Chart by chart of an organisation's patients. */
  | { readonly kind: 'patients'; readonly owner: string }
  /** Both, one after the other. */
  | { readonly kind: 'walk'; readonly owner: string }
  /** One after the other. No record is a candidate of two. */
  | { readonly kind: 'several'; readonly plans: readonly Plan[] };

/** Where a plan goes on: its own business, and sealed into the `next` link. */
export type Position = readonly (string | number)[];

export interface Candidate {
  /** Undefined where a plan only tells how far it has come, so that a page without a match can end too. */
  readonly record: StoredRecord | undefined;
  /** Begin here to find what follows. */
  readonly position: Position;
  /** Whether others follow that have been read with it, and take no further call. */
  readonly othersFollow?: boolean;
}

/** Types that are searched together. One plan finds records of several where it goes by id or by chart; else of the first. */
export type SearchedTypes = readonly [SearchType, ...SearchType[]];
