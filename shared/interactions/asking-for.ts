import type { Caller } from '../access/caller.ts';
import type { Known } from '../access/chart-access.ts';
import type { Asking } from '../access/question.ts';
import { isSupport } from '../access/support.ts';
import type { RecordStore } from '../store/record-store.ts';
import { locate } from './locate.ts';

/** Whether somebody has a patient in context who is somebody else. What the token says opens nothing then: a grant does. */
export const isProxy = ({ patient, fhirUser }: Caller): boolean =>
  patient !== undefined && fhirUser !== `Patient/${patient}`;

/** What is looked up of a caller, now: only patients, who acts for one and support cost calls. */
export const askingFor = async (store: RecordStore, caller: Caller, { policy, programmes, now }: Known) => {
  const known = new Map<string, never>();
  const own = caller.patient === undefined ? undefined : await locate({ store, known }, 'Patient', caller.patient);
  const support = isSupport(caller)
    ? await (await import('./for-support.lazy.ts')).forSupport(store, caller, now)
    : undefined;
  const proxy = isProxy(caller)
    ? await (await import('./proxies/acting.lazy.ts')).actingFor(store, {
        person: caller.fhirUser,
        chart: own?.chart,
        policy,
        programmes,
        now,
      })
    : undefined;
  const asking: Asking & { readonly merged?: Set<string> } = {
    caller,
    chart: proxy && !proxy.basis ? undefined : own?.chart,
    ...(support ? { delegation: support.delegation } : {}),
    ...(proxy ? { proxy } : {}),
    ...(own && !proxy ? { merged: new Set<string>() } : {}),
  };
  return { asking, support, proxy };
};
