import { sensitiveAmong } from '../access/labels.ts';
import type { Access } from '../audit/audit-trail.ts';
import { RecordError } from '../errors.ts';
import { isDirectory } from '../record-types/subjects.ts';
import type { TakenTime } from '../store/calendar.ts';
import { type Commit, commit, type ExistenceCheck, type RecordWrite } from '../store/commit.ts';
import { CommitRefused } from '../store/commit-refusal.ts';
import { inParallel } from '../store/in-parallel.ts';
import { indexChanges } from '../store/index-rows.ts';
import { locatorPrefix, type Row, recordKey } from '../store/keys.ts';
import type { RecordStore } from '../store/record-store.ts';
import { worklistChanges } from '../store/worklist-rows.ts';
import { answerTo } from './answers.ts';
import { isProxy } from './asking-for.ts';
import type { Answer, RequestContext } from './context.ts';
import { notesVisits } from './label-write.ts';
import { type PlannedWrite, referenceError } from './plan-write.ts';
import { chartsBesides } from './security-context.ts';

/**
 * What a condition was decided by has changed: somebody made such a record meanwhile, or changed one that was found; or a visit that is named is one to a
 * programme (`visitsToProgrammes`). Look again.
 */
export class GuardFailed extends Error {
  override readonly name = 'GuardFailed';
}

/** Others have referred to a record since it was looked at for its deletion. Look again. */
export class ReferredMeanwhile extends Error {
  override readonly name = 'ReferredMeanwhile';
}

/** Others have the time that a record is to have. */
export class TimeTaken extends RecordError {
  /** `Type/id` of the record. */
  readonly owner: string;
  constructor(owner: string, times: readonly TakenTime[]) {
    const message = 'Somebody else has the time';
    const own = new Map(times.filter((time) => time.owner === owner).map((time) => [time.label, time]));
    super('conflict', message, {
      reason: 'time-taken',
      details: [...own.values()].map(({ actor, from, to, label }) => ({
        expression: label,
        message: `${actor} is taken from ${new Date(from).toISOString()} to ${new Date(to).toISOString()}`,
      })),
    });
    this.owner = owner;
  }
}

/** Entries of the directory are referred to by almost every record; one seen to exist need not be checked again for a while. */
const directoryCheckedForMs = 60_000;
const seenByTable = new WeakMap<RecordStore['keys'], Map<string, number>>();
const seenAtMost = 5_000;

/** The refusal of a request whose key another one bears that is under way or was quicker. */
export const overtaken = () =>
  new RecordError('conflict', 'The first request with this key is under way', {
    reason: 'request-under-way',
    expression: 'Idempotency-Key',
    headers: { 'Retry-After': '1' },
  });

/**
 * Writes records, their index rows, what they must not contradict and their audit rows: wholly or not at all.
 *
 * @param answers - what the request is answered with, kept with what it writes if it is carried out once; asked for once all that warns of it is known.
 * @throws GuardFailed; ReferredMeanwhile; TimeTaken; RecordError `version-conflict` (If-Match was given), `conflict`, `invalid` for a reference to
 *   nothing, `throttled`: nothing was written then. RecordError `incomplete`: all of it was. Any other error leaves that open.
 */
