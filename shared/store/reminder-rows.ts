import { timeKey } from './ids.ts';
import type { RowKey } from './keys.ts';
import { Layouts } from './layouts.ts';

/** Of rows that say that somebody is to be reminded: by organisation. The stream tells the publisher of them; nobody reads them again. */
export const reminderPrefix = 'N#';

/** How often it is looked what is due. */
export const remindEveryMs = 15 * 60_000;

/** That a reminder of an appointment is due. Each is put once: a booking that is moved is due anew. */
export interface Reminder {
  /** The organisation that keeps the appointment. */
  readonly organization: string;
  /** Of the appointment, and its version that was looked at. */
  readonly id: string;
  readonly version: number;
  /** When it was found to be due, in milliseconds since 1970. */
  readonly at: number;
}

export interface ReminderRow extends RowKey {
  readonly [attribute: string]: unknown;
  readonly layout: 1;
  readonly id: string;
  readonly version: number;
  readonly at: number;
  /** Seconds since 1970: time to live. */
  readonly expires: number;
}

export const reminderLayouts = /* @__PURE__ */ new Layouts<(row: ReminderRow) => Reminder>('reminder', {
  1: ({ pk, id, version, at }) => ({ organization: pk.slice(reminderPrefix.length), id, version, at }),
});

/** Once the appointment has begun nobody asks any more whether its reminder was put. */
const keptAfterStartMs = 48 * 3_600_000;

/**
 * @param start - of the appointment, in milliseconds since 1970.
 * @param minutes - how long before it.
 */
export const reminderRow = (
  { organization, id, version, at }: Reminder,
  { start, minutes }: { readonly start: number; readonly minutes: number },
): ReminderRow => ({
  pk: `${reminderPrefix}${organization}`,
  sk: `${timeKey(start)}#${id}#${minutes}`,
  layout: 1,
  id,
  version,
  at,
  expires: Math.ceil((start + keptAfterStartMs) / 1_000),
});

/** Up to which moment it was looked what is due. */
export const remindedToKey: RowKey = { pk: 'N!', sk: 'N' };

export interface RemindedToRow extends RowKey {
  readonly [attribute: string]: unknown;
  readonly layout: 1;
  /** Milliseconds since 1970. */
  readonly to: number;
}

export const remindedToLayouts = /* @__PURE__ */ new Layouts<(row: RemindedToRow) => number>('remindedTo', {
  1: ({ to }) => to,
});

export const remindedToRow = (to: number): RemindedToRow => ({ ...remindedToKey, layout: 1, to });
