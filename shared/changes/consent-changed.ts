import * as z from 'zod/mini';

/** `detail-type` of the event below. A later shape gets a later number; a published one is never edited. */
export const consentChangedType = 'ConsentChanged.v1';

/**
 * Tells an organisation that by a change of the patient's Consents its own system may see something of a chart, nothing any more, or other things than before: never what a Consent says, whom else
 * it is about, or who keeps what. Who had nothing and gets nothing is not told. Delivered at least once: `eventId` tells repeats.
 */
export const consentChangedV1 = z.strictObject({
  /** The same for every delivery of one change to one recipient. 64 hexadecimal digits. */
  eventId: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  /** Whose chart it is. */
  patientId: z.string().check(z.regex(/^[A-Za-z0-9\-.]{1,64}$/)),
  /** `gained`: it may see something and could see nothing before; `lost`: nothing, and something before; `changed`: something then and now, by other rules. */
  change: z.enum(['gained', 'lost', 'changed']),
  /** When that was written. UTC; known to the second. */
  occurredAt: z.iso.datetime({ precision: 3 }),
  /** The one organisation that this event is for. */
  recipient: z.string().check(z.minLength(1)),
});

export type ConsentChanged = z.infer<typeof consentChangedV1>;
