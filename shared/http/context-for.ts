import { AuditTrail } from '../audit/audit-trail.ts';
import { askingFor } from '../interactions/asking-for.ts';
import type { RequestContext } from '../interactions/context.ts';
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
  const { policy } = services;
  const now = services.now();
  const programmes = services.programmes();
  const { asking, support, proxy } = await askingFor(whole, caller, { policy, programmes, now });
  const store = support?.store ?? whole;
  const sharing = new SharedCharts(store, asking, { policy, programmes, now });
  const audit = new AuditTrail(store, asking, event.requestContext.requestId, now, sharing);
  const behalf = support?.delegation
    ? ({ basis: 'delegation', behalf: `Organization/${caller.organization}` } as const)
    : proxy?.basis && ({ basis: 'proxy', behalf: `Patient/${caller.patient}` } as const);
  return {
    store,
    asking,
    sharing,
    policy,
    view: new View(asking, store, sharing, programmes),
    programmes,
    visitsToProgrammes: new Set(),
    now,
    request,
    known,
    ...(support ? { hidesParameter: support.hidesParameter } : {}),
    audit: behalf ? audit.under(behalf) : audit,
  };
};
