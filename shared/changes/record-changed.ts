import * as z from 'zod/mini';

/** EventBridge's `source` of every event that Concord sends. */
export const eventSource = 'concord.records';
/** `detail-type` of the event below. A later shape gets a later number; a published one is never edited. */
export const recordChangedType = 'RecordChanged.v1';

/**
 * Says which record changed, never what is in it. One event for each organisation that may know of the change, so nobody learns
 * from it who else treats the patient. Delivered at least once: `eventId` tells repeats.
 */
export const recordChangedV1 = z.strictObject({
  /** The same for every delivery of one change to one recipient. 64 hexadecimal digits. */
  eventId: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  recordType: z.string().check(z.regex(/^[A-Z][A-Za-z]+$/)),
  recordId: z.string().check(z.regex(/^[A-Za-z0-9\-.]{1,64}$/)),
  version: z.int().check(z.positive()),
  change: z.enum(['created', 'updated', 'deleted']),
  /** UTC, to the millisecond. */
  occurredAt: z.iso.datetime({ precision: 3 }),
  /** Organisation that keeps the record. */
  custodian: z.string().check(z.minLength(1)),
  /** The one organisation that this event is for. */
  recipient: z.string().check(z.minLength(1)),
});

export type RecordChanged = z.infer<typeof recordChangedV1>;
