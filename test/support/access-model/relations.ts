// Care relationships, read from the records themselves and written without a look at the code that it judges (docs/access.md, "Care relationships").

/** A version of a record in the patient's chart. */
export interface ModelStep {
  readonly custodian: string;
  /** Who wrote it. */
  readonly by: 'staff' | 'patient';
  readonly resource: fhir4.ServiceRequest | fhir4.Task | fhir4.Consent | fhir4.Encounter | fhir4.Appointment;
  readonly updated: number;
  readonly version: number;
}

/** The organisation that keeps the Patient. The others are guests of the chart. */
export const modelKeeper = 'northside';

const day = 24 * 3600 * 1000;

/** Whether both sides have done something for it, and it is not over. */
export const areRelatedByModel = (
  steps: readonly ModelStep[],
  {
    reader,
    keeper,
    now,
    days,
  }: { readonly reader: string; readonly keeper: string; readonly now: number; readonly days: number },
): boolean => {
  const hasSeen = (organization: string) =>
    steps.some((step) => step.custodian === organization && now < seenUntil(step, days));
  for (const step of steps) {
    if (!isSent(step, now, days)) continue;
    const to = (name: string) => name !== step.custodian && addressees(step).includes(`Organization/${name}`);
    if ((step.by === 'patient' || step.custodian === keeper) && to(reader) && hasSeen(reader)) return true;
    if (step.by === 'staff' && step.custodian === reader && reader === modelKeeper && to(keeper) && hasSeen(keeper))
      return true;
  }
  return false;
};

const seenUntil = ({ resource, updated }: ModelStep, days: number): number => {
  if (resource.resourceType === 'Appointment')
    return ['arrived', 'checked-in', 'fulfilled'].includes(resource.status) ? updated + days * day : 0;
  if (resource.resourceType !== 'Encounter') return 0;
  if (['arrived', 'triaged', 'in-progress', 'onleave'].includes(resource.status)) return updated + 365 * day;
  if (resource.status !== 'finished') return 0;
  const end = resource.period?.end;
  return (end && endOf(end) < updated ? endOf(end) : updated) + days * day;
};

const addressees = ({ resource }: ModelStep): (string | undefined)[] => {
  if (resource.resourceType === 'ServiceRequest') return (resource.performer ?? []).map(({ reference }) => reference);
  if (resource.resourceType === 'Task') return [resource.owner?.reference];
  if (resource.resourceType === 'Consent')
    return (resource.provision?.actor ?? []).map(({ reference }) => reference.reference);
  return [];
};

const isSent = ({ resource, updated, version }: ModelStep, now: number, days: number): boolean => {
  if (resource.modifierExtension) return false;
  const done = () => version > 1 && now < updated + days * day;
  const notOver = (end: string | undefined) => !end || now < endOf(end);
  switch (resource.resourceType) {
    case 'ServiceRequest':
      if (resource.doNotPerform || !resource.intent.endsWith('order')) return false;
      if (!notOver(resource.occurrencePeriod?.end)) return false;
      return resource.status === 'active' || (resource.status === 'completed' && done());
    case 'Task':
      if (resource.code?.coding?.[0]?.code !== 'fulfill' || !resource.intent.endsWith('order')) return false;
      if (!notOver(resource.restriction?.period?.end)) return false;
      if (resource.status === 'completed') return done();
      return ['requested', 'received', 'accepted', 'ready', 'in-progress', 'on-hold'].includes(resource.status);
    case 'Consent': {
      const { scope, status, policyRule, provision } = resource;
      if (status !== 'active' || scope.coding?.length !== 1 || scope.coding[0]?.code !== 'treatment') return false;
      if (policyRule && policyRule.coding?.[0]?.code !== 'OPTIN') return false;
      if (!provision || provision.type === 'deny' || provision.class || provision.purpose) return false;
      return (!provision.period?.start || now >= Date.parse(provision.period.start)) && notOver(provision.period?.end);
    }
    default:
      return false;
  }
};

/** The first moment after a date or a time to the second. */
const endOf = (date: string): number => Date.parse(date) + (date.length === 10 ? day : 1_000);
