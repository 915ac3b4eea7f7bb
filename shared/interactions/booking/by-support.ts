import { isDeepStrictEqual } from 'node:util';
import { support } from '../../access/rules/support.ts';
import { isSensitive, isSupport } from '../../access/support.ts';
import { bookedBySupport } from '../../access/support-booking.ts';
import { forSupport, partOf } from '../../access/support-view.ts';
import { RecordError } from '../../errors.ts';
import { parseReference } from '../../fhir/references.ts';
import type { Resource } from '../../fhir/resource.ts';
import { isDead } from '../../people/death.ts';
import { factsOfType, isDirectory } from '../../record-types/subjects.ts';
import { servicesOf } from '../../scheduling/services.ts';
import type { ActorSchedule } from '../../store/actor-schedule-rows.ts';
import { schedulesOf } from '../../store/actor-schedules.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { Answer, Interaction, RequestContext } from '../context.ts';
import { locateAll } from '../locate.ts';
import { type PlannedWrite, referenceError } from '../plan-write.ts';
import { factsOfRecord } from '../security-context.ts';
import { View } from '../view.ts';
import { searchOf } from './find.ts';

// Support staff book under a delegation (docs/scheduling.md). They see a part of an appointment, so the operations work on the whole for them, take in what is on a list, and answer with the part.

/** The same operation, for support staff on whole records, and answered with what they are shown; for everybody else as it is. */
export const bySupport =
  (interaction: Interaction): Interaction =>
  async (context, target) => {
    const { caller } = context.asking;
    if (!isSupport(caller)) return interaction(context, target);
    try {
      const answer = await interaction(onWhole(context), target);
      return answeredInPart(answer, caller.fhirUser);
    } catch (error) {
      throw error instanceof RecordError ? toldToSupport(error) : error;
    }
  };

/** What reads of records, too, is of the whole: else what support staff are shown would be written over it. */
const onWhole = (context: RequestContext): RequestContext => {
  const { asking, programmes } = context;
  const store = context.store.whole;
  const sharing = context.sharing.as(asking, { store });
  return { ...context, store, sharing, view: new View(asking, store, sharing, programmes) };
};

/** `$find`, for support staff of actors that the own organisation keeps alone, and answered with what they can book as it is. */
export const findBySupport = (find: Interaction): Interaction =>
  bySupport(async (context, target) => {
    if (!isSupport(context.asking.caller)) return find(context, target);
    const { actor, anyOf } = searchOf(context);
    const named = [...actor, ...anyOf].map(({ reference = '' }) => ({ reference, expression: 'actor' }));
    await requireKnown(context, named);
    const answer = await find(context, target);
    const { entry = [] } = answer.resource as fhir4.Bundle<fhir4.Appointment>;
    const bookable = entry.map((each) => ({
      ...each,
      resource: partOf(each.resource as unknown as Resource, bookedBySupport),
    }));
    return {
      ...answer,
      resource: { ...answer.resource, ...(entry.length === 0 ? {} : { entry: bookable }) } as fhir4.Bundle,
    };
  });

const answeredInPart = (answer: Answer, fhirUser: string): Answer => {
  const { resource } = answer;
  if (resource?.resourceType !== 'Appointment') return answer;
  const { id, meta: { versionId, lastUpdated } = {} } = resource as unknown as fhir4.Appointment;
  const { resourceType, meta, ...part } = forSupport(resource as unknown as Resource, fhirUser);
  return { ...answer, resource: { resourceType, id, meta: { versionId, lastUpdated, ...meta }, ...part } as Resource };
};

/** A refusal, without what it says of who else takes part. */
const toldToSupport = (error: RecordError): RecordError => {
  if (error.reason === 'overbooking' || error.reason === 'patient-deceased') return bookingByStaff();
  if (error.reason !== 'time-taken') return error;
  const { message, details } = error;
  const free = details.filter(({ notice }) => notice);
  return new RecordError('conflict', message, {
    reason: 'time-taken',
    details: [{ message, expression: 'Appointment.start' }, ...free],
  });
};

/** One refusal for all that support staff are not shown the reason of. */
const bookingByStaff = (): RecordError =>
  new RecordError('business-rule', 'Staff who see all of it decide on this booking: send them a Task', {
    reason: 'booking-by-staff',
    expression: 'Appointment',
  });

/**
 * Requires that what support staff are to book says nothing but what they may know, and for whom it is.
 *
 * @throws RecordError `business-rule` (`beyond-support`), naming each element.
 */
export const requireGivenBySupport = ({ asking }: RequestContext, appointment: Resource): void => {
  if (!isSupport(asking.caller)) return;
  const part = partOf(appointment, bookedBySupport);
  const given = Object.entries(appointment);
  const beyond = given.flatMap(([name, value]) => (isDeepStrictEqual(value, part[name]) ? [] : [name]));
  if (!actorsOf(appointment).some(({ reference }) => /(?:^|\/)Patient\/[^/]+$/.test(reference)))
    beyond.push('participant');
  if (beyond.length === 0) return;
  throw new RecordError('business-rule', 'Support staff book people and places for a patient, and say no more', {
    reason: 'beyond-support',
    details: [...new Set(beyond)].map((name) => ({
      expression: `Appointment.${name}`,
      message: 'Support staff give status, time, service and participants by their codes and references, for a patient',
    })),
  });
};

