import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { RecordChange } from './change.ts';

/** Changes of one custodian's records: JSON of groups, deflated where it is long. */
export type Packed = string | Uint8Array;

/** Changes that have all of this in common: then place by place, each followed by a space and the id where a client chose that. */
type Group = readonly [
  updated: number,
  chart: string,
  type: string,
  version: number,
  change: string,
  ...places: string[],
];

/** Letters of JSON that are stored as they are: one change is shorter as it is. */
const longestPlain = 300;

const letters = { created: 'c', updated: 'u', deleted: 'd' } as const;
const kinds: Readonly<Record<string, RecordChange['change']>> = { c: 'created', u: 'updated', d: 'deleted' };

/** JSON that tells of these changes, whose custodian stands elsewhere. The same order makes the same text. */
export const groupsIn = (changes: readonly RecordChange[]): string =>
  JSON.stringify(
    [...Map.groupBy(changes, groupKey).values()].map((group): Group => {
      const [{ updated, chart, type, version, change }] = group as [RecordChange];
      const places = group.map(({ place, id }) => (id === undefined ? place : `${place} ${id}`));
      return [updated, chart, type, version, letters[change], ...places];
    }),
  );

const groupKey = ({ updated, chart, type, version, change }: RecordChange): string =>
  [updated, chart, type, version, change].join('\n');

/** Such JSON as it lies in a row. */
export const packed = (json: string): Packed => (json.length > longestPlain ? deflateRawSync(json) : json);

/** The changes again, in no order. */
export const changesPacked = (packed: Packed, custodian: string): RecordChange[] => {
  const json = typeof packed === 'string' ? packed : inflateRawSync(packed).toString();
  return (JSON.parse(json) as Group[]).flatMap(([updated, chart, type, version, letter, ...places]) =>
    places.map((text): RecordChange => {
      const [place = '', id] = text.split(' ');
      const change = kinds[letter] ?? 'updated';
      return { type, chart, place, ...(id === undefined ? {} : { id }), version, updated, custodian, change };
    }),
  );
};
