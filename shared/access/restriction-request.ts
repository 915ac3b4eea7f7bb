import { isDeepStrictEqual } from 'node:util';
import { RecordError } from '../errors.ts';
import { inOrder, stringifyJson } from '../fhir/json.ts';
import type { Resource } from '../fhir/resource.ts';
import type { Raised, RecordChange } from '../record-types/define-record-type.ts';
import type { RefusalCode } from '../stable-codes.ts';
import { privacyOfficers } from '../work/pools.ts';
import type { Caller } from './caller.ts';
import { compileConsent } from './compile-consent.ts';
import { type Rule, unclear } from './directive.ts';

// A patient's request to the own organisation that it restricts what its staff do with the records, as a Task. https://www.ecfr.gov/current/title-45/section-164.522

export const consentSystem = 'https://concord.example/fhir/CodeSystem/consent';
/** Of a Task: a patient asks for a restriction that the organisation may accept or reject. */
export const restrictionCode = 'requested-restriction';

const day = 24 * 60 * 60 * 1_000;
/** From these each answer may follow, and it may come back to them: see shared/work/task-moves.ts. */
const open: ReadonlySet<string> = new Set(['requested', 'received']);
/** Answered, by the server or as it was imported: over. */
const over: ReadonlySet<string> = new Set(['rejected', 'cancelled', 'completed', 'failed', 'entered-in-error']);
const shortestReason = 10;

const isRequest = (resource: Resource | undefined): boolean =>
  (resource as fhir4.Task | undefined)?.code?.coding?.some(
    ({ system, code }) => system === consentSystem && code === restrictionCode,
  ) ?? false;

/**
 * Whether a Consent asks its own custodian for something: it is active, has not lapsed, and denies what this organisation may do, or somebody who may work there. What payers are not told
 * is no request, for it binds; nor are exceptions from what others are permitted, or a policy that closes records to them. Pure.
 */
export const asksCustodian = (
  consent: fhir4.Consent,
  { custodian, baseUrl, now }: Pick<RecordChange, 'custodian' | 'baseUrl' | 'now'>,
): boolean => {
  const rule = compileConsent(consent, baseUrl);
  const own = `Organization/${custodian}`;
  const isOwn = (name: string) => name === own || name === unclear || name.startsWith('Practitioner/');
  const asks = (each: Rule, around: Around): boolean => {
    const { type, period, custodians, recipients = around.to, rules = [] } = each;
    if (period && period[1] !== null && period[1] <= now) return false;
    if (custodians && !custodians.some((name) => name === own || name === unclear)) return false;
    // What a policy closes is closed to others; what the root provision says of it, which has no type within, is the patient's own word.
    const isOfPolicy = type === 'deny' && (!consent.provision || rules.some((inner) => inner.type === undefined));
    const isOfRoot =
      type === undefined && around.by === 'deny' && (each.recipients || consent.provision?.type === 'deny');
    const denies = (type === 'deny' && !isOfPolicy) || isOfRoot;
    // Who is named within what is said to others belongs to them.
    const toOwn = recipients ? recipients.some(isOwn) && (around.to ?? recipients).some(isOwn) : around.by !== 'permit';
    return (denies && toOwn) || rules.some((inner) => asks(inner, { to: recipients, by: type ?? around.by }));
  };
  return rule !== undefined && asks(rule, { to: undefined, by: undefined });
};

/** What is said around a provision. */
interface Around {
  readonly to: readonly string[] | undefined;
  readonly by: Rule['type'] | undefined;
}

/** What a request is about: another provision is another request. */
const substanceOf = ({ scope, policyRule, provision }: fhir4.Consent) => ({ scope, policyRule, provision });

/**
 * The request that a change of a Consent makes of its custodian, as a Task for the privacy officers in the Consent's own transaction: opened once there is one, or another one; cancelled with
 * what it asks for.
 */
