import { information } from '../../fhir/operation-outcome.ts';
import type { CallNotes, NotedCall } from '../../store/call-notes.ts';
import type { Plan } from '../../store/candidates/plan.ts';
import type { Part } from './parts.ts';

export { CallNotes } from '../../store/call-notes.ts';

/**
 * Tells how a search was planned, each of its calls, and what they come to. A chart in which the caller may find nothing reads like an empty
 * one: its calls have no figures, and those that would not have been made are left out. Charts have their names where the caller has found
 * something there. Where an id that a client chose was looked up, neither the look-up nor what follows from it tells whether it is used.
 */
export const explanation = (parts: readonly Part[], notes: CallNotes): fhir4.OperationOutcome => {
  const { calls, sequential, charts } = notes;
  const located = calls.some(({ locates }) => locates);
  const walked = !located && parts.some(({ plan }) => plan.kind === 'walk' || plan.kind === 'patients');
  const isTold = ({ operation, inCharts, locates, seen, refusal }: NotedCall) =>
    !(refusal || locates || (located && operation === 'PutItem')) && (!inCharts || seen || walked);
  const isListed = (call: NotedCall) => isTold(call) || call.locates || (!located && call.operation === 'Query');
  const told = calls.filter(isTold);
  // What is used is known the second time, and looked up once.
  const isFirst = (call: NotedCall) => calls.find(({ where }) => where === call.where) === call;
  const listed = calls.filter((call) => isListed(call) && (!call.locates || isFirst(call)));
  const sum = (of: (call: NotedCall) => number) => told.reduce((total, call) => total + of(call), 0);
  const counts = countsOf({
    rows: sum(({ rows }) => rows),
    matched: sum(({ matched }) => matched),
    readUnits: sum(({ readUnits }) => readUnits),
    writeUnits: sum(({ writeUnits }) => writeUnits),
  });
  const whole = told.length === calls.length;
  const total = `${listed.length} calls${whole ? `, ${sequential} in sequence` : ''}: ${counts}`;
  const lines = listed.map((call) => `${whereOf(call, charts)}: ${isTold(call) ? countsOf(call) : untold(call)}`);
  // Of several types, a part that has nothing to read is not there.
  const planned = parts.filter(({ plan, name }) => !(located && name !== undefined && isNamed(plan)));
  return information(
    'information',
    [...planned.map((part) => planText(part, located)), ...lines, total].map((message) => ({ message })),
  );
};

const untold = ({ locates }: NotedCall): string =>
  locates ? 'whether the id is used is not told' : 'nothing that you may find';

const isNamed = ({ kind }: Plan): boolean => kind === 'records' || kind === 'charts';

const planText = ({ searched, plan, narrowedBy }: Part, located: boolean): string => {
  const types = searched.length === 1 ? searched[0].recordType.name : `${searched.length} types`;
  return `${types}: ${wordsFor(plan, located)}${narrowedBy === undefined ? '' : `, narrowed by ${narrowedBy}`}`;
};

/** How many records or charts there are is left out where that would tell whether an id is used. */
const wordsFor = (plan: Plan, located: boolean): string => {
  switch (plan.kind) {
    case 'records':
      return `by id${located ? '' : `, ${plan.addresses.length} records`}`;
    case 'charts':
      return `by chart${located ? '' : `, ${plan.charts.length} charts`}${plan.mentions ? ', with what refers to records of theirs' : ''}`;
    case 'bearers':
      return 'by identifier';
    case 'registry':
      return `by registry row of ${plan.ranges[0]?.partition.split('#')[3] ?? 'nothing'}, ${plan.ranges.length} ranges`;
    case 'listed':
      return 'by the list of what heads its own chart';
    case 'patients':
      return 'by a walk through the charts of all patients';
    case 'walk':
      return 'by a walk through all that the organisation has';
    case 'several':
      return plan.plans.map((each) => wordsFor(each, located)).join(', then ');
  }
};

/** Ids of charts, in their own keys and in those of their logs, stand for the charts in which something was found. */
const whereOf = ({ operation, where }: NotedCall, found: ReadonlySet<string>): string =>
  `${operation} ${where.replaceAll(/(?<=(?:^|, )[CA]#)\S+/g, (chart) => (found.has(chart) ? chart : '…'))}`;

const countsOf = ({
  rows,
  matched,
  readUnits,
  writeUnits,
}: Pick<NotedCall, 'rows' | 'matched' | 'readUnits' | 'writeUnits'>): string =>
  `${rows} rows read, ${matched} matched, ${readUnits} read units, ${writeUnits} write units`;
