import { isToFulfilRequest } from '../../access/referral.ts';
import type { Resource } from '../../fhir/resource.ts';
import type { ResultPart } from '../../laboratory/critical.ts';
import { criticalIn } from '../../laboratory/critical-findings.ts';
import { usualLimits } from '../../laboratory/critical-limits.ts';
import { criticalCode, isTaskFor } from '../../laboratory/critical-tasks.ts';
import {
  criticalNoMore,
  criticalTask,
  isReading,
  isToBeDone,
  resultOf,
  reviewAgain,
  reviewerIn,
  toldOfChange,
} from '../../laboratory/review-tasks.ts';
import { task } from '../../record-types/task.ts';
import { loadUnits } from '../../search/units.ts';
import { signaturesOf, signerOf } from '../../signing/signature.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { nameIn, ownerOf } from '../../work/worklists.ts';
import type { RequestContext } from '../context.ts';
import { locateAll } from '../locate.ts';
import type { PlannedWrite } from '../plan-write.ts';
import { restated } from '../restated.ts';
import { isToldOf, type Kept, tasksIn } from '../told-of-answer.ts';
import { guardedReviews, isSeen, reviewGuard } from './review-guard.ts';

/** A result that is written, and why it is looked at. */
interface ResultWritten {
  readonly result: 'new' | 'changed';
  readonly by: PlannedWrite;
}

/** What a transaction writes already. */
interface Written {
  readonly plans: readonly PlannedWrite[];
  /** `Type/id` of what the client sends, which is left as it is. */
  readonly sent: ReadonlySet<string>;
  /** The charts of the person whose chart this is. */
  readonly ofPerson: (chart: string) => Promise<readonly string[]>;
  /** Plans a record that an organisation's own system begins. */
  readonly open: (resource: Resource, custodian: string) => Promise<PlannedWrite>;
}

type Context = Omit<RequestContext, 'recordType'>;

/** A result with what is, and was, critical in it. */
interface Judged {
  readonly by: PlannedWrite;
  readonly name: string;
  readonly was: readonly ResultPart[];
  readonly is: readonly ResultPart[];
  readonly isChange: boolean;
}

const nameOf = ({ type, id }: Pick<StoredRecord, 'type' | 'id'>): string => `${type}/${id}`;
const isKept = (record: StoredRecord): record is Kept => record.resource !== undefined;

/** What was reported longer ago is no news where it is written for the first time: charts are imported as they were. */
const newsMs = 30 * 86_400_000;

/** A culture may take weeks: where a result does not say when it was issued, a report of it that is written with it does. */
const isNews = ({ next }: PlannedWrite, plans: readonly PlannedWrite[], now: number): boolean => {
  const { issued, effectiveDateTime, effectivePeriod } = (next.resource ?? {}) as fhir4.Observation;
  const [reported] = plans
    .flatMap((plan) => {
      const { issued: at } = (plan.next.resource ?? {}) as fhir4.DiagnosticReport;
      return at !== undefined && resultsIn(plan.next.resource).includes(nameOf(next)) ? [at] : [];
    })
    .sort((one, other) => Date.parse(other) - Date.parse(one));
  const told = issued ?? reported ?? effectiveDateTime ?? effectivePeriod?.end ?? effectivePeriod?.start;
  const time = told === undefined ? Number.NaN : Date.parse(told);
  return Number.isNaN(time) || time > now - newsMs;
};

/**
 * The same writes, with the Tasks that results call for. A critical one, preliminary or not, has a Task for who has asked for it: at most one that is open, whoever sends it again. One that says something else than before is
 * told to whoever is still to read it, opens a Task for each who has reviewed what it said, or signed a report of it, and is acknowledged anew if it is critical; what is critical no more is cancelled.
 *
 * A first version that is critical takes one round of reads: its order, or else the patient. A changed one takes the chart's guard, and then its Tasks and reports, a Query for each megabyte of either; none of this where it
 * was read ahead.
 */
