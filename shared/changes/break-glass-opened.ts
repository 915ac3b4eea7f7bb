import * as z from 'zod/mini';

/** `detail-type` of the event below. A later shape gets a later number; a published one is never edited. */
export const breakGlassOpenedType = 'BreakGlassOpened.v1';

/**
 * Tells that somebody has broken the glass of a chart, for how long and of which organisation, never who it was or why: that is in the review Task and the access log. For the organisations that keep
 * records in the chart, and for that of whoever did it. Delivered at least once: `eventId` tells repeats.
 */
export const breakGlassOpenedV1 = z.strictObject({
  /** The same for every delivery of one opening to one recipient. 64 hexadecimal digits. */
  eventId: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  /** Whose chart it is. */
  patientId: z.string().check(z.regex(/^[A-Za-z0-9\-.]{1,64}$/)),
  /** Organisation that whoever broke the glass works for. */
  organization: z.string().check(z.minLength(1)),
  /** When it was opened. UTC, to the millisecond. */
  occurredAt: z.iso.datetime({ precision: 3 }),
  /** Until when it is open. UTC, to the millisecond. */
  until: z.iso.datetime({ precision: 3 }),
  /** Organisation that keeps the patient's record. */
  custodian: z.string().check(z.minLength(1)),
  /** The one organisation that this event is for. */
  recipient: z.string().check(z.minLength(1)),
});

export type BreakGlassOpened = z.infer<typeof breakGlassOpenedV1>;