export const save = async (
  context: Omit<RequestContext, 'recordType'>,
  plans: readonly PlannedWrite[],
  answers: () => readonly Answer[] = () => plans.map((plan) => answerTo(context, plan)),
): Promise<void> => {
  const { store, request, once, visitsToProgrammes } = context;
  await requireUnrestricted(context, plans);
  if (store.isReduced && plans.some(({ previous }) => previous))
    throw new Error('What was read in part is not written back');
  let key: Row | undefined;
  const claims = (): readonly Row[] => {
    key = once?.rowFor(answers());
    return key ? [key] : [];
  };
  const sent = new Set(plans.map(({ next }) => keyText(recordKey(next))));
  const attempt = async (planned: readonly PlannedWrite[], again?: 'again'): Promise<Error | undefined> => {
    const work = await commitOf(context, planned, claims);
    try {
      await commit(store, work);
    } catch (error) {
      if (!(error instanceof CommitRefused)) throw error;
      if (error.refusals.some((refusal) => refusal.kind === 'claimed' && refusal.key.pk === key?.pk)) throw overtaken();
      const open = again ? undefined : await referringAnew(context, planned, error.refusals);
      if (open) return attempt(open, 'again');
      const isRaisedAlone = error.refusals.every(
        (refusal) => refusal.kind === 'version' && !sent.has(keyText(recordKey(refusal.write.next))),
      );
      // Others have written what these writes only call for a change of: nothing that the client sent is out of date.
      if (isRaisedAlone) return refusalOf(error, false);
      for (const refusal of error.refusals) if (refusal.kind === 'labelled') visitsToProgrammes.add(refusal.name);
      throw refusalOf(error, request.ifMatch !== undefined);
    }
    if (once) once.kept = true;
    rememberDirectory(store, work.checks, planned);
    await work.calendar?.afterwards?.();
    return undefined;
  };
  for (let tried = 1; ; tried++) {
    // What was read ahead was out of date, if this is not the first look.
    const looking = tried === 1 ? context : { ...context, ahead: undefined };
    const all = await withRaised(looking, plans);
    // What a visit to a programme calls for is the programme's too.
    const labelled = notesVisits(context, all) ? await withRaised(looking, plans) : all;
    const refusal = await attempt(await namingEachOther(context, labelled));
    if (!refusal) return;
    if (tried === mostRaised) throw refusal;
  }
};

/** How often what writes call for is planned anew where others write the same meanwhile, such as two who add to one note. */
const mostRaised = 5;

/**
 * Requires that no patient has restricted what a payer is asked for. Only who asks one now pays for the look.
 *
 * @throws RecordError `business-rule`; `too-costly` if the chart has more Consents than can be looked through.
 */
export const requireUnrestricted = async (
  context: Omit<RequestContext, 'recordType'>,
  plans: readonly PlannedWrite[],
): Promise<void> => {
  const asking = plans.filter(
    ({ recordType, next }) => next.place !== '' && next.resource && recordType.asksPayer?.(next.resource, context.now),
  );
  if (asking.length === 0) return;
  await (await import('./payer-restrictions.lazy.ts')).requireUnrestricted(context, asking, plans);
};

/** These writes, and those that they call for in their transaction. Most call for none, and cost nothing. */
const withRaised = async (
  context: Omit<RequestContext, 'recordType'>,
  plans: readonly PlannedWrite[],
): Promise<readonly PlannedWrite[]> => {
  const { now, request, policy } = context;
  const { baseUrl } = request;
  const raised = plans.flatMap((plan) => {
    const { recordType, next, previous } = plan;
    if (!recordType.raises) return [];
    const { type, id, custodian, resource } = next;
    const change = {
      name: `${type}/${id}`,
      before: previous?.resource,
      next: resource,
      custodian,
      now,
      baseUrl,
      policy,
    };
    return recordType.raises(change).map((what) => ({ what, by: plan }));
  });
  const checking = plans.filter(
    ({ recordType, next, previous }) =>
      next.place !== '' && next.resource && recordType.callsForCheck?.(previous?.resource, next.resource),
  );
  const checked =
    checking.length > 0
      ? await (await import('./order-checks/order-checks.lazy.ts')).checked(context, checking, plans)
      : { raised: [], plans };
  const all = [...raised, ...checked.raised];
  return all.length === 0 ? checked.plans : (await import('./raised.lazy.ts')).withRaised(context, checked.plans, all);
};

/**
 * The same writes, referring to what other organisations keep, and to psychotherapy notes, as far as their writer may; undefined if that does not help. Asked once a
 * commit was refused, so that who writes into charts of the own organisation pays nothing for it.
 */
