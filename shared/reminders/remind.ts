import type { Resource } from '../fhir/resource.ts';
import { log } from '../log.ts';
import { isDead } from '../people/death.ts';
import { dateInterval } from '../search/date-range.ts';
import { linkedWith } from '../store/chart-links.ts';
import { timeKey } from '../store/ids.ts';
import { anyValue, partitionFor } from '../store/index-rows.ts';
import { organizationBehind } from '../store/purge-walk.ts';
import { putOnce } from '../store/put-once.ts';
import type { RecordStore } from '../store/record-store.ts';
import {
  type RemindedToRow,
  remindEveryMs,
  remindedToKey,
  remindedToLayouts,
  remindedToRow,
  reminderRow,
} from '../store/reminder-rows.ts';
import type { StoredRecord } from '../store/rows.ts';
import { rowsBetween } from '../store/rows-between.ts';
import { writeRows } from '../store/write-rows.ts';

const minuteMs = 60_000;
/** Appointments that are read together. */
const pageSize = 100;

export interface Due {
  /** Minutes before the start at which somebody is reminded, each a reminder of its own. */
  readonly minutes: readonly number[];
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Puts a row for each reminder that has become due since the last run: of appointments that are booked and lie ahead, of patients who live. The row is put once for an appointment, its start and
 * the lead, however often a run is repeated, and the stream tells the publisher of it. Bookings are found by the order of time in which each organisation's stand, so that a run reads what
 * becomes due and nothing else. Who books later than a lead is not reminded at that lead.
 *
 * @returns how many reminders were due.
 */
export const remind = async (store: RecordStore, { minutes, now }: Due): Promise<number> => {
  const [last] = (await store.getMany([remindedToKey])) as RemindedToRow[];
  const since = last ? remindedToLayouts.reader(last.layout)(last) : now - remindEveryMs;
  // Another run has been there already: the schedule may be told of twice, and clocks differ.
  if (since >= now) return 0;
  let due = 0;
  let failed = false;
  for (
    let keeper = await organizationBehind(store, undefined);
    keeper;
    keeper = await organizationBehind(store, keeper)
  ) {
    for (const lead of minutes) {
      const ahead = lead * minuteMs;
      try {
        due += await remindOf(store, keeper, {
          minutes: lead,
          now,
          from: Math.max(since + ahead, now),
          to: now + ahead,
        });
      } catch (error) {
        // What stands against one organisation must not keep the others' patients from being reminded. The next run looks at all again.
        log.fault('reminders of an organisation were not put', error);
        failed = true;
      }
    }
  }
  if (!failed) await writeRows(store, [remindedToRow(now)], []);
  return due;
};

interface Window {
  readonly minutes: number;
  readonly now: number;
  /** Starts behind the one and up to the other. Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
}

const remindOf = async (
  store: RecordStore,
  organization: string,
  { minutes, now, from, to }: Window,
): Promise<number> => {
  const pk = partitionFor(store, organization, 'Appointment', 'date', 'date', anyValue);
  let due = 0;
  let after: string | undefined;
  do {
    const page = await rowsBetween(store, { pk, from: timeKey(from), to: `${timeKey(to)}~`, after, limit: pageSize });
    const found = page.rows as unknown as readonly { readonly chart: string; readonly place: string }[];
    const records = await store.readMany(found.map(({ chart, place }) => ({ type: 'Appointment', chart, place })));
    const ahead = records.flatMap((record) => {
      const start = startOf(record.resource);
      return record.custodian === organization && start !== undefined && from < start && start <= to
        ? [{ record, start }]
        : [];
    });
    for (const { record, start } of await ofTheLiving(store, ahead)) {
      const { id, version } = record;
      await putOnce(store, reminderRow({ organization, id, version, at: now }, { start, minutes }));
      due++;
    }
    after = page.next;
  } while (after !== undefined);
  return due;
};

/** When an appointment begins of which somebody is to be reminded, in milliseconds since 1970. */
const startOf = (resource: Resource | undefined): number | undefined => {
  const { status, start } = (resource ?? {}) as Partial<fhir4.Appointment>;
  return status === 'booked' && start !== undefined ? dateInterval(start)?.start : undefined;
};

/** A death suspends what its organisation has booked. What others have booked for the patient, or booked since, reminds nobody either; somebody who was merged may have died in any of the records. */
const ofTheLiving = async <T extends { readonly record: StoredRecord }>(
  store: RecordStore,
  found: readonly T[],
): Promise<readonly T[]> => {
  const charts = [...new Set(found.flatMap(({ record }) => (record.place === '' ? [] : [record.chart])))];
  const patients = await store.readMany(charts.map(patientIn));
  const dead = await Promise.all(
    patients.map(async ({ chart, resource }) => {
      const linked = resource?.['link'] === undefined ? [] : await linkedWith(store, chart);
      const others = await store.readMany(linked.map((each) => patientIn(each.chart)));
      return [resource, ...others.map((other) => other.resource)].some(isDead) ? [chart] : [];
    }),
  );
  return found.filter(({ record }) => !dead.flat().includes(record.chart));
};

const patientIn = (chart: string) => ({ type: 'Patient', chart, place: '' });
