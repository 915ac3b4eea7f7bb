import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import { bodyReference, unpackBody } from '../store/body.ts';
import { changeIn, type RowChange } from '../store/feed/change.ts';
import type { IdCodec } from '../store/ids.ts';
import { type RecordRow, recordLayouts } from '../store/rows.ts';

/** `detail-type` of the event below. A later shape gets a later number; a published one is never edited. */
export const appointmentChangedType = 'AppointmentChanged.v1';

/**
 * Says what became of an appointment, never when, where, of whom or why it is: who reminds people asks for the record and is decided upon then. One for each version, beside its `RecordChanged.v1`. Delivered at
 * least once: `eventId` tells repeats.
 */
export const appointmentChangedV1 = z.strictObject({
  /** The same for every delivery of one change to one recipient. 64 hexadecimal digits. */
  eventId: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  appointmentId: z.string().check(z.regex(/^[A-Za-z0-9\-.]{1,64}$/)),
  version: z.int().check(z.positive()),
  /** `booked`: it is now and was not; `moved`: it is at another time; `cancelled`: it is booked no more; `changed`: anything else, and what is too large for its row. */
  change: z.enum(['booked', 'moved', 'cancelled', 'changed']),
  /** When the version was written. UTC, to the millisecond. */
  occurredAt: z.iso.datetime({ precision: 3 }),
  /** Organisation that keeps the record. */
  custodian: z.string().check(z.minLength(1)),
  /** The one organisation that this event is for. */
  recipient: z.string().check(z.minLength(1)),
});

export type AppointmentChanged = z.infer<typeof appointmentChangedV1>;

/**
 * What a row's change tells its recipients of an appointment, one by one; nothing of any other row.
 *
 * @param recipients - who may read the change now (recipients.ts); one event for each.
 * @throws WrittenByNewerRelease, so that the change waits in the stream for a release that can tell of it.
 */
export const appointmentChangesIn = (
  row: RowChange,
  ids: IdCodec,
  recipients: readonly string[],
): AppointmentChanged[] => {
  const found = changeIn(row);
  if (found?.type !== 'Appointment') return [];
  const { chart, place, id, version, updated, custodian } = found;
  const appointmentId = id ?? ids.idAt(chart, place);
  // Staged, the row before is the same version.
  const before = row.before && (row.before.version ?? 0) < version ? stateOf(row.before, chart) : nothing;
  const change = kindOf(before, row.after ? stateOf(row.after, chart) : nothing);
  return recipients.map((recipient) => ({
    eventId: createHash('sha256')
      .update([appointmentChangedType, appointmentId, version, recipient].join('\n'))
      .digest('hex'),
    appointmentId,
    version,
    change,
    occurredAt: new Date(updated).toISOString(),
    custodian,
    recipient,
  }));
};

/** What an appointment is, as far as the event tells it apart. */
interface State {
  readonly is: 'booked' | 'not booked' | 'over' | 'unknown';
  /** Start and end. */
  readonly at: string;
}

const nothing: State = { is: 'not booked', at: '' };
const booked: ReadonlySet<string> = new Set(['booked', 'arrived', 'checked-in']);
/** What took place, or was waited for in vain, was not cancelled. */
const over: ReadonlySet<string> = new Set(['fulfilled', 'noshow']);

const stateOf = (row: RecordRow, chart: string): State => {
  const body = bytesOf(recordLayouts.reader(row.layout)(row).body);
  if (!body) return nothing;
  // The publisher reads no objects.
  if (bodyReference(body)) return { is: 'unknown', at: '' };
  const { status = '', start = '', end = '' } = unpackBody(body, chart).resource as Partial<fhir4.Appointment>;
  return { is: booked.has(status) ? 'booked' : over.has(status) ? 'over' : 'not booked', at: `${start} ${end}` };
};

/** An event that has passed through JSON holds bytes as text. */
const bytesOf = (body: Uint8Array | string | undefined): Uint8Array | undefined =>
  typeof body === 'string' ? Buffer.from(body, 'base64') : body;

const kindOf = (before: State, after: State): AppointmentChanged['change'] => {
  if (before.is === 'unknown' || after.is === 'unknown') return 'changed';
  if (after.is === 'booked') return before.is !== 'booked' ? 'booked' : before.at === after.at ? 'changed' : 'moved';
  return before.is === 'booked' && after.is === 'not booked' ? 'cancelled' : 'changed';
};
