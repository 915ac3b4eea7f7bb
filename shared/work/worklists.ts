import { dateInterval } from '../search/date-range.ts';
import type { StoredRecord } from '../store/rows.ts';
import { poolsOf } from './pools.ts';

/** Where work is listed for who is to do it. */
export interface Listed {
  /** Whose list: a reference, or `role:` and a pool's role. */
  readonly list: string;
  /** A message to be read; a task to be done, among them what is to be done for an order; a task that another one has, to be seen here once it is overdue; or who waits for a time. */
  readonly as: 'message' | 'task' | 'referral' | 'taken' | 'waiting';
  /** What comes first. Texts, in the order of time; what is not urgent and has no time comes last. */
  readonly rank: string;
}

/** All tasks of an organisation that have a time, whoever has them. */
export const timedList = 'timed';

/** The list of a pool. */
export const poolList = (role: string): string => `role:${role}`;

/**
 * The lists of an organisation in which a task stands, as long as there is something to do: with who has it, else with its pool, else with the whole organisation; one that has a time also
 * with its pool and with whoever of the staff has asked for it, or where there is neither with the whole organisation, to be seen there once it is overdue. A list is as long as what there
 * is to do, however much was done before.
 */
export const taskListsOf = ({
  resource,
  custodian,
}: Pick<StoredRecord, 'resource' | 'custodian'>): readonly Listed[] =>
  resource ? listsOfTask(resource as unknown as fhir4.Task, `Organization/${custodian}`) : [];

const open: ReadonlySet<string> = new Set(['requested', 'received', 'accepted', 'ready', 'in-progress', 'on-hold']);

/** Whether there is something to do, and it has been asked for. */
export const isOpen = ({ status }: Pick<fhir4.Task, 'status'>): boolean => open.has(status);

/** Until when a task is to be done, in milliseconds since 1970: the last one of the time that it names. https://hl7.org/fhir/R4/task-definitions.html#Task.restriction.period */
export const dueOf = ({ restriction }: Pick<fhir4.Task, 'restriction'>): number | undefined => {
  const end = restriction?.period?.end;
  const until = end === undefined ? undefined : dateInterval(end)?.end;
  return until === undefined ? undefined : until - 1;
};

/** `Type/id` that a reference names. */
export const nameIn = (reference: fhir4.Reference | undefined): string | undefined =>
  /(?:^|\/)([A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64})(?:\/_history\/[^/]+)?$/.exec(reference?.reference ?? '')?.[1];

/** Who has taken a task on: a person or a group, not an organisation as a whole. */
export const ownerOf = ({ owner }: Pick<fhir4.Task, 'owner'>): string | undefined => {
  const name = nameIn(owner);
  return name?.startsWith('Organization/') ? undefined : name;
};

/** Of a Task that cannot wait: `who` is on call for it, or the whole organisation, `from` when, as long as nobody has done it. The server writes it. */
export const onCallUrl = 'https://concord.example/fhir/StructureDefinition/on-call';

/** Who is on call for a task, undefined for the whole organisation, and since when, in milliseconds since 1970. */
export const onCallOf = ({
  extension = [],
}: fhir4.Task): { readonly who: string | undefined; readonly from: number } | undefined => {
  const parts = extension.find(({ url }) => url === onCallUrl)?.extension;
  const part = (name: string) => parts?.find(({ url }) => url === name);
  return parts && { who: nameIn(part('who')?.valueReference), from: startOf(part('from')?.valueInstant) };
};

const listsOfTask = (task: fhir4.Task, organization: string): Listed[] => {
  if (!isOpen(task)) return [];
  const rank = rankOf(task);
  const owner = ownerOf(task);
  const pools = poolsOf(task).map(poolList);
  const who = owner === undefined ? (pools.length > 0 ? pools : [nameIn(task.owner) ?? organization]) : [owner];
  const listed = who.map((list): Listed => ({ list, as: 'task', rank }));
  if (dueOf(task) === undefined) return listed;
  const asker = nameIn(task.requester);
  const onCall = onCallOf(task);
  const others = [...pools, ...(asker !== undefined && asker !== owner && person.test(asker) ? [asker] : [])];
  const reminded = (others.length > 0 ? others : [organization]).filter((list) => !who.includes(list));
  return [
    ...listed,
    ...reminded.map((list): Listed => ({ list, as: 'taken', rank })),
    ...(onCall ? [{ list: onCall.who ?? organization, as: 'taken' as const, rank: rankAt(onCall.from) }] : []),
    { list: timedList, as: isForOrder(task) ? 'referral' : 'task', rank },
  ];
};

const person = /^Practitioner(?:Role)?\//;

/** Whether a task is about an order, as referrals are. */
const isForOrder = ({ focus, basedOn = [] }: fhir4.Task): boolean =>
  [focus, ...basedOn].some((reference) => nameIn(reference)?.startsWith('ServiceRequest/'));

const urgent: ReadonlySet<string> = new Set(['urgent', 'asap', 'stat']);
/** Behind all times. */
const someTime = '~';
/** The last millisecond that a date of four digits names. */
const lastTime = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** An instant as part of a rank. */
export const rankAt = (time: number): string => new Date(Math.min(Math.max(time, 0), lastTime)).toISOString();

/** What is urgent and has no time is due when it was asked for. */
const rankOf = (task: fhir4.Task): string => {
  const due = dueOf(task);
  if (due !== undefined) return rankAt(due);
  const asked = rankAt(startOf(task.authoredOn));
  return urgent.has(task.priority ?? '') ? asked : `${someTime}${asked}`;
};

const startOf = (date = ''): number => dateInterval(date)?.start ?? 0;