export const restrictionRequest = (change: RecordChange): readonly Raised[] => {
  const [before, next] = [change.before, change.next] as unknown as (fhir4.Consent | undefined)[];
  const [was, is] = [before, next].map((consent) => consent !== undefined && asksCustodian(consent, change));
  if (was && is && before && next && isDeepStrictEqual(substanceOf(before), substanceOf(next))) return [];
  const ended: Raised = { of: 'Task', changes: (task) => cancelled(task, change.name) };
  return [...(was ? [ended] : []), ...(is && next ? [{ opens: taskFor(next, change) }] : [])];
};

const taskFor = ({ patient }: fhir4.Consent, { name, custodian, now, policy }: RecordChange): Resource => {
  const until = new Date(now + policy.restrictionDays * day).toISOString();
  const task: fhir4.Task = {
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: consentSystem, code: restrictionCode, display: 'Requested restriction' }] },
    description:
      'The patient asks us to restrict what our own staff see or do. Accept it, and say how it is kept; or reject it, and say why',
    focus: { reference: name },
    ...(patient?.reference === undefined ? {} : { for: { reference: patient.reference } }),
    authoredOn: new Date(now).toISOString(),
    owner: { reference: `Organization/${custodian}` },
    performerType: [privacyOfficers],
    restriction: { period: { start: new Date(now).toISOString(), end: until } },
  };
  return task as unknown as Resource;
};

/** A request, or what was agreed on it, ends with the Consent. */
const cancelled = (resource: Resource, name: string): Resource | undefined => {
  const { focus, status } = resource as unknown as fhir4.Task;
  if (!isRequest(resource) || focus?.reference !== name || over.has(status)) return undefined;
  return { ...resource, status: 'cancelled', statusReason: { text: 'The patient no longer asks for this' } };
};

/** What is asked for, by whom and until when. */
const fixed = [
  'intent',
  'code',
  'description',
  'focus',
  'for',
  'requester',
  'authoredOn',
  'owner',
  'performerType',
  'restriction',
];

/**
 * Requires that a requested restriction goes its way, whatever writes it: privacy officers alone take it on and answer it, once, with a statement; it is neither dropped nor changed in what it
 * asks for, and cancelled with its Consent alone. It comes with the Consent: the system role alone writes one by hand, which imports what was.
 *
 * @param before - undefined for a first version.
 * @param next - undefined for a deletion.
 * @throws RecordError `forbidden`, `business-rule`.
 */
export const requireRestrictionAnswered = (
  before: Resource | undefined,
  next: Resource | undefined,
  { roles }: Caller,
): void => {
  if (!before || !isRequest(before)) {
    if (isRequest(next) && (before || !roles.includes('system')))
      throw refused('restriction-asked', 'A Consent that asks for a restriction opens its Task itself', 'Task.code');
    return;
  }
  if (!roles.includes('privacy'))
    throw new RecordError('forbidden', 'Privacy officers answer requests for restrictions', {
      reason: 'forbidden-role',
    });
  const request = before as unknown as fhir4.Task;
  const changed = next as fhir4.Task | undefined;
  if (!changed) throw refused('restriction-stays', 'A request for a restriction is kept', 'Task');
  if (over.has(request.status) || request.status === 'accepted')
    throw refused('restriction-answered', 'This request is answered, or has ended', 'Task.status');
  const other = fixed.find((element) => said(before, element) !== said(next, element));
  if (other) throw refused('restriction-changed', 'What is asked for does not change', `Task.${other}`);
  if (open.has(changed.status)) return;
  if (changed.status !== 'accepted' && changed.status !== 'rejected')
    throw refused('restriction-stays', 'A request is accepted or rejected, and not dropped', 'Task.status');
  if ((changed.statusReason?.text?.trim().length ?? 0) < shortestReason)
    throw refused(
      'restriction-needs-reason',
      'Say in statusReason how it is kept, or why it is rejected',
      'Task.statusReason',
    );
};

const said = (resource: Resource | undefined, element: string): string =>
  stringifyJson(inOrder(resource?.[element] ?? null));

const refused = (reason: RefusalCode<'business-rule'>, message: string, expression: string) =>
  new RecordError('business-rule', message, { reason, expression });
