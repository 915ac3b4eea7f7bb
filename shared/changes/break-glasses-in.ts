import { createHash } from 'node:crypto';
import { keepersIn, openingsIn } from '../access/chart-access.ts';
import { type AccessRows, accessRowsOf } from '../store/directives.ts';
import { doorLayouts } from '../store/door-rows.ts';
import { chartIn, grantPrefix } from '../store/keys.ts';
import { type BreakGlassOpened, breakGlassOpenedType } from './break-glass-opened.ts';
import type { Telling } from './recipients.ts';

/**
 * What a row tells whom that somebody has broken the glass by; nothing of any other row, and nothing of one that is only staged, or was there before. Two calls.
 *
 * @throws WrittenByNewerRelease.
 */
export const breakGlassesIn = async (
  { store }: Pick<Telling, 'store'>,
  { before, after }: { readonly before: Staged | undefined; readonly after: Staged | undefined },
): Promise<readonly BreakGlassOpened[]> => {
  const chart = after && chartIn(after.pk);
  if (!after || chart === undefined || !after.sk.startsWith(grantPrefix) || !('door' in after)) return [];
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
type Staged = AccessRows['rows'][number] & { readonly tx?: string };
