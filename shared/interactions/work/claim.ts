import { RecordError } from '../../errors.ts';
import type { Resource } from '../../fhir/resource.ts';
import { presented, type StoredRecord } from '../../store/rows.ts';
import { poolsOf } from '../../work/pools.ts';
import { dueOf, isOpen, onCallOf, ownerOf } from '../../work/worklists.ts';
import { answerTo, ofVersion } from '../answers.ts';
import type { Answer, Interaction, RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { readInput } from '../operation-input.ts';
import { planUpdate } from '../plan-write.ts';
import { requireReadable, requireTypeAccess } from '../require-access.ts';
import { save } from '../save.ts';
import { requireVersion, requireWritable } from '../update.ts';
import { belongsTo } from './memberships.ts';

/** Somebody may write a note while another one takes the task on: that is no reason to refuse it. */
const attempts = 3;

/**
 * `POST Task/{id}/$claim`: takes a task on that is for a pool to which the caller belongs, a team of the caller's, or the whole organisation. It becomes `accepted`, and the caller its owner. Of several who
 * claim it one gets it. One that is overdue may be taken over from who has it, by the pool, or by anybody if there is none. Who has it already is answered with it. One read, one transaction; one read more for a team's.
 *
 * @throws RecordError `not-found`; `forbidden` to who is not of the pool; `conflict` (`task-taken`) if somebody else has it; `business-rule` for what is over, or is not to be taken on in this way.
 */
export const claim: Interaction = async (context, { id }) => {
  const { fhirUser } = context.asking.caller;
  return changed(context, id, '$claim', async (task) => {
    const owner = ownerOf(task);
    if (owner === fhirUser && task.status !== 'requested') return undefined;
    if (!isOpen(task))
      throw new RecordError('business-rule', `What is ${task.status} is not taken on`, {
        reason: 'illegal-move',
        expression: 'Task.status',
      });
    await requireOfPool(context, task, owner);
    return { ...task, status: begun.has(task.status) ? task.status : 'accepted', owner: { reference: fhirUser } };
  });
};

/**
 * `POST Task/{id}/$unclaim`: gives a task back that the caller has taken on. It is `requested` again, of its pool or of the whole organisation.
 *
 * @throws RecordError `not-found`; `conflict` (`task-taken`) if somebody else has it; `business-rule` for what is over.
 */
export const unclaim: Interaction = async (context, { id }) =>
  changed(context, id, '$unclaim', async (task) => {
    const { owner: _given, ...rest } = task;
    if (ownerOf(task) !== context.asking.caller.fhirUser) throw taken();
    return { ...rest, status: 'requested' };
  });

/** What somebody has begun goes on with whoever takes it over. */
const begun: ReadonlySet<string> = new Set(['ready', 'in-progress']);

const requireOfPool = async (context: RequestContext, task: fhir4.Task, owner: string | undefined): Promise<void> => {
  const { roles, fhirUser } = context.asking.caller;
  const pools = poolsOf(task);
  const isOfPool = pools.some((pool) => roles.some((role) => role === pool));
  if (owner === fhirUser) return;
  const onCall = onCallOf(task);
  if (onCall && onCall.from < context.now && (await isOnCall(context, onCall.who))) return;
  if (owner !== undefined) {
    // Overdue, it is everybody's of the pool again; without a pool, of the organisation.
    const isOverdue = (dueOf(task) ?? Number.POSITIVE_INFINITY) < context.now;
    if (isOverdue && (isOfPool || pools.length === 0)) return;
    if (/^(?:PractitionerRole|CareTeam)\//.test(owner) && (await belongsTo(context, owner))) return;
    throw taken();
  }
  if (isElsewhere(context, task)) throw taken();
  if (pools.length === 0 || isOfPool) return;
  throw new RecordError('forbidden', `This task is for ${pools.join(' or ')}`, {
    reason: 'forbidden-role',
    expression: 'Task.performerType',
  });
};

/** Whether the caller is on call for a task: by the own name, a position, or as one of the organisation. */
const isOnCall = async (context: RequestContext, who: string | undefined): Promise<boolean> =>
  who === undefined ||
  who === context.asking.caller.fhirUser ||
  (who.startsWith('PractitionerRole/') && belongsTo(context, who));

/** Whether another organisation has it, such as one that a patient was referred to: who took that away would end what it may see. */
const isElsewhere = ({ asking }: RequestContext, { owner }: fhir4.Task): boolean =>
  /(?:^|\/)Organization\/([^/]+)/.exec(owner?.reference ?? `Organization/${asking.caller.organization}`)?.[1] !==
  asking.caller.organization;

const taken = () =>
  new RecordError('conflict', 'Somebody else has this task', { reason: 'task-taken', expression: 'Task.owner' });

/** @param change - the task as it is to be; undefined leaves it. */
const changed = async (
  context: RequestContext,
  id: string,
  operation: '$claim' | '$unclaim',
  change: (task: fhir4.Task) => Promise<fhir4.Task | undefined>,
): Promise<Answer> => {
  requireTypeAccess(context, 'u');
  if (!context.asking.caller.fhirUser.startsWith('Practitioner/'))
    throw new RecordError('forbidden', 'Staff take tasks on', { reason: 'forbidden-role' });
  readInput(context, {});
  for (let attempt = 1; ; attempt++) {
    const current = await readToChange(context, id, operation);
    const next = await change(current.resource as unknown as fhir4.Task);
    if (!next) return { statusCode: 200, resource: presented(context.view.of(current)), ...ofVersion(current) };
    const resource = { ...next, lastModified: new Date(context.now).toISOString() } as unknown as Resource;
    // Whom it refers to besides the caller it has referred to before.
    const plan = { ...(await planUpdate(context, { resource, warnings: [] }, current)), checks: [] };
    try {
      await save(context, [plan]);
      return answerTo(context, plan);
    } catch (error) {
      const again = error instanceof RecordError && error.reason === 'concurrent-change' && attempt < attempts;
      if (!again) throw error;
    }
  }
};

const readToChange = async (context: RequestContext, id: string, operation: string): Promise<StoredRecord> => {
  const { audit, store } = context;
  const address = await locate(context, 'Task', id);
  const name = `Task/${id}`;
  const current = requireReadable(
    context,
    address &&
      (await audit.traced(
        { interaction: 'operation', chart: address.chart, what: [name], query: `${name}/${operation}` },
        () => store.read(address),
        (found) => void requireReadable(context, found),
      )),
  );
  await requireWritable(context, current, 'u');
  requireVersion(context, current);
  return current;
};
