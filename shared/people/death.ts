import type { Resource } from '../fhir/resource.ts';
import type { Raised, RecordChange } from '../record-types/define-record-type.ts';
import { frontDesk } from '../work/pools.ts';

// A death is a fact, and may be a mistake. What is ahead of a patient who has died is suspended in the transaction that says so, each marked with the state that it had, and comes back with the transaction
// that says otherwise.

/** Extension of what was suspended because its patient has died: the state that it had. */
export const suspendedUrl = 'https://concord.example/fhir/StructureDefinition/suspended-by-death';

/** https://terminology.hl7.org/CodeSystem-appointment-cancellation-reason.html */
const deceased: fhir4.CodeableConcept = {
  coding: [
    {
      system: 'http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason',
      code: 'pat-dec',
      display: 'Patient: Deceased',
    },
  ],
};

/** What of each type is suspended, and what it is then. */
const suspensions: Readonly<Record<Suspended, { from: readonly string[]; to: string; reason: string }>> = {
  Appointment: {
    from: ['proposed', 'pending', 'booked', 'waitlist'],
    to: 'cancelled',
    reason: 'cancelationReason',
  },
  MedicationRequest: { from: ['active'], to: 'on-hold', reason: 'statusReason' },
  CommunicationRequest: { from: ['active'], to: 'on-hold', reason: 'statusReason' },
};
const types = ['Appointment', 'MedicationRequest', 'CommunicationRequest'] as const;
type Suspended = (typeof types)[number];

/** Whether a Patient says that the person has died. */
export const isDead = (resource: Resource | undefined): boolean => {
  const { deceasedBoolean, deceasedDateTime } = (resource ?? {}) as Partial<fhir4.Patient>;
  return deceasedBoolean === true || deceasedDateTime !== undefined;
};

/**
 * What a death calls for, and what its correction does: bookings, refills and reminders are suspended, or come back. A booking comes back as a proposal, since somebody else may have its
 * time by then, with a Task for the front desk.
 */
export const deathOfPatient = ({ name, before, next, now }: RecordChange): readonly Raised[] => {
  if (next === undefined || isDead(before) === isDead(next)) return [];
  if (isDead(next)) return types.map((of) => ({ of, changes: (resource) => suspended(of, resource, now) }));
  return [
    ...types.map((of) => ({ of, changes: (resource: Resource) => restored(of, resource) })),
    { opens: bookAgain(name, now), ifChanged: isProposed },
  ];
};

const suspended = (type: Suspended, resource: Resource, now: number): Resource | undefined => {
  const { from, to, reason } = suspensions[type];
  const {
    status,
    extension = [],
    start,
  } = resource as { status?: string; extension?: fhir4.Extension[]; start?: string };
  const isOver = type === 'Appointment' && start !== undefined && Date.parse(start) <= now;
  if (status === undefined || !from.includes(status) || isOver) return undefined;
  return {
    ...resource,
    status: to,
    [reason]: deceased,
    extension: [...extension, { url: suspendedUrl, valueCode: status }],
  };
};

const restored = (type: Suspended, resource: Resource): Resource | undefined => {
  const { from, to, reason } = suspensions[type];
  const {
    status,
    extension = [],
    [reason]: because,
    ...rest
  } = resource as Resource & { status?: string; extension?: fhir4.Extension[] };
  const was = extension.find(({ url }) => url === suspendedUrl)?.valueCode;
  // Anybody who writes such a record can write the mark, too, or have another reason by now.
  if (status !== to || was === undefined || !from.includes(was) || !isByDeath(because)) return undefined;
  const kept = extension.filter(({ url }) => url !== suspendedUrl);
  return {
    ...rest,
    resourceType: resource.resourceType,
    // Its time was given back, and may be somebody else's by now.
    status: type === 'Appointment' && was !== 'waitlist' ? 'proposed' : was,
    ...(kept.length === 0 ? {} : { extension: kept }),
  };
};

const isByDeath = (reason: unknown): boolean =>
  ((reason as fhir4.CodeableConcept | undefined)?.coding ?? []).some(({ code }) => code === deceased.coding?.[0]?.code);

const isProposed = ({ resourceType, status }: Resource & { readonly status?: unknown }): boolean =>
  resourceType === 'Appointment' && status === 'proposed';

const bookAgain = (patient: string, now: number): Resource => {
  const task: fhir4.Task = {
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    description: 'This patient has not died. Bookings that were cancelled are proposals now: book them again',
    focus: { reference: patient },
    for: { reference: patient },
    authoredOn: new Date(now).toISOString(),
    performerType: [frontDesk],
  };
  return task as unknown as Resource;
};