export const withReviews = async (
  context: Context,
  results: readonly ResultWritten[],
  written: Written,
): Promise<readonly PlannedWrite[]> => {
  const units = await loadUnits();
  const limits = context.policy.criticalResults?.limits ?? usualLimits;
  // A note that is for its author alone tells nobody.
  const judged = results
    .filter(({ by }) => !by.next.originators)
    .map(({ by, result }): Judged => {
      const was = criticalIn(by.previous?.resource, limits, units);
      const is = criticalIn(by.next.resource, limits, units);
      return { by, name: nameOf(by.next), was, is, isChange: result === 'changed' };
    })
    .filter(({ by, is, isChange }) => isChange || (is.length > 0 && isNews(by, written.plans, context.now)));
  const groups = Map.groupBy(judged, ({ by }) => by.next.chart);
  let plans = written.plans;
  for (const [chart, each] of groups) plans = await inChart(context, chart, each, { ...written, plans });
  return plans;
};

const inChart = async (
  context: Context,
  chart: string,
  judged: readonly Judged[],
  written: Written,
): Promise<readonly PlannedWrite[]> => {
  const { now } = context;
  const planned = new Map(written.plans.map((plan) => [nameOf(plan.next), plan]));
  const changes = judged.filter(({ isChange }) => isChange);
  const [first] = changes;
  const ahead = first && context.ahead?.reviews?.get(chart);
  const [expected, charts = []] = ahead
    ? [ahead.guarded, ahead.charts]
    : first
      ? await Promise.all([guardedReviews(context, chart), written.ofPerson(chart)])
      : [];
  const guard = expected && reviewGuard(context, chart, expected);
  // What was read beside the row counts only if it knows of all reviews that the row tells of.
  const known =
    ahead && isSeen(ahead.guarded, { tasks: context.ahead?.tasks.get(chart) ?? [], reports: ahead.reports })
      ? ahead
      : undefined;
  const looking = known || !first ? context : { ...context, ahead: undefined };
  const critical = judged.filter(({ is }) => is.length > 0);
  const [tasks, reports, asked] = await Promise.all([
    Promise.all(charts.map((each) => tasksIn(looking, each))),
    Promise.all(
      changes.some(({ by }) => by.next.type === 'Observation')
        ? charts.map(async (each) => (each === chart && known ? known.reports : reportsIn(context, each)))
        : [],
    ),
    critical.length > 0 ? askedFor(context, chart, critical, written) : undefined,
  ]);
  const current = new Map(
    tasks
      .flat()
      .filter((record) => isKept(record) && isReading(record.resource))
      .map((record) => [nameOf(record), { record, said: (planned.get(nameOf(record))?.next ?? record).resource }]),
  );
  const allReports = new Map([
    ...reports.flat().map((record) => [nameOf(record), record] as const),
    ...written.plans.flatMap(({ next }) => (next.type === 'DiagnosticReport' ? [[nameOf(next), next] as const] : [])),
  ]);
  /** What somebody has read who has read this: itself, and the reports that it is a result of. */
  const readAs = ({ name }: Judged): ReadonlySet<string> =>
    new Set([
      name,
      ...[...allReports].flatMap(([report, { resource }]) => (resultsIn(resource).includes(name) ? [report] : [])),
    ]);
  const say = (name: string, said: Resource) => {
    const known = current.get(name);
    if (known && !written.sent.has(name)) current.set(name, { ...known, said });
  };
  const opening: { readonly task: Resource; readonly custodian: string }[] = [];
  const again = new Map<
    string,
    { about: Judged; owner: string | undefined; focus: string; custodian: string; versions: string[]; urgent: boolean }
  >();
  for (const each of judged) {
    const { by, name, is, was } = each;
    const version = by.previous ? `${name}/_history/${by.previous.version}` : undefined;
    const named = each.isChange ? readAs(each) : new Set([name]);
    const about = [...current].filter(([, { said }]) => said && named.has(resultOf(said) ?? ''));
    let isOpen = false;
    const reviewers = new Map<string, { focus: string; custodian: string }>();
    for (const [task, { record, said }] of about) {
      if (!said || version === undefined) continue;
      const isCritical = isTaskFor(said, criticalCode) && resultOf(said) === name;
      if (isToBeDone(said)) {
        if (isCritical && is.length > 0) isOpen = true;
        say(
          task,
          isCritical && is.length === 0 ? criticalNoMore(said, version, now) : toldOfChange(said, version, now),
        );
        continue;
      }
      const reviewer = reviewerIn(said);
      if (reviewer !== undefined)
        reviewers.set(`${reviewer} ${record.custodian}`, {
          focus: resultOf(said) ?? name,
          custodian: record.custodian,
        });
    }
    if (version !== undefined)
      for (const focus of named)
        for (const signature of signaturesOf(
          focus === name ? by.previous?.resource : allReports.get(focus)?.resource,
        )) {
          const signer = signerOf(signature);
          const { custodian } = by.next;
          const key = `${signer} ${custodian}`;
          if (signer !== undefined && !reviewers.has(key)) reviewers.set(key, { focus, custodian });
        }
    const order = is.length > 0 && !isOpen ? asked?.get(name) : undefined;
    if (order) opening.push(order);
    for (const [reviewer, { focus, custodian }] of reviewers) {
      const owner = reviewer.startsWith('pool ') ? undefined : reviewer.split(' ')[0];
      // Who has written it, or has the critical one anew, knows of it.
      const knows =
        owner === context.asking.caller.fhirUser || (order && ownerOf(order.task as unknown as fhir4.Task) === owner);
      const hasOne = about.some(([task]) => {
        const { said } = current.get(task) ?? {};
        return said && isToBeDone(said) && ownerOf(said as unknown as fhir4.Task) === owner && owner !== undefined;
      });
      if (knows || hasOne || version === undefined) continue;
      const key = `${owner} ${focus} ${custodian}`;
      const known = again.get(key) ?? { about: each, owner, focus, custodian, versions: [], urgent: false };
      known.versions.push(version);
      again.set(key, { ...known, urgent: known.urgent || is.length > 0 || was.length > 0 });
    }
  }
  const changedTasks = [...current].filter(
    ([name, { record, said }]) => said && said !== (planned.get(name)?.next ?? record).resource,
  );
  const restatements = await Promise.all(
    changedTasks.map(async ([name, { record, said }]): Promise<PlannedWrite> => {
      const plan = planned.get(name);
      const resource = said as Resource;
      return plan ? { ...plan, next: { ...plan.next, resource } } : restated(context, task, record, resource);
    }),
  );
  const opened = await Promise.all([
    ...opening.map(({ task: critical_, custodian }) => written.open(critical_, custodian)),
    ...[...again.values()].map(({ about, focus, owner, versions, urgent, custodian }) =>
      written.open(
        reviewAgain({ name: focus, subject: subjectOf(about.by), now }, { owner, versions, urgent }),
        custodian,
      ),
    ),
  ]);
  const replaced = new Set(restatements.map(({ next }) => nameOf(next)));
  const guarded = guard && first ? nameOf(first.by.next) : undefined;
  return [
    ...written.plans
      .filter(({ next }) => !replaced.has(nameOf(next)))
      .map((plan) =>
        guard && nameOf(plan.next) === guarded ? { ...plan, guards: [...plan.guards, guard(plan.next)] } : plan,
      ),
    ...restatements,
    ...opened,
  ];
};

