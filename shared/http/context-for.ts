import { isSupport } from '../access/support.ts';
import { AuditTrail } from '../audit/audit-trail.ts';
import type { RequestContext } from '../interactions/context.ts';
import { locate } from '../interactions/locate.ts';
import { SharedCharts } from '../interactions/shared-charts.ts';
import { View } from '../interactions/view.ts';
import type { FhirEvent } from './fhir-event.ts';
import type { Services } from './services.ts';

/** What the interactions of one request share, whatever its type. */
export const contextFor = async (event: FhirEvent, services: Services): Promise<Omit<RequestContext, 'recordType'>> => {
  const { caller, fhir: request } = event;
  if (!caller || !request) throw new Error('The request was not verified and parsed');
  const whole = await services.store();
  const known = new Map<string, never>();
  const own =
    caller.patient === undefined ? undefined : await locate({ store: whole, known }, 'Patient', caller.patient);
  const now = services.now();
  const support = isSupport(caller)
    ? await (await import('../interactions/for-support.lazy.ts')).forSupport(whole, caller, now)
    : undefined;
  const asking = { caller, chart: own?.chart, ...(support ? { delegation: support.delegation } : {}) };
  const store = support?.store ?? whole;
  const sharing = new SharedCharts(store, asking, now, services.policy);
  return {
    store,
    asking,
    sharing,
    policy: services.policy,
    view: new View(asking, store, sharing),
    now,
    request,
    known,
    ...(support ? { hidesParameter: support.hidesParameter } : {}),
    audit: new AuditTrail(store, asking, event.requestContext.requestId, now, sharing),
  };
};