export const referringAnew = async (
  context: Omit<RequestContext, 'recordType'>,
  plans: readonly PlannedWrite[],
  refusals: CommitRefused['refusals'],
): Promise<readonly PlannedWrite[] | undefined> =>
  refusals.some(({ kind }) => kind === 'missing')
    ? (await import('./referring-anew.lazy.ts')).referringAnew(context, plans)
    : undefined;

/** The same writes, saying where they name psychotherapy notes that are written with them. */
const namingEachOther = async (
  context: Omit<RequestContext, 'recordType'>,
  plans: readonly PlannedWrite[],
): Promise<readonly PlannedWrite[]> =>
  plans.length > 1 && plans.some(({ next }) => next.originators)
    ? (await import('./referring-anew.lazy.ts')).namingEachOther(context, plans)
    : plans;

/**
 * What writes come to in the store.
 *
 * @param claims - asked for once all that warns of the writes is known.
 */
export const commitOf = async (
  context: Omit<RequestContext, 'recordType'>,
  plans: readonly PlannedWrite[],
  claims: () => readonly Row[] = () => [],
): Promise<Commit> => {
  const { store, audit } = context;
  const own = new Set(plans.map(({ next }) => keyText(recordKey(next))));
  const deleted = new Set(plans.filter(({ next }) => !next.resource).map(({ next }) => keyText(recordKey(next))));
  const checks = new Map<string, ExistenceCheck>();
  for (const check of plans.flatMap((plan) => plan.checks)) {
    const key = keyText(recordKey(check.address));
    if (deleted.has(key)) throw referenceError([{ expression: check.label }]);
    if (!own.has(key) && !isFresh(store, key, check))
      checks.set(key, { ...checks.get(key), ...check, without: check.without ?? checks.get(key)?.without });
  }
  const time = plans.some(({ recordType }) => recordType.heldTime)
    ? await (await import('./calendar-changes.lazy.ts')).calendarWork(context, plans)
    : undefined;
  const accesses = [...(await accessesOf(context, plans)), ...(time?.told ?? [])];
  return {
    writes: plans.map((plan) => rowsOf(context, plan)),
    checks: [...checks.values()],
    // A chart's guard may be asked for by several, and is one row.
    unique: [...new Map(plans.flatMap(({ guards }) => guards).map((guard) => [keyText(guard.key), guard])).values()],
    upload: plans.find(({ upload }) => upload)?.upload,
    log: accesses.map((access) => audit.row(access)),
    claims: [...plans.flatMap((plan) => plan.claims), ...claims()],
    calendar: time?.calendar,
  };
};

/** A record's next version with all rows that change with it. */
const rowsOf = (
  { asking, store, request }: Omit<RequestContext, 'recordType'>,
  { recordType, next, previous, furtherCharts, besides }: PlannedWrite,
): RecordWrite => {
  const write = { next, previous };
  const { caller } = asking;
  const { patient, roles, fhirUser } = caller;
  const byProxy = isProxy(caller);
  const writer = {
    baseUrl: request.baseUrl,
    byPatient: patient !== undefined && !byProxy,
    byProxy,
    administrator: roles.includes('admin') ? fhirUser : undefined,
  };
  const changes = [
    indexChanges(store, recordType, write, furtherCharts),
    // What has no patient has no chart that it could open.
    next.place === '' ? undefined : recordType.accessRows?.(write, writer),
    recordType.grantRows?.(write, writer),
    recordType.networkRows?.(write),
    recordType.worklists && worklistChanges(store, recordType.worklists, write),
    recordType.actorRows?.(write, writer),
    besides,
  ];
  return {
    ...write,
    puts: changes.flatMap((change) => change?.puts ?? []),
    removes: changes.flatMap((change) => change?.removes ?? []),
  };
};

const keyText = ({ pk, sk }: { pk: string; sk: string }) => `${pk}\n${sk}`;

/** References that one row of the log takes at most, so that a page of the log stays readable: some 20 KB, once deflated. */
const mostReferences = 1_000;

/** Plans whose charts are looked up beside one another: a call is waited for where a Binary is under an id that a client chose. */
const lookedUpAtOnce = 8;

