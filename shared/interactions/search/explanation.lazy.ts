import { information } from '../../fhir/operation-outcome.ts';
import type { CallNotes, NotedCall } from '../../store/call-notes.ts';
import type { Plan } from '../../store/candidates.ts';
import type { Part } from './parts.ts';

/**
 * Tells how a search was planned, each of its calls, and what they come to. A chart in which the caller may find nothing reads like an empty
 * one: its calls have no figures, and those that would not have been made are left out.
 */
export const explanation = (parts: readonly Part[], { calls, sequential }: CallNotes): fhir4.OperationOutcome => {
  const walked = parts.some(({ plan }) => plan.kind === 'walk' || plan.kind === 'patients');
  const isTold = ({ inCharts, seen }: NotedCall) => !inCharts || seen || walked;
  const made = calls.filter((call) => !call.refusal && (isTold(call) || call.operation === 'Query'));
  const told = made.filter(isTold);
  const sum = (of: (call: NotedCall) => number) => told.reduce((total, call) => total + of(call), 0);
  const counts = countsOf({
    rows: sum(({ rows }) => rows),
    matched: sum(({ matched }) => matched),
    readUnits: sum(({ readUnits }) => readUnits),
    writeUnits: sum(({ writeUnits }) => writeUnits),
  });
  const whole = made.length === told.length;
  const total = `${made.length} calls${whole ? `, ${sequential} in sequence` : ''}: ${counts}`;
  const lines = made.map((call) => (isTold(call) ? callText(call) : `${whereOf(call)}: nothing that you may find`));
  return information(
    'information',
    [...parts.map(planText), ...lines, total].map((message) => ({ message })),
  );
};

const planText = ({ searched, plan, narrowedBy }: Part): string => {
  const types = searched.length === 1 ? searched[0].recordType.name : `${searched.length} types`;
  return `${types}: ${wordsFor(plan)}${narrowedBy === undefined ? '' : `, narrowed by ${narrowedBy}`}`;
};

const wordsFor = (plan: Plan): string => {
  switch (plan.kind) {
    case 'records':
      return `by id, ${plan.addresses.length} records`;
    case 'charts':
      return `by chart, ${plan.charts.length} charts${plan.mentions ? ', with what refers to records of theirs' : ''}`;
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
      return plan.plans.map(wordsFor).join(', then ');
  }
};

const whereOf = ({ operation, where }: NotedCall): string => `${operation} ${where}`;

const callText = (call: NotedCall): string => `${whereOf(call)}: ${countsOf(call)}`;

const countsOf = ({
  rows,
  matched,
  readUnits,
  writeUnits,
}: Pick<NotedCall, 'rows' | 'matched' | 'readUnits' | 'writeUnits'>): string =>
  `${rows} rows read, ${matched} matched, ${readUnits} read units, ${writeUnits} write units`;
