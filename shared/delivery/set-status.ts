import { randomUUID } from 'node:crypto';
import type { Caller } from '../access/caller.ts';
import type { Policy } from '../access/policy.ts';
import { parseScopes } from '../access/scopes.ts';
import { AuditTrail } from '../audit/audit-trail.ts';
import { RecordError } from '../errors.ts';
import type { Resource } from '../fhir/resource.ts';
import { type FhirRequest, fhirJson } from '../http/fhir-request.ts';
import type { RequestContext } from '../interactions/context.ts';
import { locate } from '../interactions/locate.ts';
import { planLabels } from '../interactions/plan-write.ts';
import { save } from '../interactions/save.ts';
import { SharedCharts } from '../interactions/shared-charts.ts';
import { View } from '../interactions/view.ts';
import { subscription } from '../record-types/subscription.ts';
import type { RecordStore } from '../store/record-store.ts';
import { type SubscriptionSettings, settingsRow } from '../store/subscriptions/settings.ts';

/** What a version by the server is written with. */
export interface StatusBackground {
  readonly store: RecordStore;
  readonly policy: Policy;
  readonly programmes: ReadonlySet<string>;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Writes the version of a Subscription that says how it stands, in the name of the organisation's system, with its trace and its settings: one read, one transaction. Nothing but its
 * status and error is another one. Where somebody else was quicker, nothing is written: what was decided is to be decided anew.
 *
 * @param error - what its reader is told went wrong.
 * @throws Error if there is no such version of it.
 */
export const setStatus = async (
  background: StatusBackground,
  settings: SubscriptionSettings,
  status: 'active' | 'error' | 'off',
  error?: string,
): Promise<void> => {
  const context = contextOf(background, settings);
  const address = await locate(context, 'Subscription', settings.id);
  const current = address && (await background.store.read(address));
  if (!current || current.version < settings.version) throw new Error('Settings are of no version of a Subscription');
  if (!current.resource || current.version !== settings.version) return;
  const { error: _before, ...said } = current.resource as unknown as fhir4.Subscription;
  const next = { ...said, status, ...(error === undefined ? {} : { error }) } as unknown as Resource;
  const plan = await planLabels(context, { ...current, resource: current.resource }, next);
  const row = settingsRow({ ...settings, version: plan.next.version, status });
  try {
    await save(context, [{ ...plan, besides: { puts: [row], removes: [] } }]);
  } catch (refusal) {
    if (!(refusal instanceof RecordError) || !['conflict', 'version-conflict'].includes(refusal.kind)) throw refusal;
  }
};

const scopes = parseScopes('system/Subscription.u');

const contextOf = (
  { store, policy, programmes, now }: StatusBackground,
  { organization, baseUrl }: SubscriptionSettings,
): RequestContext => {
  const caller: Caller = {
    subject: 'concord',
    name: 'Delivery of notifications',
    client: 'concord',
    organization,
    roles: ['system'],
    scopes,
    fhirUser: `Organization/${organization}`,
    patient: undefined,
  };
  const asking = { caller, chart: undefined };
  const sharing = new SharedCharts(store, asking, { policy, programmes, now });
  return {
    recordType: subscription,
    store,
    asking,
    sharing,
    view: new View(asking, store, sharing, programmes),
    policy,
    programmes,
    visitsToProgrammes: new Set(),
    audit: new AuditTrail(store, asking, randomUUID(), now, sharing),
    now,
    request: { ...request, baseUrl },
    known: new Map(),
  };
};

const request: Omit<FhirRequest, 'baseUrl'> = {
  method: 'PUT',
  path: [],
  query: [],
  body: undefined,
  raw: false,
  mediaType: fhirJson,
  ifMatch: undefined,
  ifNoneExist: undefined,
  ifNoneMatch: undefined,
  ifModifiedSince: undefined,
  idempotencyKey: undefined,
  prefer: { return: undefined, strict: false },
  pretty: false,
  format: fhirJson,
  wishes: [],
};
