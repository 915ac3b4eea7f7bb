import { parseReference } from '../fhir/references.ts';
import type { Resource } from '../fhir/resource.ts';
import { dateInterval } from '../search/date-range.ts';

/** What a record asks of other organisations; see `Referral`. */
interface Asked {
  readonly to: readonly string[];
  readonly from?: number | undefined;
  readonly until?: number | undefined;
  readonly ended?: number | undefined;
  readonly names?: readonly string[] | undefined;
  readonly begins?: number | undefined;
}

interface Said {
  readonly baseUrl: string;
  /** When this version was written. */
  readonly updated: number;
  readonly first: boolean;
}

/** Orders, and not what somebody proposes or plans. https://hl7.org/fhir/R4/valueset-request-intent.html */
const orders: ReadonlySet<string> = new Set([
  'order',
  'original-order',
  'reflex-order',
  'filler-order',
  'instance-order',
]);

/** What is changed by elements that are not understood asks nothing. https://hl7.org/fhir/R4/extensibility.html#modifierExtension */
const isPlain = ({ modifierExtension, implicitRules }: Pick<fhir4.Task, 'modifierExtension' | 'implicitRules'>) =>
  modifierExtension === undefined && implicitRules === undefined;

/** Whether a request is an order, of which all is understood. */
export const isOrder = (resource: Resource): boolean => {
  const request = resource as unknown as fhir4.ServiceRequest;
  return isPlain(request) && !request.doNotPerform && orders.has(request.intent);
};

/** Organisations alone: who belongs to which is not looked up. */
const organizationsIn = (references: readonly (fhir4.Reference | undefined)[], baseUrl: string): string[] =>
  references.flatMap(({ reference = '' } = {}) => {
    const parsed = parseReference(reference, baseUrl);
    return parsed.kind === 'record' && parsed.type === 'Organization' ? [`Organization/${parsed.id}`] : [];
  });

/** Requests that something names. */
const requestsIn = (references: readonly (fhir4.Reference | undefined)[], baseUrl: string): string[] =>
  references.flatMap(({ reference = '' } = {}) => {
    const parsed = parseReference(reference, baseUrl);
    return parsed.kind === 'record' && parsed.type === 'ServiceRequest' ? [`ServiceRequest/${parsed.id}`] : [];
  });

/** Requests that a task is about. */
const requestsOf = ({ focus, basedOn = [] }: fhir4.Task, baseUrl: string) => requestsIn([focus, ...basedOn], baseUrl);

const startOf = (date: string | undefined) => (date === undefined ? undefined : dateInterval(date)?.start);
const endOf = (date: string | undefined) => (date === undefined ? undefined : dateInterval(date)?.end);

/** What was done before this server knew of it opens nothing. */
const state = (done: boolean, { updated, first }: Said): Pick<Asked, 'ended'> | undefined => {
  if (!done) return {};
  return first ? undefined : { ended: updated };
};

/** A referral: an order to another organisation. https://hl7.org/fhir/R4/servicerequest.html */
export const referralIn = (resource: Resource, said: Said): Asked | undefined => {
  const request = resource as unknown as fhir4.ServiceRequest;
  const { status, performer = [], occurrencePeriod, authoredOn } = request;
  if (!isOrder(resource)) return undefined;
  if (status !== 'active' && status !== 'completed') return undefined;
  const ends = state(status === 'completed', said);
  const begins = startOf(occurrencePeriod?.start ?? authoredOn);
  return ends && { to: organizationsIn(performer, said.baseUrl), until: endOf(occurrencePeriod?.end), begins, ...ends };
};

const open: ReadonlySet<string> = new Set(['requested', 'received', 'accepted', 'ready', 'in-progress', 'on-hold']);

/** https://hl7.org/fhir/R4/codesystem-task-code.html */
const isToFulfil = ({ code }: fhir4.Task): boolean =>
  code?.coding?.some(
    (coding) => coding.system === 'http://hl7.org/fhir/CodeSystem/task-code' && coding.code === 'fulfill',
  ) ?? false;

/** Whether a task is to fulfil this request, `ServiceRequest/id`: says so, or says nothing of what is to be done with the request that it names. */
export const isToFulfilRequest = (resource: Resource, request: string, baseUrl: string): boolean => {
  const task = resource as unknown as fhir4.Task;
  return (
    (isToFulfil(task) || task.code === undefined) &&
    isPlain(task) &&
    orders.has(task.intent) &&
    requestsOf(task, baseUrl).includes(request)
  );
};

/** The same as a Task: to fulfil something. https://hl7.org/fhir/R4/task.html */
export const requestIn = (resource: Resource, said: Said): Asked | undefined => {
  const task = resource as unknown as fhir4.Task;
  const { status, intent, owner, restriction, authoredOn } = task;
  if (!isPlain(task) || !isToFulfil(task) || !orders.has(intent)) return undefined;
  if (!open.has(status) && status !== 'completed') return undefined;
  const ends = state(status === 'completed', said);
  const names = requestsOf(task, said.baseUrl);
  const begins = startOf(restriction?.period?.start ?? authoredOn);
  const until = endOf(restriction?.period?.end);
  return ends && { to: organizationsIn([owner], said.baseUrl), until, begins, names, ...ends };
};

const terminology = 'http://terminology.hl7.org/CodeSystem/';

const codesIn = ({ coding = [] }: fhir4.CodeableConcept = {}, system: string): (string | undefined)[] =>
  coding.map((each) => (each.system === `${terminology}${system}` ? each.code : undefined));

/**
 * That a patient accepts treatment by organisations: a Consent to that alone, which says no more than to whom and when. What it says besides is not
 * understood, so it opens nothing then. https://hl7.org/fhir/R4/consent.html
 */
export const acceptanceIn = (resource: Resource, { baseUrl }: Said): Asked | undefined => {
  const consent = resource as unknown as fhir4.Consent;
  const { status, scope, policyRule, provision } = consent;
  if (status !== 'active' || !isPlain(consent) || !provision) return undefined;
  if (!codesIn(scope, 'consentscope').every((code) => code === 'treatment') || !scope.coding) return undefined;
  if (policyRule && !codesIn(policyRule, 'v3-ActCode').every((code) => code === 'OPTIN')) return undefined;
  const { type, period, actor = [], ...more } = provision;
  if (type === 'deny' || Object.keys(more).length > 0) return undefined;
  if (actor.some(({ modifierExtension }) => modifierExtension !== undefined)) return undefined;
  const [from, until] = [startOf(period?.start), endOf(period?.end)];
  if (period && ((period.start && from === undefined) || (period.end && until === undefined))) return undefined;
  return {
    to: organizationsIn(
      actor.map(({ reference }) => reference),
      baseUrl,
    ),
    from,
    until,
    begins: from,
  };
};
