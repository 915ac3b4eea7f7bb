import { sensitiveAmong } from '../access/labels.ts';
import type { Access } from '../audit/audit-trail.ts';
import { RecordError } from '../errors.ts';
import { isDead } from '../people/death.ts';
import { bookedAhead } from '../scheduling/booked-ahead.ts';
import { holdUntilUrl } from '../scheduling/extensions.ts';
import { isMissedEarly } from '../scheduling/no-show.ts';
import { linkedWith } from '../store/chart-links.ts';
import { timeKey } from '../store/ids.ts';
import { typePrefix } from '../store/keys.ts';
import type { RecordStore } from '../store/record-store.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { RequestContext } from './context.ts';
import type { PlannedWrite } from './plan-write.ts';
import { mayAccess } from './require-access.ts';

// Rules of appointments that depend on the clock and on their patients, whichever way they are written.

/** What stands against an appointment because of when it is, or for whom. */
class BookingRefused extends RecordError<'business-rule'> {
  /** `Type/id` of the record. */
  readonly owner: string;
  constructor(
    { next: { type, id } }: PlannedWrite,
    reason: 'not-begun' | 'patient-deceased',
    element: string,
    message: string,
  ) {
    super('business-rule', message, { reason, expression: `${type}.${element}` });
    this.owner = `${type}/${id}`;
  }
}

/**
 * Requires of appointments among these writes that nobody is missed before the time. An organisation's own system tells what happened elsewhere.
 *
 * @throws RecordError `business-rule`.
 */
export const requireTimely = (
  { asking, now }: Pick<RequestContext, 'asking' | 'now'>,
  plans: readonly PlannedWrite[],
): void => {
  if (asking.caller.roles.includes('system')) return;
  const early = plans.find(
    ({ next, previous }) => next.type === 'Appointment' && isMissedEarly(previous?.resource, next.resource, now),
  );
  if (early) throw new BookingRefused(early, 'not-begun', 'status', 'Nobody is missed before the time has begun');
};

/** Those of these writes by which somebody books what is ahead. What the server raises itself bears no rules for writes by hand, and is not judged. */
export const bookingsAmong = (plans: readonly PlannedWrite[], now: number): PlannedWrite[] =>
  plans.filter(({ recordType, next, previous }) => {
    if (next.type !== 'Appointment' || !recordType.requireChange) return false;
    const ahead = bookedAhead(next.resource, now);
    return ahead !== '' && ahead !== bookedAhead(previous?.resource, now);
  });

/** What is known of the patients of bookings, by their charts. */
export interface PatientsSeen {
  /** Who keeps a patient who has died. */
  readonly dead: ReadonlyMap<string, string>;
  /** Appointments around the time of the booking. */
  readonly others: ReadonlyMap<string, readonly StoredRecord[]>;
}

/** A time for the patient of a chart. */
interface Visit {
  readonly chart: string;
  readonly resource: Resource;
}
type Resource = NonNullable<StoredRecord['resource']>;

const dayMs = 24 * 3_600_000;
/** Appointments of a patient that are looked at. */
const mostOthers = 100;

/** Patients, and their appointments that begin from a day before a booking until it ends. Calls beside one another; for a patient who was merged, two more behind them. */
export const lookAtPatients = async (store: RecordStore, visits: readonly Visit[]): Promise<PatientsSeen> => {
  const byChart = Map.groupBy(visits, ({ chart }) => chart);
  const [patients, others] = await Promise.all([
    store.readMany([...byChart.keys()].map(patientIn)),
    Promise.all(
      [...byChart].map(async ([chart, times]) => [chart, await appointmentsAround(store, chart, times)] as const),
    ),
  ]);
  const seen = { dead: new Map<string, string>(), others: new Map(others) };
  await Promise.all(
    patients.map(async ({ chart, custodian, resource }) => {
      const further = resource?.['link'] === undefined ? [] : await otherChartsOf(store, chart);
      const [linked, known] = await Promise.all([
        store.readMany(further.map(patientIn)),
        Promise.all(further.map((other) => appointmentsAround(store, other, byChart.get(chart) ?? []))),
      ]);
      // Somebody who was merged has several records, and may have died in one of them.
      if ([resource, ...linked.map((other) => other.resource)].some(isDead)) seen.dead.set(chart, custodian);
      seen.others.set(chart, [...(seen.others.get(chart) ?? []), ...known.flat()]);
    }),
  );
  return seen;
};

const patientIn = (chart: string) => ({ type: 'Patient', chart, place: '' });

const otherChartsOf = async (store: RecordStore, chart: string): Promise<string[]> =>
  (await linkedWith(store, chart)).map((linked) => linked.chart).filter((other) => other !== chart);

