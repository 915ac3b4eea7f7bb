import type { Caller } from '../access/caller.ts';
import { isSupport } from '../access/support.ts';
import { AuditTrail } from '../audit/audit-trail.ts';
import type { RequestContext } from '../interactions/context.ts';
import { locate } from '../interactions/locate.ts';
import { SharedCharts } from '../interactions/shared-charts.ts';
import { View } from '../interactions/view.ts';
import type { FhirEvent } from './fhir-event.ts';
import type { Services } from './services.ts';

/** Whether somebody has a patient in context who is somebody else. What the token says opens nothing then: a grant does. */
const isProxy = ({ patient, fhirUser }: Caller): boolean => patient !== undefined && fhirUser !== `Patient/${patient}`;

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
  const proxy = isProxy(caller)
    ? await (await import('../interactions/proxies/acting.lazy.ts')).actingFor(whole, {
        person: caller.fhirUser,
        chart: own?.chart,
        policy: services.policy,
        now,
      })
    : undefined;
  const asking = {
    caller,
    chart: proxy && !proxy.basis ? undefined : own?.chart,
    ...(support ? { delegation: support.delegation } : {}),
    ...(proxy ? { proxy } : {}),
  };
  const store = support?.store ?? whole;
  const programmes = services.programmes();
  const sharing = new SharedCharts(store, asking, { policy: services.policy, programmes, now });
  const audit = new AuditTrail(store, asking, event.requestContext.requestId, now, sharing);
  const behalf = support?.delegation
    ? ({ basis: 'delegation', behalf: `Organization/${caller.organization}` } as const)
    : proxy?.basis && ({ basis: 'proxy', behalf: `Patient/${caller.patient}` } as const);
  return {
    store,
    asking,
    sharing,
    policy: services.policy,
    view: new View(asking, store, sharing, programmes),
    programmes,
    now,
    request,
    known,
    ...(support ? { hidesParameter: support.hidesParameter } : {}),
    audit: behalf ? audit.under(behalf) : audit,
  };
};
