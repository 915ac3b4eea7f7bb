import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import { keepersIn, openingsIn } from '../access/chart-access.ts';
import { type AccessRows, accessRowsOf } from '../store/directives.ts';
import { type DoorRow, doorLayouts } from '../store/door-rows.ts';
import { chartIn, grantPrefix } from '../store/keys.ts';
import type { Telling } from './recipients.ts';

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

/**
 * What a row tells whom that somebody has broken the glass by; nothing of any other row, and nothing of one that is only staged, or was there before. Two calls.
 *
 * @throws WrittenByNewerRelease.
 */
export const breakGlassesIn = async (
  { store }: Pick<Telling, 'store'>,
  { before, after }: { readonly before: StagedDoorRow | undefined; readonly after: StagedDoorRow | undefined },
): Promise<readonly BreakGlassOpened[]> => {
  const chart = after && chartIn(after.pk);
  if (!after || chart === undefined || !after.sk.startsWith(grantPrefix)) return [];
  if (after.tx !== undefined || (before && before.tx === undefined)) return [];
  const grant = doorLayouts.reader(after.layout)(after);
  if (grant.kind !== 'grant') return [];
  const [patient, rows] = await Promise.all([
    store.read({ type: 'Patient', chart, place: '' }),
    accessRowsOf(store, chart),
  ]);
  if (!patient) return [];
  const { organization, keeper, from, until } = grant;
  return [...concernedIn(rows, { keeper, organization })].map((recipient) => ({
    eventId: createHash('sha256')
      .update([breakGlassOpenedType, after.pk, after.sk, recipient].join('\n'))
      .digest('hex'),
    patientId: patient.id,
    organization,
    occurredAt: new Date(from).toISOString(),
    until: new Date(until).toISOString(),
    custodian: keeper,
    recipient,
  }));
};

/** Whom the breaking of a chart's glass concerns. */
const concernedIn = (
  rows: AccessRows | undefined,
  { keeper, organization }: { readonly keeper: string; readonly organization: string },
): ReadonlySet<string> => new Set([keeper, organization, ...keepersIn(openingsIn(rows?.rows ?? []))]);

/** Whether what such an event tells its recipient is still that one's business. Two calls, and one more for an id that a client chose. */
export const concernsStill = async (
  { store }: Pick<Telling, 'store'>,
  { patientId, organization, recipient }: BreakGlassOpened,
): Promise<boolean> => {
  const address = await store.locate('Patient', patientId, false);
  if (!address) return false;
  const [patient, rows] = await Promise.all([store.read(address), accessRowsOf(store, address.chart)]);
  return patient !== undefined && concernedIn(rows, { keeper: patient.custodian, organization }).has(recipient);
};

/** A row that a staged transaction may hold until it is committed. */
type StagedDoorRow = DoorRow & { readonly tx?: string };
