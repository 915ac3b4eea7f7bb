import { recordsNamedIn } from '../fhir/references.ts';
import { factsOfType, isDirectory } from '../record-types/subjects.ts';
import type { ExistenceCheck } from '../store/commit.ts';
import { visitChanges } from '../store/door-rows.ts';
import { type Address, recordKey } from '../store/keys.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { RequestContext } from './context.ts';
import type { PlannedWrite } from './plan-write.ts';
import { mayAccess } from './require-access.ts';
import { securityContextOf } from './security-context.ts';

type Context = Omit<RequestContext, 'recordType'>;

const nameOf = (address: Address): string => Object.values(recordKey(address)).join('\n');

/**
 * Writes that refer to what is not there for everybody, with conditions that hold there, as far as the writer may refer to it: to what other organisations keep, in
 * a chart that is open to the writer for care; to the writer's own psychotherapy notes; and to what the record has referred to before. What the first leave there is told
 * of in rows of the chart; what names a note says so in its row, so that it is masked for everybody else.
 *
 * @returns undefined if nothing of it may be referred to.
 */
export const referringAnew = async (
  context: Context,
  plans: readonly PlannedWrite[],
): Promise<readonly PlannedWrite[] | undefined> => {
  const { organization } = context.asking.caller;
  const own = new Set(plans.map(({ next }) => nameOf(next)));
  const asked = plans
    .flatMap(({ checks }) => checks)
    .filter(({ address }) => !isDirectory(address.type) && !own.has(nameOf(address)));
  const read = await context.store.readMany(asked.map(({ address }) => address));
  const notes = read.filter(({ resource, originators }) => resource !== undefined && originators !== undefined);
  const foreign = read.filter(
    ({ resource, custodian }) => organization !== undefined && resource !== undefined && custodian !== organization,
  );
  if (foreign.length === 0 && notes.length === 0) return undefined;
  await context.sharing.lookUp(foreign);
  const targets = new Map([...foreign, ...notes].map((record) => [nameOf(record), record]));
  const put = new Set<string>();
  let changed = false;
  const opened = plans.map((plan): PlannedWrite => {
    // A Binary is under the rights of what it refers to, by whoever could refer to that.
    const mayGoAbroad = plan.recordType.name !== 'Binary';
    const isOwn = organization === undefined || plan.previous?.custodian === organization;
    const before = new Set(isOwn ? referredTo(context, plan) : []);
    const named: StoredRecord[] = [];
    const checks = plan.checks.map((check): ExistenceCheck => {
      const target = targets.get(nameOf(check.address));
      if (!target) return check;
      const known = before.has(`${target.type}/${target.id}`);
      if (target.originators) {
        if (!known && !target.originators.includes(context.asking.caller.fhirUser)) return check;
        named.push(target);
      } else if (!mayGoAbroad || !(known || mayReferTo(context, target))) return check;
      changed = true;
      return {
        ...check,
        ...(check.custodian === undefined ? {} : { custodian: target.custodian }),
        ...(target.originators ? { mayBeNote: true } : {}),
      };
    });
    const next = namingNotes(context, plan.next, named);
    const keeper = targets.get(nameOf({ type: 'Patient', chart: plan.next.chart, place: '' }))?.custodian;
    // What others keep was written because of what the caller writes: it says nothing of who has been here.
    const isRaised = plan.next.custodian !== organization;
    if (isRaised || !mayGoAbroad || keeper === undefined || keeper === organization || plan.next.place === '')
      return { ...plan, next, checks };
    const visit = plan.recordType.visitOf?.(plan.next);
    const inEmergency = visit && context.sharing.known(plan.next.chart)?.isOfEmergency(plan.next);
    const door = inEmergency ? { ...visit, emergency: true as const } : visit;
    const { puts, removes } = visitChanges(plan, door, keeper);
    // That the organisation is present is told once, however much it writes: a transaction takes a row once.
    const fresh = puts.filter(({ pk, sk }) => !put.has(`${pk} ${sk}`));
    for (const { pk, sk } of fresh) put.add(`${pk} ${sk}`);
    return { ...plan, next, checks, besides: { puts: fresh, removes } };
  });
  return changed ? opened : undefined;
};

/** Writes of which some are psychotherapy notes, and others name these: so their rows say. */
export const namingEachOther = (context: Context, plans: readonly PlannedWrite[]): readonly PlannedWrite[] => {
  const notes = new Map(
    plans.flatMap(({ next }) =>
      next.originators && next.resource ? [[`${next.type}/${next.id}` as string, next] as const] : [],
    ),
  );
  return plans.map((plan) => {
    const { resource } = plan.next;
    const names = resource ? recordsNamedIn(resource, context.request.baseUrl) : [];
    return {
      ...plan,
      next: namingNotes(
        context,
        plan.next,
        names.flatMap((name) => notes.get(name) ?? []),
      ),
    };
  });
};

/** A version that says which psychotherapy notes it names; a Binary whose rights are those of one is for the same people as that. */
const namingNotes = (context: Context, next: StoredRecord, named: readonly StoredRecord[]): StoredRecord => {
  if (named.length === 0) return next;
  const under = securityContextOf(context, next.resource);
  const sealing =
    under && under !== 'not-understood' && named.find(({ type, id }) => type === under.type && id === under.id);
  const notes = Object.fromEntries(named.map(({ type, id, originators = [] }) => [`${type}/${id}`, originators]));
  return {
    ...next,
    notes: { ...next.notes, ...notes },
    ...(sealing ? { originators: next.originators ?? sealing.originators } : {}),
  };
};

const mayReferTo = (context: Context, target: StoredRecord): boolean =>
  context.sharing
    .known(target.chart)
    ?.mayReferTo(target, mayAccess({ ...context, recordType: factsOfType(target.type) }, 'r', target)) ?? false;

const referredTo = ({ request }: Context, { previous }: PlannedWrite): string[] =>
  previous?.resource ? recordsNamedIn(previous.resource, request.baseUrl) : [];
