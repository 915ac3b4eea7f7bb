import { hash } from 'node:crypto';
import { typesOfPatients } from '../../record-types/homes.ts';
import type { SearchType } from '../../record-types/search-type.ts';
import type { SearchQuery } from '../../search/search-query.ts';
import type { Candidate, Plan } from '../../store/candidates/plan.ts';
import { rightBehind } from '../../store/candidates/reader.ts';
import { matchingAny, type Reading } from './matching.ts';
import type { SearchPlan } from './plan.ts';
import type { Run } from './run.ts';

/** A type that a search looks among, and what the search means there. */
export interface Searched {
  readonly recordType: SearchType;
  readonly query: SearchQuery;
}

/** What one reading finds: records of a type, or of all types for which the same charts are read. */
export interface Part extends SearchPlan {
  readonly searched: readonly [Searched, ...Searched[]];
  /** By which a page of a search of several types finds its place again; undefined where there is one type. Parts come in this order. */
  readonly name?: string;
}

/** Reads what several types have in common once: named records, the same charts, the charts of all patients. */
export const together = (planned: readonly Part[]): Part[] =>
  [...Map.groupBy(planned.flatMap(stagesOf), readingOf).values()]
    .map((parts) => [nameOf(parts), parts] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, parts]) => merged(name, parts));

/** A walk goes through what heads its own chart type by type, and through the charts of patients once for all types. */
const stagesOf = (part: Part): Part[] => {
  const { plan, searched } = part;
  if (plan.kind !== 'walk') return [part];
  const own: Part = { ...part, plan: { kind: 'listed', owner: plan.owner } };
  const [{ recordType }] = searched;
  return typesOfPatients.has(recordType.name)
    ? [own, { ...part, plan: { kind: 'patients', owner: plan.owner } }]
    : [own];
};

/** The same for parts that come to one reading. */
const readingOf = ({ plan, searched: [{ recordType }] }: Part): string => {
  switch (plan.kind) {
    case 'records':
      return 'records';
    case 'charts':
      return `charts ${plan.charts.toSorted().join()}`;
    case 'patients':
      return `patients ${plan.owner}`;
    default:
      return `type ${recordType.name}`;
  }
};

/**
 * Ends up in links, so it is short. It tells who takes part and not what was found, which may be another chart by the next page.
 */
const nameOf = (parts: readonly Part[]): string => {
  const types = parts.map(({ searched: [{ recordType }] }) => recordType.name);
  const [plan] = parts.map((part) => part.plan);
  switch (plan?.kind) {
    case 'records':
      return '0';
    case 'charts':
      return `1 ${hash('sha256', types.sort().join(), 'base64url').slice(0, 8)}`;
    case 'patients':
      return `3 ${plan.owner}`;
    default:
      return `2 ${types.join()}`;
  }
};

const merged = (name: string, parts: readonly Part[]): Part[] => {
  const [first] = parts;
  if (!first) return [];
  const plan = mergedPlan(parts, first.plan);
  if (isEmpty(plan)) return [];
  const others = parts.slice(1).flatMap(({ searched }) => searched);
  const whole = parts.every(({ exact }) => exact);
  return [{ ...first, name, plan, searched: [...first.searched, ...others], exact: whole }];
};

const mergedPlan = (parts: readonly Part[], first: Plan): Plan => {
  const plans = parts.map(({ plan }) => plan);
  if (first.kind === 'records') {
    return { ...first, addresses: plans.flatMap((plan) => (plan.kind === 'records' ? plan.addresses : [])) };
  }
  if (first.kind !== 'charts') return first;
  const chartsOf = new Map(
    parts.flatMap(({ plan, searched: [{ recordType }] }) =>
      plan.kind === 'charts' ? [[recordType.name, plan.chartsOf]] : [],
    ),
  );
  // Charts are read whole where several types are wanted: the bounds of one are not those of the others.
  const { between, ...whole } = first;
  return {
    ...whole,
    ...(between && parts.length === 1 ? { between } : {}),
    charts: [...new Set(plans.flatMap((plan) => (plan.kind === 'charts' ? plan.charts : [])))],
    mentions: plans.some((plan) => plan.kind === 'charts' && plan.mentions),
    chartsOf: async (record, mentions) => (await chartsOf.get(record.type)?.(record, mentions)) ?? [],
  };
};

const isEmpty = (plan: Plan): boolean =>
  (plan.kind === 'records' && plan.addresses.length === 0) || (plan.kind === 'charts' && plan.charts.length === 0);

/**
 * What the parts of a search find, one part after the other. A row limit holds for those parts alone whose plan selects what the search
 * asks for.
 */
export async function* matchingParts(
  run: Run,
  parts: readonly Part[],
  reading: Reading = {},
): AsyncGenerator<Candidate> {
  const [at, ...within] = reading.from ?? [];
  for (const { name, searched, plan, exact } of parts) {
    if (name !== undefined && at !== undefined && name < String(at)) continue;
    const begin = name === at && within.length > 0 ? within : undefined;
    const [first, ...others] = searched.map(({ recordType, query: { conditions } }) => ({ recordType, conditions }));
    if (!first) continue;
    const read = matchingAny(run, [first, ...others], plan, {
      ...reading,
      from: name === undefined ? reading.from : begin,
      rowLimit: exact ? reading.rowLimit : undefined,
    });
    if (name === undefined) yield* read;
    else {
      for await (const each of read) yield { ...each, position: [name, ...each.position] };
      yield { record: undefined, position: [rightBehind(name)] };
    }
  }
}
