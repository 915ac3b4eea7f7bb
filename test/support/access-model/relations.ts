// Care relationships, read from the records themselves and written without a look at the code that it judges (docs/access.md, "Care relationships").

/** A version of a record in the patient's chart. */
export interface ModelStep {
  readonly custodian: string;
  /** Who wrote it. */
  readonly by: 'staff' | 'patient';
  readonly resource: fhir4.ServiceRequest | fhir4.Task | fhir4.Consent | fhir4.Encounter | fhir4.Appointment;
  readonly updated: number;
  readonly version: number;
  /** Written by somebody who had broken the glass. */
  readonly brokeGlass: boolean;
}

/** The organisation that keeps the Patient. The others are guests of the chart. */
export const modelKeeper = 'northside';

const day = 24 * 3600 * 1000;

/** Whether both sides have done something for it, and it is not over. The id of a step is its number. */
export const areRelatedByModel = (
  steps: readonly ModelStep[],
  {
    reader,
    keeper,
    now,
    days,
  }: { readonly reader: string; readonly keeper: string; readonly now: number; readonly days: number },
): boolean => {
  for (const [number, step] of steps.entries()) {
    if (!isSent(step, now, days)) continue;
    const hasSeen = (organization: string) =>
      steps.some(
        (visit) =>
          visit.custodian === organization && now < seenUntil(visit, days) && isForThat(visit, step, String(number)),
      );
    const to = (name: string) => name !== step.custodian && addressees(step).includes(`Organization/${name}`);
    if ((step.by === 'patient' || step.custodian === keeper) && to(reader) && hasSeen(reader)) return true;
    if (step.by === 'staff' && step.custodian === reader && reader === modelKeeper && to(keeper) && hasSeen(keeper))
      return true;
  }
  return false;
};

/** Whether a visit is what was asked for: by what it is based on, else by when it began. */
const isForThat = (visit: ModelStep, { resource: sent }: ModelStep, id: string): boolean => {
  const { basedOn = [] } = visit.resource as fhir4.Encounter | fhir4.Appointment;
  const named = basedOn.map(({ reference }) => reference);
  let own: (string | undefined)[] = [];
  let begins: string | undefined;
  let end: string | undefined;
  if (sent.resourceType === 'ServiceRequest') {
    own = [`ServiceRequest/${id}`];
    begins = sent.occurrencePeriod?.start ?? sent.authoredOn;
    end = sent.occurrencePeriod?.end;
  } else if (sent.resourceType === 'Task') {
    own = sent.focus ? [sent.focus.reference] : [];
    begins = sent.restriction?.period?.start ?? sent.authoredOn;
    end = sent.restriction?.period?.end;
  } else if (sent.resourceType === 'Consent') {
    begins = sent.provision?.period?.start;
    end = sent.provision?.period?.end;
  }
  if (own.some((name) => named.includes(name))) return true;
  if (visit.brokeGlass || (own.length > 0 && named.length > 0)) return false;
  const { resource } = visit;
  const told = resource.resourceType === 'Encounter' ? resource.period?.start : (resource as fhir4.Appointment).start;
  const start = told ? Date.parse(told) : visit.updated;
  return (!begins || start >= Date.parse(begins)) && (!end || start < endOf(end));
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