const appointmentsAround = async (
  store: RecordStore,
  chart: string,
  visits: readonly Visit[],
): Promise<readonly StoredRecord[]> => {
  const spans = visits.map(({ resource }) => spanOf(resource));
  const between = [
    `${typePrefix('Appointment')}${timeKey(Math.min(...spans.map(({ from }) => from)) - dayMs)}`,
    `${typePrefix('Appointment')}${timeKey(Math.max(...spans.map(({ to }) => to)))}~`,
  ] as const;
  return (await store.chart(chart, 'Appointment', { between, limit: mostOthers })).items;
};

const spanOf = (resource: Resource) => {
  const { start = '', end = '' } = resource as Partial<fhir4.Appointment>;
  return { from: Date.parse(start), to: Date.parse(end) };
};

/** Charts of the patients of a booking. */
const chartsOfPlan = ({ next, furtherCharts }: PlannedWrite): string[] => [
  ...(next.place === '' ? [] : [next.chart]),
  ...furtherCharts.next,
];

/** Times for patients that were not looked at yet. */
export const visitsUnseen = (bookings: readonly PlannedWrite[]): Visit[] =>
  bookings.flatMap((plan) => {
    const { resource } = plan.next;
    return resource && !plan.calendars?.patients ? chartsOfPlan(plan).map((chart) => ({ chart, resource })) : [];
  });

/**
 * Requires that no patient of these bookings has died, as the same writes have it. Says nothing of a patient whom another organisation keeps.
 *
 * @throws RecordError `business-rule`.
 */
export const requireAlive = (
  bookings: readonly PlannedWrite[],
  plans: readonly PlannedWrite[],
  seen: PatientsSeen,
): void => {
  const written = new Map(plans.flatMap(({ next }) => (next.type === 'Patient' ? [[next.chart, next] as const] : [])));
  const isDeadIn = (plan: PlannedWrite, chart: string): boolean => {
    const patient = written.get(chart);
    const keeper = patient
      ? isDead(patient.resource) && patient.custodian
      : (plan.calendars?.patients ?? seen).dead.get(chart);
    return keeper === plan.next.custodian;
  };
  const refused = bookings.find((plan) => chartsOfPlan(plan).some((chart) => isDeadIn(plan, chart)));
  if (refused)
    throw new BookingRefused(
      refused,
      'patient-deceased',
      'participant',
      'Nothing is booked for a patient who has died',
    );
};

/** While an appointment has one of these states its patient is to be there. */
const attended: ReadonlySet<string> = new Set(['pending', 'booked', 'arrived', 'checked-in']);

/**
 * Warns of other appointments of the same patients at the same time, as far as the caller may see them. What other organisations keep takes a call for what they share.
 *
 * @returns the accesses that it tells of.
 */
export const warnOfOverlaps = async (
  context: Omit<RequestContext, 'recordType'>,
  bookings: readonly PlannedWrite[],
  plans: readonly PlannedWrite[],
  seen: PatientsSeen,
): Promise<Access[]> => {
  const written = new Set(plans.map(({ next: { type, id } }) => `${type}/${id}`));
  const overlaps = bookings.flatMap((plan) =>
    chartsOfPlan(plan).flatMap((chart) =>
      ((plan.calendars?.patients ?? seen).others.get(chart) ?? []).flatMap((record) =>
        plan.next.resource &&
        !written.has(`${record.type}/${record.id}`) &&
        isSameTime(record, plan.next.resource, context.now)
          ? [{ plan, chart, record }]
          : [],
      ),
    ),
  );
  await context.sharing.lookUp(overlaps.map(({ record }) => record));
  return overlaps
    .filter(({ plan: { recordType }, record }) => mayAccess({ ...context, recordType }, 'r', record))
    .flatMap(({ plan: { warnings }, chart, record: { type, id, labels, chart: home } }) => {
      const message = `The patient has another appointment at this time: ${type}/${id}`;
      if (!warnings.some((warning) => warning.message === message))
        warnings.push({ severity: 'warning', code: 'conflict', expression: 'Appointment.start', message });
      const told = { interaction: 'search-type', what: [`${type}/${id}`], labels: sensitiveAmong(labels) } as const;
      return [...new Set([chart, home])].map((each) => ({ ...told, chart: each }));
    });
};

/** Whether the patient of an appointment is to be there while another one lasts. A hold that has lapsed is none. */
export const isSameTime = ({ resource }: StoredRecord, booked: Resource, now: number): boolean => {
  const { status = '', extension = [] } = (resource ?? {}) as Partial<fhir4.Appointment>;
  const until = status === 'pending' ? extension.find(({ url }) => url === holdUntilUrl)?.valueInstant : undefined;
  if (!resource || !attended.has(status) || (until !== undefined && Date.parse(until) <= now)) return false;
  const [one, other] = [spanOf(resource), spanOf(booked)];
  return one.from < other.to && other.from < one.to;
};
