import { RecordError } from '../../errors.ts';
import { servicesOf } from '../../scheduling/services.ts';
import type { OpenSlot } from '../../scheduling/slot-times.ts';
import type { Span } from '../../scheduling/span.ts';
import { dateInterval } from '../../search/date-range.ts';
import type { Interaction } from '../context.ts';
import { readInput } from '../operation-input.ts';
import { requireTypeAccess } from '../require-access.ts';
import { entriesOf } from '../searchset.ts';
import { freeTimesFor } from './free.ts';
import { findInput } from './input.ts';

const usualCount = 20;
const mostFound = 100;
/** What is searched if nobody says until when. */
const usualMs = 14 * 24 * 3_600_000;

/**
 * `POST Appointment/$find`: times at which all actors are there and free, as proposals that nobody keeps. Who may book is shown free time, whoever has the rest.
 *
 * @throws RecordError `forbidden`; `invalid`; `too-costly`.
 */
export const find: Interaction = async (context) => {
  requireTypeAccess(context, 'c');
  const { now } = context;
  const { start, end, actor, serviceType, minutes, _count: asked = usualCount } = readInput(context, findInput);
  const actors = actor.flatMap(({ reference }) => reference ?? []);
  if (actors.length === 0 || actors.length < actor.length)
    throw new RecordError('invalid', 'Each actor is a reference, and there is one at least', { expression: 'actor' });
  const from = Math.max(now, (start === undefined ? undefined : dateInterval(start)?.start) ?? now);
  const to = until(end) ?? from + usualMs;
  const count = Math.min(Math.max(Number(asked), 1), mostFound);
  const services = servicesOf(serviceType);
  const length = minutes === undefined ? undefined : Number(minutes);
  const { times, slots } = await freeTimesFor(context, { actors, services, minutes: length, from, to, count });
  const entry = times.map(
    (time): fhir4.BundleEntry<fhir4.Appointment> => ({
      resource: {
        resourceType: 'Appointment',
        status: 'proposed',
        ...(serviceType.length === 0 ? {} : { serviceType: [...serviceType] }),
        ...asTexts(time),
        ...slotsIn(slots, time),
        participant: actor.map((each) => ({ actor: each, status: 'needs-action' })),
      },
      search: { mode: 'match' },
    }),
  );
  return { statusCode: 200, resource: { resourceType: 'Bundle', type: 'searchset', ...entriesOf(entry) } };
};

/** A day that ends a search is part of it, an instant is not. */
const until = (end: string | undefined): number | undefined => {
  const interval = end === undefined ? undefined : dateInterval(end);
  return end?.includes('T') ? interval?.start : interval?.end;
};

/** The free Slots that a time fills. */
const slotsIn = (slots: readonly OpenSlot[], { from, to }: Span): Pick<fhir4.Appointment, 'slot'> => {
  const filled = slots.filter((slot) => slot.from < to && from < slot.to);
  return filled.length === 0 ? {} : { slot: filled.map(({ reference }) => ({ reference })) };
};

const asTexts = ({ from, to }: Span) => ({
  start: new Date(from).toISOString(),
  end: new Date(to).toISOString(),
  minutesDuration: (to - from) / 60_000,
});