const subjectOf = ({ next, previous }: PlannedWrite): fhir4.Reference | undefined =>
  (next.resource ?? previous?.resource)?.['subject'] as fhir4.Reference | undefined;

const resultsIn = (resource: Resource | undefined): readonly string[] =>
  ((resource as Partial<fhir4.DiagnosticReport> | undefined)?.result ?? []).flatMap((each) => nameIn(each) ?? []);

/** All reports of a chart: a call for each megabyte of them. */
const reportsIn = async ({ store }: Context, chart: string): Promise<readonly StoredRecord[]> => {
  const reports: StoredRecord[] = [];
  let after: string | undefined;
  do {
    const { items, next } = await store.chart(chart, 'DiagnosticReport', {
      order: 'key-order',
      pointers: 'none',
      after,
    });
    reports.push(...items);
    after = next;
  } while (after !== undefined);
  return reports;
};

const isClinician = (name: string | undefined): name is string => /^Practitioner(?:Role)?\//.test(name ?? '');

/** The Task to acknowledge each critical result, and who keeps it: who has asked for it, if that may read it; else the patient's general practitioner, or whoever covers. */
const askedFor = async (
  context: Context,
  chart: string,
  critical: readonly Judged[],
  { plans, ofPerson }: Written,
): Promise<ReadonlyMap<string, { readonly task: Resource; readonly custodian: string }>> => {
  const { asking, policy, now, store } = context;
  const ordersOf = ({ by, name }: Judged): readonly string[] => {
    const own = basedOnIn(by.next.resource);
    return own.length > 0
      ? own
      : plans.flatMap(({ next }) => (resultsIn(next.resource).includes(name) ? basedOnIn(next.resource) : []));
  };
  const named = new Map(critical.map((each) => [each, ordersOf(each)]));
  const names = [...new Set([...named.values()].flat())];
  const ahead = names.flatMap((name) => context.ahead?.orders.get(name) ?? []);
  const addresses = await locateAll(
    context,
    'ServiceRequest',
    names.map((name) => name.slice('ServiceRequest/'.length)).filter((id) => !ahead.some((order) => order.id === id)),
  );
  const isWritten = (name: string) => plans.find(({ next }) => nameOf(next) === name)?.next;
  const needsPatient = [...named.values()].some((orders) => orders.length === 0);
  const [found, patient] = await Promise.all([
    addresses.length > 0 ? store.readMany(addresses) : [],
    needsPatient && critical[0]?.by.next.place !== '' && !isWritten(`Patient/${chart}`)
      ? store.read({ type: 'Patient', chart, place: '' })
      : undefined,
  ]);
  const orders = new Map(
    names.flatMap((name) => {
      const order = isWritten(name) ?? [...ahead, ...found].find((each) => nameOf(each) === name);
      return order && isKept(order) ? [[name, order] as const] : [];
    }),
  );
  const practitionerOf = (): string | undefined => {
    const { generalPractitioner = [] } = ((isWritten(`Patient/${chart}`) ?? patient)?.resource ??
      {}) as Partial<fhir4.Patient>;
    return generalPractitioner.map(nameIn).find(isClinician);
  };
  const { criticalResults: { onCall = {}, acknowledgeMinutes, onCallMinutes } = {} } = policy;
  const made = await Promise.all(
    critical.map(async (each) => {
      const { by, name } = each;
      const of = (named.get(each) ?? []).flatMap((order) => orders.get(order) ?? []);
      const told = await whoIsTold(context, by, of, { plans, ofPerson });
      const requester = told && nameIn((told.resource as unknown as fhir4.ServiceRequest).requester);
      const owner = isClinician(requester) ? requester : of.length === 0 ? practitionerOf() : undefined;
      const custodian = told?.custodian ?? by.next.custodian;
      const task = criticalTask(
        { name, subject: subjectOf(by), now },
        {
          owner,
          basedOn: told ? [nameOf(told)] : [],
          toldBy: isClinician(asking.caller.fhirUser) ? asking.caller.fhirUser : undefined,
          acknowledgeMinutes,
          onCallMinutes,
          onCall: onCall[custodian],
        },
      );
      return [name, { task, custodian }] as const;
    }),
  );
  return new Map(made);
};

const basedOnIn = (resource: Resource | undefined): readonly string[] =>
  ((resource as Partial<fhir4.Observation> | undefined)?.basedOn ?? [])
    .map(nameIn)
    .filter((name) => name?.startsWith('ServiceRequest/') === true) as string[];

/** The first of the orders whose keeper may be told of the result. Tasks are looked at only where another organisation keeps it. */
const whoIsTold = async (
  context: Context,
  { next }: PlannedWrite,
  orders: readonly Kept[],
  { plans, ofPerson }: Pick<Written, 'plans' | 'ofPerson'>,
): Promise<Kept | undefined> => {
  for (const request of orders) {
    // What names somebody else's order by mistake is no result of it.
    if (request.chart !== next.chart && !(await ofPerson(request.chart)).includes(next.chart)) continue;
    const isOwn = request.custodian === next.custodian;
    const tasks = isOwn ? [] : await tasksIn(context, request.chart);
    const keepersTasks = tasks.filter(
      (each): each is Kept =>
        isKept(each) &&
        each.custodian === request.custodian &&
        isToFulfilRequest(each.resource, nameOf(request), context.request.baseUrl),
    );
    if (await isToldOf(context, next, { request, keepersTasks, plans })) return request;
  }
  return undefined;
};