/**
 * Requires that support staff may book this: for patients whom they see, with people and places that the own organisation keeps, for services that these
 * offer. One look, or two beside one another.
 *
 * @throws RecordError `invalid` (`reference-not-found`); `business-rule` (`beyond-support`, `booking-by-staff`).
 */
export const requireBookableBySupport = async (context: RequestContext, plan: PlannedWrite): Promise<void> => {
  const { resource } = plan.next;
  if (!resource) throw new Error('Nothing is booked');
  const patients = actorsOf(resource).filter(({ reference }) => nameIn(context, reference)?.startsWith('Patient/'));
  // What stands in an appointment that they see is no news; that somebody has died may be.
  if (plan.previous) return requireAlive(await recordsNamed(context, patients));
  const { serviceType = [] } = resource as Partial<fhir4.Appointment>;
  const services = servicesOf(serviceType);
  // A system alone names no service, and may be any words.
  const isCoded = serviceType.every(({ coding = [] }) => coding.every(({ code }) => code !== undefined));
  const named = actorsOf(resource);
  const [records, schedules] = await Promise.all([
    requireKnown(context, named),
    services.length === 0
      ? new Map<string, readonly ActorSchedule[]>()
      : schedulesOf(
          context.store,
          named.flatMap(({ reference }) => nameIn(context, reference) ?? []),
        ),
  ]);
  requireAlive(records);
  const offered = new Set([
    ...[...schedules.values()]
      .flat()
      .flatMap(({ services: own, rules }) => [...own, ...rules.flatMap((rule) => rule.services)]),
    ...records.flatMap(({ type, resource: actor }) =>
      type === 'HealthcareService' ? servicesOf((actor as Partial<fhir4.HealthcareService>).type) : [],
    ),
  ]);
  if (isCoded && services.every((service) => offered.has(service))) return;
  throw new RecordError('business-rule', 'None of those who take part offers this service', {
    reason: 'beyond-support',
    expression: 'Appointment.serviceType',
  });
};

/**
 * What support staff write, without what stands against it: that would tell of the whole. What it names in an appointment that is there is no news.
 *
 * @throws RecordError `business-rule` (`booking-by-staff`) for what they would not see afterwards.
 */
export const asSupportWrites = ({ asking }: RequestContext, plan: PlannedWrite): PlannedWrite => {
  if (!isSupport(asking.caller)) return plan;
  if (isSensitive(plan.next.labels)) throw bookingByStaff();
  return { ...plan, warnings: [], ...(plan.previous ? { checks: [] } : {}) };
};

const requireAlive = (records: readonly StoredRecord[]): void => {
  if (records.some(({ type, resource }) => type === 'Patient' && isDead(resource))) throw bookingByStaff();
};

interface Named {
  readonly reference: string;
  readonly expression: string;
}

/** Who takes part in an appointment that may have any form. */
const actorsOf = (appointment: Resource): Named[] => {
  const { participant } = appointment as { participant?: unknown };
  const all = Array.isArray(participant) ? (participant as (Partial<fhir4.AppointmentParticipant> | null)[]) : [];
  return all.flatMap((each, index) => {
    const reference: unknown = each?.actor?.reference;
    return typeof reference === 'string'
      ? [{ reference, expression: `Appointment.participant[${index}].actor.reference` }]
      : [];
  });
};

/** `Type/id` of a record of this server. */
const nameIn = ({ request }: RequestContext, reference: string): string | undefined => {
  const parsed = parseReference(reference, request.baseUrl);
  return parsed.kind === 'record' ? `${parsed.type}/${parsed.id}` : undefined;
};

const typeIn = (name: string): string => name.slice(0, name.indexOf('/'));

const recordsNamed = async (context: RequestContext, named: readonly Named[]): Promise<StoredRecord[]> => {
  const names = named.flatMap(({ reference }) => nameIn(context, reference) ?? []);
  const addresses = await Promise.all(
    [...Map.groupBy(names, typeIn)].map(([type, of]) =>
      locateAll(
        context,
        type,
        of.map((name) => name.slice(type.length + 1)),
      ),
    ),
  );
  return context.store.readMany(addresses.flat());
};

/**
 * The records that are named, if the own organisation keeps all of them and support staff may know of them.
 *
 * @throws RecordError `invalid` (`reference-not-found`).
 */
const requireKnown = async (context: RequestContext, named: readonly Named[]): Promise<StoredRecord[]> => {
  const records = await recordsNamed(context, named);
  const known = new Set(records.flatMap((record) => (isKnown(context, record) ? [`${record.type}/${record.id}`] : [])));
  const broken = named.filter(({ reference }) => !known.has(nameIn(context, reference) ?? ''));
  if (broken.length > 0) throw referenceError(broken);
  return records;
};

const isKnown = (context: RequestContext, record: StoredRecord): boolean => {
  const { asking } = context;
  if (!record.resource) return false;
  if (isDirectory(record.type)) return record.custodian === asking.caller.organization;
  const type = factsOfType(record.type);
  return (
    support({ asking, action: 'r', type, record: factsOfRecord(context, record), sharing: undefined }) === 'permit'
  );
};
