import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import type { RowKey } from '../store/keys.ts';
import { type ReminderRow, reminderLayouts, reminderPrefix } from '../store/reminder-rows.ts';

/** `detail-type` of the event below. A later shape gets a later number; a published one is never edited. */
export const reminderDueType = 'AppointmentReminderDue.v1';

/**
 * Says that somebody is to be reminded of an appointment now, never whom, when it is or what for. Whoever reminds asks for the record, and is decided upon then. Delivered at least once: `eventId` tells
 * repeats.
 */
export const reminderDueV1 = z.strictObject({
  /** The same for every delivery of one reminder to one recipient. 64 hexadecimal digits. */
  eventId: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  appointmentId: z.string().check(z.regex(/^[A-Za-z0-9\-.]{1,64}$/)),
  /** The version that was looked at. If there is another by now, that one decides whether anybody is reminded. */
  version: z.int().check(z.positive()),
  /** When it was found to be due. UTC, to the millisecond. */
  occurredAt: z.iso.datetime({ precision: 3 }),
  /** Organisation that keeps the appointment. */
  custodian: z.string().check(z.minLength(1)),
  /** The one organisation that this event is for. */
  recipient: z.string().check(z.minLength(1)),
});

export type ReminderDue = z.infer<typeof reminderDueV1>;

/**
 * The reminder that a new row tells of; none of any other row, and none where such a row is changed or removed.
 *
 * @throws WrittenByNewerRelease, so that the change waits in the stream for a release that can tell of it.
 */
export const remindersIn = ({
  before,
  after,
}: {
  readonly before: RowKey | undefined;
  readonly after: RowKey | undefined;
}): ReminderDue[] => {
  if (before || !after?.pk.startsWith(reminderPrefix)) return [];
  const row = after as ReminderRow;
  const { organization, id, version, at } = reminderLayouts.reader(row.layout)(row);
  return [
    {
      eventId: createHash('sha256').update([reminderDueType, after.pk, after.sk].join('\n')).digest('hex'),
      appointmentId: id,
      version,
      occurredAt: new Date(at).toISOString(),
      custodian: organization,
      recipient: organization,
    },
  ];
};