const accessesOf = async (
  context: Pick<RequestContext, 'known' | 'request' | 'store'>,
  plans: readonly PlannedWrite[],
): Promise<Access[]> => {
  const each = await inParallel(lookedUpAtOnce, plans, async ({ next, previous, interaction }) => {
    const both = [next, ...(previous ? [previous] : [])];
    const charts = [...both.map(({ chart }) => chart), ...(await chartsBesides(context, both))];
    const what = [`${next.type}/${next.id}/_history/${next.version}`];
    const labels = sensitiveAmong(both.flatMap((version) => version.labels));
    return [...new Set(charts)].map((chart) => ({ interaction, chart, what, labels }));
  });
  return byChart(each.flat());
};

/** One access a chart and interaction, with the labels of all that it is about: a bundle of a thousand entries leaves a readable log. */
export const byChart = (each: readonly Pick<Access, 'interaction' | 'chart' | 'what' | 'labels'>[]): Access[] => {
  const accesses = new Map<string, Access & { what: string[]; labels: string[] }>();
  for (const { interaction, chart, what, labels = [] } of each) {
    const key = `${chart} ${interaction}`;
    const access = accesses.get(key) ?? { interaction, chart, what: [], labels: [] };
    access.what.push(...what);
    access.labels.push(...labels.filter((label) => !access.labels.includes(label)));
    accesses.set(key, access);
  }
  return [...accesses.values()].flatMap((access) =>
    Array.from({ length: Math.ceil(access.what.length / mostReferences) }, (_, part) => ({
      ...access,
      what: access.what.slice(part * mostReferences, (part + 1) * mostReferences),
    })),
  );
};

/** What it means for a request that conditions of its commit did not hold. */
export const refusalOf = ({ refusals }: Pick<CommitRefused, 'refusals'>, ifMatch: boolean): Error => {
  const missing = refusals.flatMap((refusal) =>
    refusal.kind === 'missing' ? [{ expression: refusal.check.label }] : [],
  );
  if (missing.length > 0) return referenceError(missing);
  if (refusals.some(({ kind }) => kind === 'unique' || kind === 'labelled' || kind === 'changed'))
    return new GuardFailed();
  const version = refusals.find((refusal) => refusal.kind === 'version');
  const taken = refusals.flatMap((refusal) => (refusal.kind === 'taken' ? [refusal.time] : []));
  if (!version && taken[0]) return new TimeTaken(taken[0].owner, taken);
  if (!version && refusals.some(({ kind }) => kind === 'referred')) return new ReferredMeanwhile();
  if (!version && refusals.some((refusal) => refusal.kind === 'claimed' && refusal.key.pk.startsWith(locatorPrefix)))
    return new RecordError('conflict', 'This id is taken', {
      reason: 'id-taken',
    });
  const changed = version?.write.previous !== undefined;
  return ifMatch && changed
    ? new RecordError('version-conflict', 'The record has another version by now; read it again', {
        expression: 'If-Match',
      })
    : new RecordError('conflict', 'The record was written by somebody else at the same time; try again', {
        reason: 'concurrent-change',
      });
};

const seenIn = ({ keys }: RecordStore): Map<string, number> => {
  const seen = seenByTable.get(keys) ?? new Map<string, number>();
  seenByTable.set(keys, seen);
  return seen;
};

const isFresh = (store: RecordStore, key: string, check: ExistenceCheck): boolean =>
  check.custodian === undefined && (seenIn(store).get(key) ?? 0) > Date.now() - directoryCheckedForMs;

const rememberDirectory = (
  store: RecordStore,
  checks: readonly ExistenceCheck[],
  plans: readonly PlannedWrite[],
): void => {
  const seen = seenIn(store);
  if (seen.size > seenAtMost) seen.clear();
  for (const { address } of checks) {
    if (isDirectory(address.type)) seen.set(keyText(recordKey(address)), Date.now());
  }
  for (const { next, interaction } of plans) {
    if (interaction === 'delete') seen.delete(keyText(recordKey(next)));
  }
};
