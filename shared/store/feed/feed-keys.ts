import type { RowKey } from '../keys.ts';

// Apart from the keys of records: only what stands behind the stream reads and writes these, and functions of record types do without them.

/** What was changed of an organisation's records, or of the network's, in order of time: one of a few partitions. */
export const feedPartition = (owner: string, shard: number) => `${feedPrefix}${owner}#${shard}`;
export const feedPrefix = 'F#';

/** What an organisation is told of, or the network, in the order of telling: rows that are numbered from 1 without a gap. */
export const sequencePartition = (owner: string) => `${sequencePrefix}${owner}`;
export const sequencePrefix = 'Q#';
export const sequenceKey = (owner: string, number: number): RowKey => ({
  pk: sequencePartition(owner),
  sk: String(number).padStart(10, '0'),
});

/** A beat of the sweeper's, which goes through the stream like any change of a record. */
export const beatKey = (name: string): RowKey => ({ pk: `${beatPrefix}${name}`, sk: 'beat' });
export const beatPrefix = 'F~';

/** Up to when the feed is complete: which beats have come through, and where something was lost. */
export const feedProgressPartition = 'F!';
export const beatsKey: RowKey = { pk: feedProgressPartition, sk: 'beats' };
export const feedGapKey = (time: string): RowKey => ({ pk: feedProgressPartition, sk: `gap#${time}` });

/** Organisations that want to be told of changes: a row each, all read together. */
export const listenersPartition = '!listeners';
export const listenerKey = (organization: string): RowKey => ({ pk: listenersPartition, sk: organization });

/** Charts whose changes are not published as they come, because one of them could not be. Behind the beats: who reads all of that meets a chart that was parked before a beat was noted. */
export const parkedPrefix = 'parked#';
export const parkedKey = (chart: string): RowKey => ({ pk: feedProgressPartition, sk: `${parkedPrefix}${chart}` });

/** What organisations were told of and did not get to see, because it could not be read. */
export const passedOverPartition = `${feedProgressPartition}later`;
export const passedOverKey = (name: string): RowKey => ({ pk: passedOverPartition, sk: name });

/** How far the look has come that compares charts with the feed. */
export const reconciliationKey: RowKey = { pk: `${feedProgressPartition}walk`, sk: 'F' };

/** Which organisations were told that they see something of a chart. Apart from the chart: who serves records does without it. */
export const toldSightsPrefix = 'V#';
export const toldSightsKey = (chart: string): RowKey => ({ pk: `${toldSightsPrefix}${chart}`, sk: 'V' });
