import { RecordError } from '../../errors.ts';
import type { Resource } from '../../fhir/resource.ts';
import { appointmentTime } from '../../record-types/appointment-time.ts';
import { servicesOf } from '../../scheduling/services.ts';
import type { RequestContext } from '../context.ts';
import { TimeTaken } from '../save.ts';
import { freeTimesFor, mostActors } from './free.ts';

const dayMs = 24 * 3_600_000;
/** Days around the time that was wanted in which others are looked for. */
const [daysBefore, daysAfter] = [3, 28];
const offered = 3;
/** More than there are in those days, five minutes apart. */
const all = 10_000;

/**
 * Does what takes the time of an appointment. If others have it, the refusal offers the free times next to it.
 *
 * @throws RecordError `conflict` (`time-taken`); whatever else `work` throws.
 */
export const withNearest = async <T>(
  context: RequestContext,
  appointment: Resource,
  work: () => Promise<T>,
): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof TimeTaken)) throw error;
    throw new RecordError('conflict', error.message, {
      reason: 'time-taken',
      details: [...error.details, ...(await nearest(context, appointment))],
    });
  }
};

const nearest = async (context: RequestContext, appointment: Resource) => {
  const { start = '', end = '', serviceType } = appointment as Partial<fhir4.Appointment>;
  const actors = appointmentTime(appointment).map(({ actor }) => actor);
  if (new Set(actors).size > mostActors) return [];
  const wanted = Date.parse(start);
  const { times } = await freeTimesFor(context, {
    actors,
    services: servicesOf(serviceType),
    minutes: Math.max(1, Math.ceil((Date.parse(end) - wanted) / 60_000)),
    from: Math.max(context.now, wanted - daysBefore * dayMs),
    to: wanted + daysAfter * dayMs,
    count: all,
  });
  return times
    .toSorted((a, b) => Math.abs(a.from - wanted) - Math.abs(b.from - wanted))
    .slice(0, offered)
    .map(({ from, to }) => ({
      notice: true as const,
      code: 'informational',
      expression: 'Appointment.start',
      message: `Free from ${new Date(from).toISOString()} to ${new Date(to).toISOString()}`,
    }));
};
