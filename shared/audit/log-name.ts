import { createHmac } from 'node:crypto';
import { toBase32 } from '../store/base32.ts';
import type { RecordStore } from '../store/record-store.ts';

/**
 * The log of a chart. One that a client named, such as an organisation's, has another name in the log: an AuditEvent's id holds it, and
 * has 64 letters at most.
 */
export const logNameOf = (store: Pick<RecordStore, 'ids' | 'keys'>, chart: string): string =>
  store.ids.decode(chart)
    ? chart
    : toBase32(createHmac('sha256', store.keys.index).update(`log|${chart}`).digest().subarray(0, 16));
