import { randomUUID } from 'node:crypto';
import type { Caller } from '../../access/caller.ts';
import type { Policy } from '../../access/policy.ts';
import { parseScopes } from '../../access/scopes.ts';
import { AuditTrail } from '../../audit/audit-trail.ts';
import { RecordError } from '../../errors.ts';
import { type FhirRequest, fhirJson } from '../../http/fhir-request.ts';
import { log } from '../../log.ts';
import { patient } from '../../record-types/patient.ts';
import { keepPurgeWalk, organizationBehind, purgeWalkOf } from '../../store/purge-walk.ts';
import type { RecordStore } from '../../store/record-store.ts';
import type { RequestContext } from '../context.ts';
import { SharedCharts } from '../shared-charts.ts';
import { View } from '../view.ts';
import { purgeChart } from './purge.ts';
import { type Due, dueBehind } from './purge-due.ts';

/** Pages of patients that a run walks at most, and records after which it leaves the rest to the next one. */
const mostPages = 10;
const mostRecords = 4_000;

/** What a run works with. */
export interface PurgeRun {
  readonly policy: Policy;
  readonly programmes: ReadonlySet<string>;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly pages?: number;
}

/**
 * Ends charts whose time is over, by the same rules as `$purge` and with the same traces, in the name of the organisation that keeps them. It walks all organisations' lists of patients, a bounded
 * part each run, and keeps in the table where it goes on. A chart that is held, or that something else stands against, is left to a privacy officer.
 *
 * @returns how many charts were purged.
 */
export const purgeByPolicy = async (store: RecordStore, run: PurgeRun): Promise<number> => {
  let walk = (await purgeWalkOf(store)) ?? (await startingAt(store, undefined));
  let charts = 0;
  let records = 0;
  for (let page = 0; walk && page < (run.pages ?? mostPages) && records < mostRecords; page++) {
    const { organization, after } = walk;
    const context = contextOf(store, organization, run);
    const { due, next } = await dueBehind(context, after);
    for (const each of due) {
      if (!(await purged(context, each))) continue;
      charts += 1;
      records += each.records ?? 0;
    }
    walk = next === undefined ? await startingAt(store, organization) : { organization, after: next };
    await keepPurgeWalk(store, walk);
  }
  return charts;
};

const startingAt = async (store: RecordStore, behind: string | undefined) => {
  const organization = await organizationBehind(store, behind);
  return organization === undefined ? undefined : { organization, after: undefined };
};

/** Whether a chart was purged. What stands against one must not keep the walk from the others: the next one comes by again. */
const purged = async (context: RequestContext, { patient: { id }, obstacle }: Due): Promise<boolean> => {
  if (obstacle !== undefined) return false;
  try {
    await purgeChart(context, { id, version: '', type: '' });
    return true;
  } catch (error) {
    if (!(error instanceof RecordError)) log.fault('a chart was not purged', error);
    return false;
  }
};

const scopes = parseScopes('system/Patient.d');

/** What an officer of the organisation would ask, asked by Concord. */
const contextOf = (store: RecordStore, organization: string, { policy, programmes, now }: PurgeRun): RequestContext => {
  const caller: Caller = {
    subject: 'concord',
    name: 'Retention policy',
    client: 'concord',
    organization,
    roles: ['privacy'],
    scopes,
    fhirUser: `Organization/${organization}`,
    patient: undefined,
  };
  const asking = { caller, chart: undefined };
  const sharing = new SharedCharts(store, asking, { policy, programmes, now });
  return {
    recordType: patient,
    store,
    asking,
    sharing,
    view: new View(asking, store, sharing, programmes),
    policy,
    programmes,
    visitsToProgrammes: new Set(),
    audit: new AuditTrail(store, asking, randomUUID(), now, sharing),
    now,
    request,
    known: new Map(),
  };
};

const request: FhirRequest = {
  method: 'POST',
  path: [],
  query: [],
  // Under which address clients know this server is not known here, so references by address are told apart by what they name.
  baseUrl: 'https://concord.invalid/fhir',
  body: {
    resourceType: 'Parameters',
    parameter: [{ name: 'reason', valueString: 'Its time is over by the retention policy' }],
  },
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
